import MetaLearnersCore

/// What a forest learns from: the rows of a task or, where several processes hold the rows, those of all of them.
///
/// The trees of a forest do not depend on each other, so that processes divide the trees among themselves and not the rows: each
/// knows all rows, in the order in which one process would have them, and draws, splits and adds up as that one would.
struct ForestRows: Sendable {
    /// How many rows there are, those that are not learned from among them.
    let rowCount: Int
    /// The rows to learn from, ascending; rows of weight 0 are none of them.
    let rows: [Int32]
    /// The target of every row; of other rows than `rows` it is not looked at, and neither are regressors, weights and clusters.
    let numbers: RowNumbers
    /// What to predict, with the regressor of every row.
    let objective: TrainingTask.Objective
    /// The weight of every row; nil where all count alike.
    let weights: [Double]?
    /// The cluster of every row; nil where rows are independent.
    let clusters: [Int32]?

    /// The regressor of every row, nil where the objective has none.
    var regressor: [Double]? { if case .residual(let regressor) = objective { regressor } else { nil } }

    /// The rows of this process alone.
    init(own task: TrainingTask) {
        rowCount = task.features.rowCount
        rows = task.weights.map { weights in task.rows.filter { weights[Int($0)] > 0 } } ?? task.rows
        numbers = task.numbers
        objective = task.objective
        weights = task.weights
        clusters = task.clusters
    }

    /// The rows of all processes that hold rows of the task; those of the task where there are no others.
    ///
    /// - Throws: `outOfMemory`; `invalidData` where no process has a row to learn from; what the other processes have to say.
    /// - Complexity: O(rows of all processes), of which each sends 5 to 32 bytes a row that it holds.
    init(_ task: TrainingTask) throws(MetaLearnersError) {
        let own = ForestRows(own: task)
        guard let distribution = task.features.distribution else {
            self = own
            return
        }
        self = try ForestRows(own, of: distribution)
    }

    private init(_ own: ForestRows, of distribution: DistributedRows) throws(MetaLearnersError) {
        let counts = try distribution.counts(own.rows.count)
        guard counts.contains(where: { $0 > 0 }) else {
            throw MetaLearnersError(.invalidData, "there are no rows to learn from in any process")
        }
        let first = Int32(distribution.firstRow)
        let all = try distribution.gather(own.rows.map { $0 + first }, counts: counts)
        let total = distribution.rowCount
        /// A number of every row that is learned from, at its place among all rows.
        func spread<Number: BitwiseCopyable>(_ zero: Number, _ number: (Int) -> Number)
            throws(MetaLearnersError) -> [Number]
        {
            let gathered = try distribution.gather(own.rows.map { number(Int($0)) }, counts: counts)
            try AvailableMemory.require(
                total, of: MemoryLayout<Number>.stride, for: "what a forest learns from all processes")
            var numbers = [Number](repeating: zero, count: total)
            for place in 0..<all.count { numbers[Int(all.start[place])] = gathered.start[place] }
            return numbers
        }
        rowCount = total
        if case .classification = own.objective {
            numbers = RowNumbers(RowCodes(try spread(UInt8(0)) { UInt8(own.numbers[$0]) }))
        } else {
            numbers = RowNumbers(try spread(0.0) { own.numbers[$0] })
        }
        if let regressor = own.regressor {
            objective = .residual(regressor: try spread(0.0) { regressor[$0] })
        } else {
            objective = own.objective
        }
        if let weights = own.weights { self.weights = try spread(0.0) { weights[$0] } } else { weights = nil }
        if let clusters = own.clusters {
            self.clusters = try spread(Int32(0)) { clusters[$0] }
        } else {
            clusters = nil
        }
        rows = Array(UnsafeBufferPointer(start: all.start, count: all.count))
    }

    /// Checks what can be checked before processes tell each other anything.
    ///
    /// - Throws: `unsupported` for objectives that forests do not have, too many classes, and more rows in all processes together
    ///   than row numbers of 32 bits tell apart.
    static func require(_ task: TrainingTask) throws(MetaLearnersError) {
        switch task.objective {
        case .regression, .residual: break
        case .classification(let classes):
            guard classes <= ForestTarget.maximumClasses else {
                throw MetaLearnersError(
                    .unsupported,
                    "there are \(classes) classes; forests take at most \(ForestTarget.maximumClasses)",
                    remedy: "use the backend 'trees'")
            }
        case .coefficient, .multiResidual, .multiRegression, .count, .quantile:
            throw task.unsupportedObjective(by: ForestEstimator.backend)
        }
        guard let distribution = task.features.distribution, distribution.rowCount > Int(Int32.max) else {
            return
        }
        throw MetaLearnersError(
            .unsupported, at: "rows",
            "there are \(distribution.rowCount) rows in all processes; a forest takes at most 2147483647",
            remedy: "use the backend 'trees', or fit to a sample of the rows")
    }

    /// The memory, in bytes, that the rows of so many in all processes take beside the data of this one, at most.
    static func gatheredBytes(rows: Int, hasRegressor: Bool) -> Int {
        // Row numbers, twice; target, weight and cluster; one of these as it comes.
        rows * (8 + 8 + 8 + 4 + 8 + (hasRegressor ? 8 : 0))
    }
}
