import MetaLearnersCore

/// The shares of the classes among the rows to learn from, which boosting starts from.
struct ClassPrior {
    /// Each class's share of the weight.
    let shares: [Double]

    /// The mean weight of the rows.
    let meanWeight: Double

    /// Sums the weights of the rows at the positions `learned` of `rows`: exactly, and of all processes.
    ///
    /// - Throws: what the other processes of a collective fit have to say.
    init(_ task: TrainingTask, classes: Int, rows: [Int32], learned: [Int]) throws(MetaLearnersError) {
        var sums = [ExactSum](repeating: ExactSum(), count: classes)
        for position in learned {
            let row = Int(rows[position])
            sums[Int(task.target[row])].add(task.weights?[row] ?? 1)
        }
        var count = learned.count
        if let distribution = task.features.distribution {
            sums = try distribution.sum(sums)
            count = try distribution.sum(count)
        }
        let totals = sums.map(\.value)
        let total = totals.reduce(0, +)
        meanWeight = task.weights == nil ? 1 : total / Double(max(count, 1))
        shares = totals.map { total > 0 ? $0 / total : 1 / Double(classes) }
    }

    /// The score that each class starts from: log of its share, where a class that does not occur counts as one
    /// in 10⁹; of two classes the log odds of class 1 alone.
    var offsets: [Double] {
        let logs = shares.map { Double.log(max($0, 1e-9)) }
        return logs.count == 2 ? [logs[1] - logs[0]] : logs
    }

    /// What is to be told of classes that do not occur.
    var warnings: [String] {
        shares.enumerated().filter { $0.element == 0 }
            .map { "class \($0.offset) does not occur in the rows to learn from" }
    }

    /// The mean Hessian at the start: p·(1 − p), with factor 2 and averaged over the classes where there are more
    /// than two.
    var meanHessian: Double {
        let spread = shares.map { $0 * (1 - $0) }
        return shares.count == 2 ? spread[0] : 2 * spread.reduce(0, +) / Double(spread.count)
    }

    /// The labels of `rows`.
    ///
    /// - Throws: `outOfMemory`.
    static func labels<Label: FixedWidthInteger & BitwiseCopyable & Sendable>(
        _ task: TrainingTask, _ rows: [Int32]
    ) throws(MetaLearnersError) -> AlignedBuffer<Label> {
        let labels = try AlignedBuffer<Label>(uninitialized: rows.count)
        for (position, row) in rows.enumerated() { labels.start[position] = Label(task.target[Int(row)]) }
        return labels
    }

    /// The weights of `rows`, nil where all count alike.
    ///
    /// - Throws: `outOfMemory`.
    static func weights(_ task: TrainingTask, _ rows: [Int32]) throws(MetaLearnersError)
        -> AlignedBuffer<Double>?
    {
        guard let weights = task.weights else { return nil }
        let buffer = try AlignedBuffer<Double>(uninitialized: rows.count)
        for (position, row) in rows.enumerated() { buffer.start[position] = weights[Int(row)] }
        return buffer
    }

    /// The largest weight of all processes; 1 where all count alike.
    ///
    /// - Throws: what the other processes of a collective fit have to say.
    static func largestWeight(_ weights: AlignedBuffer<Double>?, _ distribution: DistributedRows?)
        throws(MetaLearnersError) -> Double
    {
        guard let weights else { return 1 }
        var largest = 0.0
        for position in 0..<weights.count { largest = max(largest, weights.start[position]) }
        return try distribution.maximum([largest])[0]
    }
}

/// Σ w·log(1 + exp(∓score)), the deviance of two classes: gradient w·(p − y), Hessian w·p·(1 − p).
struct LogisticLoss: BoostingLoss {
    let gradientMagnitude: Double
    var hessianMagnitude: Double { gradientMagnitude }
    private let offset: Double
    private let labels: AlignedBuffer<UInt8>
    private let weights: AlignedBuffer<Double>?

    var outputs: Int { 1 }

    /// Reads labels and weights of `rows`; `offset` is the score that boosting starts from.
    ///
    /// - Throws: `outOfMemory`.
    init(_ task: TrainingTask, rows: [Int32], offset: Double) throws(MetaLearnersError) {
        self.offset = offset
        labels = try ClassPrior.labels(task, rows)
        weights = try ClassPrior.weights(task, rows)
        gradientMagnitude = try ClassPrior.largestWeight(weights, task.features.distribution)
    }

    func differentiate(
        _ range: Range<Int>, _ state: RoundState, gradients: GradientGrid, hessians: GradientGrid
    ) -> Double {
        let margins = state.margins.start
        let offset = offset - state.margins.base
        let labels = labels.start
        let weights = weights?.start
        let active = state.active?.start
        let gradient = state.gradients.start
        let hessian = state.hessians.start
        for index in range {
            let weight = (weights?[index] ?? 1) * (active.map { Double($0[index]) } ?? 1)
            let share = Logistic.share(Double(margins[index]) + offset)
            gradient[index] = Float(gradients.rounded(weight * (share - Double(labels[index]))))
            hessian[index] = Float(hessians.rounded(weight * (share * (1 - share))))
        }
        return 0
    }

    func loss(of position: Int, _ margins: RoundState.MarginPointer) -> Double {
        let score = Double(margins.start[position]) - margins.base + offset
        return (weights?.start[position] ?? 1)
            * Logistic.softplus(labels.start[position] != 0 ? -score : score)
    }
}

/// −Σ w·log(p_y), the deviance of several classes: gradient w·(p_c − 1{y = c}), Hessian 2·w·p_c·(1 − p_c), XGBoost's own.
struct SoftmaxLoss: BoostingLoss {
    let outputs: Int
    let gradientMagnitude: Double
    var hessianMagnitude: Double { gradientMagnitude }
    private let offsets: [Double]
    private let labels: AlignedBuffer<Int32>
    private let weights: AlignedBuffer<Double>?

    /// Reads labels and weights of `rows`; `offsets` are the scores that boosting starts from, one per class.
    ///
    /// - Throws: `outOfMemory`.
    init(_ task: TrainingTask, rows: [Int32], offsets: [Double]) throws(MetaLearnersError) {
        outputs = offsets.count
        self.offsets = offsets
        labels = try ClassPrior.labels(task, rows)
        weights = try ClassPrior.weights(task, rows)
        gradientMagnitude = try ClassPrior.largestWeight(weights, task.features.distribution)
    }

    func differentiate(
        _ range: Range<Int>, _ state: RoundState, gradients: GradientGrid, hessians: GradientGrid
    ) -> Double {
        let gradient = state.gradients.start
        let hessian = state.hessians.start
        withUnsafeTemporaryAllocation(of: Double.self, capacity: outputs) { shares in
            for index in range {
                let weight =
                    (weights?.start[index] ?? 1) * (state.active.map { Double($0.start[index]) } ?? 1)
                fillShares(shares, index, state.margins)
                for output in 0..<outputs {
                    let share = shares[output]
                    let target = Int(labels.start[index]) == output ? 1.0 : 0
                    let cell = index * outputs + output
                    gradient[cell] = Float(gradients.rounded(weight * (share - target)))
                    hessian[cell] = Float(hessians.rounded(weight * (2 * share * (1 - share))))
                }
            }
        }
        return 0
    }

    func loss(of position: Int, _ margins: RoundState.MarginPointer) -> Double {
        withUnsafeTemporaryAllocation(of: Double.self, capacity: outputs) { shares in
            fillShares(shares, position, margins)
            let share = shares[Int(labels.start[position])]
            return -(weights?.start[position] ?? 1) * Double.log(max(share, .leastNormalMagnitude))
        }
    }

    private func fillShares(
        _ shares: UnsafeMutableBufferPointer<Double>, _ index: Int, _ margins: RoundState.MarginPointer
    ) {
        guard let start = shares.baseAddress else { return }
        for output in 0..<outputs {
            start[output] =
                Double(margins.start[index * outputs + output]) - margins.base + offsets[output]
        }
        Softmax.replace(start, count: outputs)
    }
}
