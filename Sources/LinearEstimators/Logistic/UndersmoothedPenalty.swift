import MetaLearnersCore

/// The penalty on squares that `l2: auto` means.
///
/// It is 1 where the rarest class has ten rows or more for each encoded column (Peduzzi et al. 1996); of clusters, as many clusters. Where it has fewer, coefficients that are next to
/// free follow the noise, and probabilities are far too sure of themselves: inverse propensities then ruin average effects. The penalties 1, √10, 10, …
/// are compared by the log-likelihood of rows held out, and the least one is taken whose rows are not clearly less likely: by no more
/// than two standard errors of the difference to the best. The best one itself would do for predictions, but for a propensity it is too smooth: what
/// it leaves of the confounding is a bias that intervals do not know of, while its variance is known ("undersmoothing": Ertefaie,
/// Hejazi & van der Laan 2023). `Benchmarks/coverage` has what it brings.
struct UndersmoothedPenalty {
    /// The penalty that was chosen, and those compared, descending; their mean losses are empty where nothing was compared.
    let choice: PenaltyChoice

    /// Rows of the rarest class for each column from which nothing is compared.
    static let plentyOfRows = 10
    /// The penalty where there are plenty of rows.
    static let standard = 1.0
    private static let standardErrors = 2.0

    /// - Parameters:
    ///   - width: how many encoded columns there are.
    ///   - solve: solves for a penalty beside the sum of the losses.
    ///   - make: the loss of rows of some classes, without a penalty.
    /// - Throws: as `LogisticEstimator.fit`.
    init(
        _ classes: ClassLabels, _ task: TrainingTask, width: Int, folds: Int, _ context: ExecutionContext,
        solve: HeldOutLogistic.Solver,
        make: @escaping @Sendable (ClassLabels) throws(MetaLearnersError) -> any LogisticObjective
    ) throws(MetaLearnersError) {
        let rarest = try Self.rowsOfRarest(classes, clusters: task.clusters)
        guard width > 0, rarest < Double(Self.plentyOfRows * width) else {
            choice = Self.known
            return
        }
        let heldOut = try HeldOutLogistic(classes, task, folds: folds, make: make)
        guard heldOut.folds.ranges.count > 1 else {
            choice = Self.known
            return
        }
        let penalties = try classes.distribution.agreed(Self.penalties(width: width))
        let clusters = task.clusters
        let paths = try heldOut.path(penalties, context, solve) { rows, evaluation in
            HeldOutLosses(rows, evaluation, clusters: clusters)
        }.filter { !$0.isEmpty }
        // (A process whose rows are in no fold takes part in sums all the same.)
        let sums = try classes.distribution.sum(
            penalties.indices.map { step in paths.reduce(0) { $0 + $1[step].values.reduce(0, +) } })
        guard sums.allSatisfy(\.isFinite), let best = sums.indices.min(by: { sums[$0] < sums[$1] }) else {
            choice = Self.known
            return
        }
        var chosen = best
        for step in penalties.indices.reversed() where step > best {
            let squares = try HeldOutLosses.squaresOfDifferences(
                paths.map { ($0[step], $0[best]) }, hasClusters: clusters != nil, classes.distribution)
            let agreed = try classes.distribution.agreed([sums[step] - sums[best], squares])
            if agreed[0] <= Self.standardErrors * agreed[1].squareRoot() {
                chosen = step
                break
            }
        }
        choice = PenaltyChoice(
            criterion: "cross_validated_deviance", penalties: penalties,
            errors: sums.map { $0 / classes.totalWeight }, chosen: chosen)
    }

    /// How much the rarest class says: its rows, of unequal weights as many of equal ones as say as much (Kish), and no more than there are
    /// clusters with such a row.
    private static func rowsOfRarest(_ classes: ClassLabels, clusters: [Int32]?) throws(MetaLearnersError)
        -> Double
    {
        let count = classes.present.count
        var sums = [Double](repeating: 0, count: 2 * count)
        for (label, weight) in zip(classes.labels, classes.weights) {
            sums[Int(label)] += weight
            sums[count + Int(label)] += weight * weight
        }
        sums = try classes.distribution.sum(sums)
        // Whole numbers say how often a row is there: those of a resample are draws.
        let areCounts = try !classes.distribution.any([
            classes.weights.contains { $0 != $0.rounded() }
        ])[0]
        if areCounts { for label in 0..<count { sums[count + label] = sums[label] } }
        var rows = (0..<count).map { sums[count + $0] > 0 ? sums[$0] * sums[$0] / sums[count + $0] : 0 }
        if let clusters {
            let last = try classes.distribution.maximum([Double(clusters.max() ?? -1)])[0]
            var occurs = [Bool](repeating: false, count: (Int(last) + 1) * count)
            for (row, label) in zip(classes.rows, classes.labels) {
                occurs[Int(clusters[Int(row)]) * count + Int(label)] = true
            }
            occurs = try classes.distribution.any(occurs)
            for label in 0..<count {
                let having = stride(from: label, to: occurs.count, by: count).count { occurs[$0] }
                rows[label] = min(rows[label], Double(having))
            }
        }
        return rows.min() ?? 0
    }

    private static let known = PenaltyChoice(
        criterion: "cross_validated_deviance", penalties: [standard], errors: [], chosen: 0)

    /// From ten times the columns, at which next to nothing is left of coefficients that are noise, down to 1: two a factor of ten, one where each
    /// fit takes long.
    static func penalties(width: Int) -> [Double] {
        let steps = width < NewtonSolver.denseLimit ? 2 : 1
        var decades = 1
        var reach = 1
        while reach < width {
            reach *= 10
            decades += 1
        }
        return (0...steps * decades).reversed().map {
            standard * Double.exp(Double($0) / Double(steps) * Double.log(10))
        }
    }
}

/// The losses of single rows held out.
private struct HeldOutLosses: Sendable {
    /// One for each row, weighted.
    let values: [Double]
    /// The cluster of each row; nil where there are none.
    let clusters: [Int32]?

    init(_ rows: ClassLabels, _ evaluation: LogisticEvaluation, clusters: [Int32]?) {
        let functions = rows.present.count == 2 ? 1 : rows.present.count
        values = rows.labels.indices.map { row in
            let label = Int(rows.labels[row])
            let share =
                functions == 1
                ? (label == 1 ? evaluation.probabilities[row] : 1 - evaluation.probabilities[row])
                : evaluation.probabilities[row * functions + label]
            return -rows.weights[row] * Double.log(max(share, Double.leastNormalMagnitude))
        }
        self.clusters = clusters.map { clusters in rows.rows.map { clusters[Int($0)] } }
    }

    /// Σ (a − b)² over the rows of all folds, or over the sums of whole clusters.
    static func squaresOfDifferences(
        _ pairs: [(HeldOutLosses, HeldOutLosses)], hasClusters: Bool, _ distribution: DistributedRows?
    ) throws(MetaLearnersError) -> Double {
        guard hasClusters else {
            let own = pairs.reduce(0) { sum, pair in
                sum + zip(pair.0.values, pair.1.values).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }
            }
            return try distribution.sum([own])[0]
        }
        let largest = pairs.reduce(-1) { max($0, Int($1.0.clusters?.max() ?? -1)) }
        var sums = [Double](
            repeating: 0, count: Int(try distribution.maximum([Double(largest)])[0]) + 1)
        for (first, second) in pairs {
            for (place, cluster) in (first.clusters ?? []).enumerated() {
                sums[Int(cluster)] += first.values[place] - second.values[place]
            }
        }
        return try distribution.sum(sums).reduce(0) { $0 + $1 * $1 }
    }
}
