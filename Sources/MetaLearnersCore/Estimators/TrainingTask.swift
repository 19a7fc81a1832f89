/// What a base estimator is fitted to: features, the rows to use, and what to predict from them.
///
/// Targets and weights are as long as the features and are read at `rows` only, so that folds, arms and roles
/// share them without copying.
public struct TrainingTask: Sendable {
    /// What the estimator has to predict.
    public enum Objective: Sendable {
        /// E[target | X], by squared error.
        case regression
        /// P(target = c | X) for each of so many classes; targets are 0, 1, ….
        case classification(classes: Int)
        /// The function τ(X) that minimises Σ weight·(target − regressor·τ(X))², the R-learner's loss
        /// (Nie & Wager 2021, arXiv 1712.04912). The regressor is as long as the target.
        case residual(regressor: [Double])
    }

    /// The features; columns count by position.
    public let features: Table
    /// The rows to learn from, ascending, each once.
    public let rows: [Int32]
    /// The target of every row of the features.
    public let target: [Double]
    /// The weight of every row of the features; nil where all count alike.
    public let weights: [Double]?
    /// The cluster of every row of the features, for held-out shares; nil where rows are independent.
    public let clusters: [Int32]?
    /// What to predict.
    public let objective: Objective
    /// The seed of whatever is drawn at random.
    public let seed: UInt64
    /// What may be kept between fits on the same features.
    public let cache: FeatureCache

    /// Creates a task.
    ///
    /// - Throws: `invalidArgument` for arrays of the wrong length, rows out of range or not ascending, no rows, or
    ///   classes fewer than two; `invalidData` for targets or regressors that are not finite.
    public init(
        features: Table, rows: [Int32], target: [Double], weights: [Double]? = nil, clusters: [Int32]? = nil,
        objective: Objective = .regression, seed: UInt64 = 0, cache: FeatureCache = FeatureCache()
    ) throws(MetaLearnersError) {
        let count = features.rowCount
        func requireLength(_ length: Int, _ name: String) throws(MetaLearnersError) {
            guard length == count else {
                throw MetaLearnersError(
                    .invalidArgument, at: name, "has \(length) values for \(count) rows of features")
            }
        }
        try requireLength(target.count, "target")
        if let weights { try requireLength(weights.count, "weights") }
        if let clusters { try requireLength(clusters.count, "clusters") }
        guard !rows.isEmpty else { throw MetaLearnersError(.invalidData, "there are no rows to learn from") }
        var previous: Int32 = -1
        for row in rows {
            guard row > previous, row < count else {
                throw MetaLearnersError(
                    .invalidArgument, at: "rows", "must be ascending, each once, below \(count)")
            }
            previous = row
        }
        for row in rows where !target[Int(row)].isFinite {
            throw MetaLearnersError(.invalidData, at: "target", "row \(row + 1) has \(target[Int(row)])")
        }
        switch objective {
        case .regression: break
        case .classification(let classes):
            guard classes >= 2 else {
                throw MetaLearnersError(.invalidArgument, at: "classes", "must be at least 2")
            }
            for row in rows {
                let label = target[Int(row)]
                guard label >= 0, label < Double(classes), label == label.rounded() else {
                    throw MetaLearnersError(
                        .invalidData, at: "target", "row \(row + 1) has \(label), of \(classes) classes")
                }
            }
        case .residual(let regressor):
            try requireLength(regressor.count, "regressor")
            for row in rows where !regressor[Int(row)].isFinite {
                throw MetaLearnersError(
                    .invalidData, at: "regressor", "row \(row + 1) has \(regressor[Int(row)])")
            }
        }
        if let weights {
            var total = 0.0
            for row in rows {
                let weight = weights[Int(row)]
                guard weight.isFinite, weight >= 0 else {
                    throw MetaLearnersError(.invalidData, at: "weight", "row \(row + 1) has \(weight)")
                }
                total += weight
            }
            guard total > 0 else {
                throw MetaLearnersError(.invalidData, at: "weight", "every weight is 0")
            }
        }
        self.features = features
        self.rows = rows
        self.target = target
        self.weights = weights
        self.clusters = clusters
        self.objective = objective
        self.seed = seed
        self.cache = cache
    }

    /// How many numbers a prediction for one row has: the classes of a classification, else 1.
    public var outputCount: Int {
        if case .classification(let classes) = objective { classes } else { 1 }
    }

    /// The same task on some of its rows, with a seed of its own.
    ///
    /// - Throws: `invalidData` where no row is left, or none has a weight.
    public func restricted(to rows: [Int32], seed: UInt64) throws(MetaLearnersError) -> TrainingTask {
        guard !rows.isEmpty else { throw MetaLearnersError(.invalidData, "there are no rows to learn from") }
        if let weights, !rows.contains(where: { weights[Int($0)] > 0 }) {
            throw MetaLearnersError(.invalidData, at: "weight", "every weight is 0")
        }
        return TrainingTask(self, rows: rows, seed: seed)
    }

    private init(_ task: TrainingTask, rows: [Int32], seed: UInt64) {
        features = task.features
        self.rows = rows
        target = task.target
        weights = task.weights
        clusters = task.clusters
        objective = task.objective
        self.seed = seed
        cache = task.cache
    }
}
