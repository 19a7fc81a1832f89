/// How the predictions of a stack's members become one.
struct StackWeights: Sendable, Equatable {
    /// A combination of the members.
    struct Function: Sendable, Equatable {
        let intercept: Double
        /// One for each member.
        let weights: [Double]

        /// Whether it is the first member and nothing else.
        var isFirstAlone: Bool {
            intercept == 0 && weights.first == 1 && weights.dropFirst().allSatisfy { $0 == 0 }
        }

        /// How far the members' probabilities stay from 0 and 1: a member that stays alone says what it says.
        var margin: Double { isFirstAlone ? 1e-12 : LogOddsStack.margin }

        /// a + Σ_j b_j·z_j.
        func value(_ member: (Int) -> Double) -> Double {
            var sum = intercept
            for (index, weight) in weights.enumerated() { sum += weight * member(index) }
            return sum
        }
    }

    /// How many classes are predicted; 1 for numbers.
    let classes: Int
    /// Of numbers one; of classes the log-odds of each beside the first, but for the first itself.
    let functions: [Function]

    init(classes: Int, functions: [Function]) {
        self.classes = classes
        self.functions = functions
    }

    /// Whether a stack can predict it.
    static func supports(_ objective: TrainingTask.Objective) -> Bool {
        switch objective {
        case .regression: true
        case .classification(let classes): classes >= 2
        case .count, .residual, .coefficient, .multiResidual, .multiRegression, .quantile: false
        }
    }

    /// Finds the weights from predictions of rows held out.
    ///
    /// - Parameters:
    ///   - predictions: for each member, as many numbers for each of `rows` as a prediction has.
    ///   - task: has the rows' targets, weights and clusters.
    ///   - rows: in any order, each once. Without any, numbers have members that count alike, and classes the first.
    ///   - leastAdvantage: how many standard errors better than with the first member alone classes have to be predicted; else it
    ///     stays alone. 0 where all members count from the beginning.
    /// - Throws: what the collective throws.
    /// - Complexity: O(rows × members²) for each function, of classes some times.
    init(
        _ predictions: [[Double]], _ task: TrainingTask, rows: [Int32], leastAdvantage: Double = 0
    ) throws(MetaLearnersError) {
        let distribution = task.features.distribution
        let target = rows.map { task.numbers[Int($0)] }
        let rowWeights = task.weights.map { weights in rows.map { weights[Int($0)] } }
        guard case .classification(let classes) = task.objective else {
            classes = 1
            let total = try distribution.sum([rowWeights?.reduce(0, +) ?? Double(rows.count)])[0]
            guard total > 0 else {
                functions = [.even(predictions.count)]
                return
            }
            let stack = try ConvexStack(
                predictions, target: target, rowWeights: rowWeights, .drawnToShares, distribution)
            functions = [try Function(stack.intercept, stack.weights, agreedBy: distribution)]
            return
        }
        self.classes = classes
        let clusters = task.clusters.map { clusters in rows.map { clusters[Int($0)] } }
        var functions: [Function] = []
        for arm in 1..<classes {
            // Rows of this class and of the first.
            let places = target.indices.filter { target[$0] == 0 || Int(target[$0]) == arm }
            let logOdds = predictions.map { list in
                places.map { Self.logOdds(of: arm, list, at: $0 * classes) }
            }
            let pair = StackedPair(
                logOdds: logOdds, target: places.map { target[$0] == 0 ? 0 : 1 },
                rowWeights: rowWeights.map { weights in places.map { weights[$0] } },
                clusters: clusters.map { clusters in places.map { clusters[$0] } },
                distribution: distribution)
            let stack = try pair.stack(ofFirst: predictions.count)
            guard try pair.needsOthers(stack, leastAdvantage) else {
                functions.append(.first(of: predictions.count))
                continue
            }
            functions.append(try Function(stack.intercept, stack.weights, agreedBy: distribution))
        }
        self.functions = functions
    }

    /// The log-odds of a class beside the first, in a list of probabilities of all classes.
    private static func logOdds(
        of arm: Int, _ shares: [Double], at place: Int, margin: Double = LogOddsStack.margin
    ) -> Double {
        let both = shares[place] + shares[place + arm]
        let share = min(max(both > 0 ? shares[place + arm] / both : 0.5, margin), 1 - margin)
        return Double.log(share / (1 - share))
    }

    /// The combination of the members' predictions of so many rows.
    ///
    /// - Parameter predictions: for each member, as many numbers a row as a prediction has.
    func combine(_ predictions: [[Double]], count: Int) -> [Double] {
        guard classes > 1 else {
            guard let function = functions.first else { return [] }
            return (0..<count).map { row in function.value { predictions[$0][row] } }
        }
        // (The first member alone is what it says, to the bit.)
        if functions.allSatisfy(\.isFirstAlone), let first = predictions.first { return first }
        var result = [Double](repeating: 0, count: count * classes)
        let margins = functions.map(\.margin)
        for row in 0..<count {
            let place = row * classes
            if classes == 2 {
                let score = functions[0].value {
                    Self.logOdds(of: 1, predictions[$0], at: place, margin: margins[0])
                }
                result[place + 1] = Logistic.share(score)
                result[place] = 1 - result[place + 1]
                continue
            }
            for (index, function) in functions.enumerated() {
                result[place + index + 1] = function.value {
                    Self.logOdds(of: index + 1, predictions[$0], at: place, margin: margins[index])
                }
            }
            result.withUnsafeMutableBufferPointer { buffer in
                if let base = buffer.baseAddress { Softmax.replace(base + place, count: classes) }
            }
        }
        return result
    }

    /// What `combine` computes of formulas of the members' outputs.
    func formulas(_ members: [[Formula]]) -> [Formula] {
        guard classes > 1 else {
            return functions.map { function in
                Formula(
                    .linear(
                        intercept: function.intercept, coefficients: function.weights,
                        members.compactMap(\.first)))
            }
        }
        if functions.allSatisfy(\.isFirstAlone), let first = members.first { return first }
        let scores = functions.enumerated().map { index, function in
            Formula(
                .linear(
                    intercept: function.intercept, coefficients: function.weights,
                    members.map { Self.logOdds(of: index + 1, $0, margin: function.margin) }))
        }
        guard classes > 2 else {
            let share = Formula(.sigmoid(scores[0]))
            return [Formula(.difference(.constant(1), share)), share]
        }
        let all = [Formula.constant(0)] + scores
        return all.indices.map { Formula(.softmax(all, index: $0)) }
    }

    private static func logOdds(of arm: Int, _ shares: [Formula], margin: Double) -> Formula {
        let both = Formula(.sum([shares[0], shares[arm]]))
        let share = Formula(
            .clip(
                Formula(.quotient(shares[arm], both, otherwise: 0.5)), lower: margin, upper: 1 - margin))
        return Formula(
            .log(Formula(.quotient(share, Formula(.difference(.constant(1), share)), otherwise: nil))))
    }
}

/// The rows of a class and of the first, and what members say of them.
private struct StackedPair {
    /// For each member.
    let logOdds: [[Double]]
    /// 1 for the class, 0 for the first.
    let target: [Double]
    let rowWeights: [Double]?
    let clusters: [Int32]?
    let distribution: DistributedRows?

    /// The stack of the first members.
    func stack(ofFirst count: Int) throws(MetaLearnersError) -> LogOddsStack {
        try LogOddsStack.leavingOut(
            Array(logOdds.prefix(count)), target: target, rowWeights: rowWeights,
            groups: [Int32](repeating: 0, count: target.count), count: 1, distribution)[0]
    }

    private func score(_ stack: LogOddsStack, _ row: Int) -> Double {
        var score = stack.intercept
        for (member, weight) in stack.weights.enumerated() { score += weight * logOdds[member][row] }
        return score
    }

    /// Whether the stack of all members predicts the rows better than the first alone, by so many standard errors.
    ///
    /// Alone it is σ(a + b·ℓ_1), fitted in the same way, so that what counts is what the others know, and not that the first may be
    /// too sure of itself. The gain in log-likelihood is less one for each other member, by which weights that were fitted to the very rows flatter
    /// themselves (Akaike 1974). Clusters count as a whole.
    func needsOthers(_ stack: LogOddsStack, _ leastAdvantage: Double) throws(MetaLearnersError) -> Bool {
        guard leastAdvantage > 0, logOdds.count > 1 else { return true }
        let alone = try self.stack(ofFirst: 1)
        // How much more likely each row becomes, weighted; Σ, Σ of squares, Σ w and Σ w².
        var sums = [0.0, 0, 0, 0]
        var gains: [Double] = []
        for row in target.indices {
            let (first, all) = (score(alone, row), score(stack, row))
            let weight = rowWeights?[row] ?? 1
            let gain =
                weight * (Logistic.softplus(first) - Logistic.softplus(all) - target[row] * (first - all))
            sums[0] += gain
            sums[1] += gain * gain
            sums[2] += weight
            sums[3] += weight * weight
            if clusters != nil { gains.append(gain) }
        }
        sums = try distribution.sum(sums)
        var squares = sums[1]
        if let clusters {
            // (A cluster's rows may be in several processes.)
            let last = try distribution.maximum([Double(clusters.max() ?? -1)])[0]
            var ofClusters = [Double](repeating: 0, count: Int(last) + 1)
            for (gain, cluster) in zip(gains, clusters) { ofClusters[Int(cluster)] += gain }
            squares = try distribution.sum(ofClusters).reduce(0) { $0 + $1 * $1 }
        }
        guard sums[1] > 0, sums[2] > 0 else { return false }
        let flattery =
            Double(logOdds.count - 1) * sums[3] / sums[2] * max(1, squares / sums[1])
        let agreed = try distribution.agreed([sums[0] - flattery, squares])
        return agreed[0] > leastAdvantage * agreed[1].squareRoot()
    }
}

extension StackWeights.Function {
    /// The first member alone.
    fileprivate static func first(of members: Int) -> StackWeights.Function {
        StackWeights.Function(
            intercept: 0, weights: (0..<members).map { $0 == 0 ? 1 : 0 })
    }

    /// The weights that one of the processes found: others may round differently.
    fileprivate init(_ intercept: Double, _ weights: [Double], agreedBy distribution: DistributedRows?)
        throws(MetaLearnersError)
    {
        let agreed = try distribution.agreed([intercept] + weights)
        self.init(intercept: agreed[0], weights: Array(agreed.dropFirst()))
    }

    /// The plain mean.
    fileprivate static func even(_ members: Int) -> StackWeights.Function {
        StackWeights.Function(
            intercept: 0, weights: [Double](repeating: 1 / Double(max(members, 1)), count: members))
    }
}
