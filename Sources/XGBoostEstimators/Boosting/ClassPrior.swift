import MetaLearnersCore

/// The shares of the classes among the rows to learn from, which boosting starts from.
struct ClassPrior {
    /// Each class's share of the weight.
    let shares: [Double]

    /// Sums the weights of the rows at the positions `learned` of `rows`.
    init(_ task: TrainingTask, classes: Int, rows: [Int32], learned: [Int]) {
        var totals = [Double](repeating: 0, count: classes)
        for position in learned {
            let row = Int(rows[position])
            totals[Int(task.target[row])] += task.weights?[row] ?? 1
        }
        let total = totals.reduce(0, +)
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

    /// The largest weight; 1 where all count alike.
    static func largestWeight(_ weights: AlignedBuffer<Double>?) -> Double {
        guard let weights else { return 1 }
        var largest = 0.0
        for position in 0..<weights.count { largest = max(largest, weights.start[position]) }
        return largest
    }
}
