import MetaLearnersCore

/// The design matrix of all rows of a table: encoded, standardised, made once and shared by as many path problems as
/// there are.
///
/// Numbers are clipped to the range of the rows learnt from wherever there is an expansion. A matrix of more than
/// `keptLimit` numbers is not kept, but made block by block whenever it is read.
///
/// The feature maps of Harrell's restricted cubic splines are subsets of the columns of the largest: make one matrix
/// with `.splinesInteractions` and name `columns(.none)`, `columns(.splines)` or all of them.
package struct DesignMatrix: Sendable {
    /// The most levels of a category that have a column each: paths take time that grows with the third power of the
    /// columns. The rarer ones share a column, and all levels have scores beside that.
    static let levelLimit = 64
    /// The most numbers that are kept: 512 MiB.
    static let keptLimit = 1 << 26

    let encoder: DesignEncoder
    private let features: Table
    /// For each of the encoder's scores of levels, that of every row by the other folds.
    private let scores: [[Double]]
    /// All numbers by columns; nil where they are too many.
    private let values: DoubleBuffer?

    /// How many rows there are.
    package var rowCount: Int { features.rowCount }
    /// What joins the processes that hold the rows; nil where there are no others.
    var distribution: DistributedRows? { features.distribution }
    /// How many columns there are.
    package var width: Int { encoder.width }

    /// Learns the encoding of `features` and applies it to every row.
    ///
    /// - Parameters:
    ///   - rows: those to learn means, deviations, knots and ranges from; nil for all.
    ///   - weights: one for each row of the features; nil where all count alike.
    ///   - expansion: the largest feature map that is wanted.
    ///   - scoring: what the levels of a category are scored by where it has more than `levelLimit`; nil for no scores.
    /// - Throws: `unsupported` for too many columns, `invalidData` for an infinite value or no row with a weight,
    ///   `numericalFailure` where moments overflow, `outOfMemory`, `cancelled`.
    /// - Complexity: O(rows × columns), with interactions of L columns O(rows × L²).
    package init(
        _ features: Table, rows: [Int32]? = nil, weights: [Double]? = nil, expansion: FeatureExpansion,
        scoring: LevelScoring? = nil, _ context: ExecutionContext
    ) throws(MetaLearnersError) {
        try self.init(
            features, rows: rows, weights: weights, expansion: expansion, scoring: scoring,
            keptLimit: Self.keptLimit, context)
    }

    /// The same, keeping no more than `keptLimit` numbers.
    init(
        _ features: Table, rows: [Int32]?, weights: [Double]?, expansion: FeatureExpansion,
        scoring: LevelScoring? = nil, keptLimit: Int, _ context: ExecutionContext
    ) throws(MetaLearnersError) {
        let known = (rows ?? (0..<features.rowCount).map { Int32($0) }).filter { weights?[Int($0)] ?? 1 > 0 }
        guard try features.distribution.any([!known.isEmpty])[0] else {
            throw MetaLearnersError(.invalidData, "there are no rows to learn from")
        }
        let knownWeights = known.map { weights?[Int($0)] ?? 1 }
        let fitted = try LevelScores.fit(
            features, rows: known, weights: knownWeights, scoring, limit: Self.levelLimit)
        try self.init(
            features,
            try DesignEncoder(
                features, rows: known, weights: knownWeights, againstReference: false,
                expansion: expansion, levelLimit: Self.levelLimit, scores: fitted, context),
            fitted.ofRows, keptLimit, context)
    }

    private init(
        _ features: Table, _ encoder: DesignEncoder, _ scores: [[Double]], _ keptLimit: Int,
        _ context: ExecutionContext
    ) throws(MetaLearnersError) {
        self.features = features
        self.scores = scores
        self.encoder = encoder
        let (size, overflow) = features.rowCount.multipliedReportingOverflow(by: max(encoder.width, 1))
        guard !overflow, size <= keptLimit else {
            values = nil
            return
        }
        let store = try DoubleBuffer(size)
        let step = DesignBlocks.rowsPerBlock
        let count = features.rowCount
        // Each block writes to its own rows only.
        nonisolated(unsafe) let target = store.start
        context.concurrently((count + step - 1) / step) { block in
            let range = block * step..<min((block + 1) * step, count)
            let rows = range.map { Int32(clamping: $0) }
            withUnsafeTemporaryAllocation(of: Double.self, capacity: range.count) { scratch in
                rows.withUnsafeBufferPointer {
                    encoder.fill(
                        features, rows: $0, to: target + range.lowerBound, stride: count, scratch: scratch,
                        scores: scores)
                }
            }
        }
        try context.checkCancellation()
        values = store
    }

    /// The columns of a feature map, ascending: standardised numbers and indicators alone (`none`), these and the curves
    /// (`splines`), or all there are.
    package func columns(_ map: FeatureExpansion) -> [Int] {
        switch map {
        case .none: encoder.linearColumns.map(\.column)
        case .splines: Array(0..<encoder.baseWidth)
        case .splinesInteractions: Array(0..<encoder.width)
        }
    }

    /// Calls `body` with columns of some rows: a pointer to the first number of a column, whose rows are either all rows
    /// of the table (then the place of a row is its own) or those asked for (then 0, 1, …).
    func withColumns(
        _ rows: UnsafeBufferPointer<Int32>, scratch: UnsafeMutableBufferPointer<Double>,
        _ body: (_ start: UnsafePointer<Double>, _ stride: Int, _ gathered: Bool) -> Void
    ) {
        if let values {
            body(UnsafePointer(values.start), rowCount, false)
            return
        }
        withUnsafeTemporaryAllocation(of: Double.self, capacity: max(width * rows.count, 1)) { block in
            guard let start = block.baseAddress else { return }
            encoder.fill(
                features, rows: rows, to: start, stride: rows.count, scratch: scratch, scores: scores)
            body(UnsafePointer(start), rows.count, true)
        }
    }
}
