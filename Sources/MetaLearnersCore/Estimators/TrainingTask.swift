/// What a base estimator is fitted to: features, the rows to use, and what to predict from them.
///
/// Targets and weights are as long as the features and are read at `rows` only, so that folds, arms and roles
/// share them without copying.
public struct TrainingTask: Sendable {
    /// The features; columns count by position.
    public let features: Table
    private let chosenRows: Rows
    /// The target of every row of the features, in as many bytes as it is kept in.
    package let numbers: RowNumbers
    /// The weight of every row of the features; nil where all count alike.
    ///
    /// They are taken as they are: to penalties, least leaf sizes and stopping rules a row of weight 1 is one row. The
    /// weights of a `CausalDataset` have mean 1; whoever makes tasks of other weights divides them by their mean first,
    /// unless their sum is meant to say how many rows there are.
    public let weights: [Double]?
    /// The cluster of every row of the features, for held-out shares; nil where rows are independent.
    public let clusters: [Int32]?
    /// What to predict.
    public let objective: Objective
    /// The seed of whatever is drawn at random.
    public let seed: UInt64
    /// What may be kept between fits on the same features.
    public let cache: FeatureCache
    /// Whether effects are learned: they vary less than outcomes and treatments, so that a base learner that chooses the size of its
    /// models by the rows takes smaller ones.
    public let isOfEffect: Bool

    /// The rows of a task.
    private enum Rows: Sendable {
        case listed([Int32])
        /// So many rows, listed anew for everybody who asks.
        case found(count: Int, @Sendable () -> [Int32])
    }

    /// The rows to learn from, ascending, each once.
    ///
    /// - Complexity: O(1) in a task that an estimator is fitted to.
    public var rows: [Int32] {
        switch chosenRows {
        case .listed(let rows): rows
        case .found(_, let list): list()
        }
    }

    /// How many rows there are to learn from.
    public var rowCount: Int {
        switch chosenRows {
        case .listed(let rows): rows.count
        case .found(let count, _): count
        }
    }

    /// The target of every row of the features.
    ///
    /// - Complexity: O(1); O(rows) where it is kept in fewer bytes, which is so for estimators alone that take rows which were read
    ///   batch by batch (`Capabilities.streamed`).
    public var target: [Double] { numbers.doubles }

    /// Creates a task.
    ///
    /// - Throws: as `init(features:rows:numbers:weights:clusters:objective:seed:cache:isOfEffect:)`.
    public init(
        features: Table, rows: [Int32], target: [Double], weights: [Double]? = nil,
        clusters: [Int32]? = nil, objective: Objective = .regression,
        seed: UInt64 = 0, cache: FeatureCache? = nil, isOfEffect: Bool = false
    ) throws(MetaLearnersError) {
        try self.init(
            features: features, rows: rows, numbers: RowNumbers(target), weights: weights, clusters: clusters,
            objective: objective, seed: seed, cache: cache, isOfEffect: isOfEffect)
    }

    /// Creates a task.
    ///
    /// - Throws: `invalidArgument` for arrays of the wrong length, rows out of range or not ascending, or what no
    ///   objective can have; `invalidData` for no rows, targets that are not finite or not what the objective needs, and
    ///   weights that are negative, not finite or all 0.
    package init(
        features: Table, rows: [Int32], numbers target: RowNumbers, weights: [Double]? = nil,
        clusters: [Int32]? = nil, objective: Objective = .regression,
        seed: UInt64 = 0, cache: FeatureCache? = nil, isOfEffect: Bool = false
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
        // Of rows that several processes hold this one may have none.
        let isPart = features.distribution != nil
        guard isPart || !rows.isEmpty else {
            throw MetaLearnersError(.invalidData, "there are no rows to learn from")
        }
        try Self.requireAscending(rows, below: count)
        for row in rows where !target[Int(row)].isFinite {
            throw MetaLearnersError(
                .invalidData, at: "target", "\(features.places.name(Int(row))) has \(target[Int(row)])")
        }
        try objective.check(target, rows: rows, features.places)
        if let weights {
            var total = 0.0
            for row in rows {
                let weight = weights[Int(row)]
                guard weight.isFinite, weight >= 0 else {
                    throw MetaLearnersError(
                        .invalidData, at: "weight", "\(features.places.name(Int(row))) has \(weight)")
                }
                total += weight
            }
            guard isPart || total > 0 else {
                throw MetaLearnersError(.invalidData, at: "weight", "every weight is 0")
            }
        }
        self.features = features
        chosenRows = .listed(rows)
        numbers = target
        self.weights = weights
        self.clusters = clusters
        self.objective = objective
        self.seed = seed
        self.cache = cache ?? FeatureCache(rowWeights: weights)
        self.isOfEffect = isOfEffect
    }

    /// How many numbers a prediction for one row has.
    public var outputCount: Int { objective.outputCount }

    /// Checks that `rows` are ascending, each once, within 0..<`count`.
    private static func requireAscending(_ rows: [Int32], below count: Int) throws(MetaLearnersError) {
        var previous: Int32 = -1
        for row in rows {
            guard row > previous, row < count else {
                throw MetaLearnersError(
                    .invalidArgument, at: "rows", "must be ascending, each once, below \(count)")
            }
            previous = row
        }
    }

    /// The same task on some of its rows, with a seed of its own.
    ///
    /// - Throws: `invalidData` where no row is left, or none has a weight.
    public func restricted(to rows: [Int32], seed: UInt64) throws(MetaLearnersError) -> TrainingTask {
        guard features.distribution == nil else { return TrainingTask(self, rows: .listed(rows), seed: seed) }
        guard !rows.isEmpty else { throw MetaLearnersError(.invalidData, "there are no rows to learn from") }
        if let weights, !rows.contains(where: { weights[Int($0)] > 0 }) {
            throw MetaLearnersError(.invalidData, at: "weight", "every weight is 0")
        }
        return TrainingTask(self, rows: .listed(rows), seed: seed)
    }

    /// The same, whose rows are listed anew for everybody who asks for them: for a task of which parts are fitted to one after
    /// another (`restricted(to:seed:)`), so that nobody keeps the list meanwhile.
    ///
    /// - Parameter list: lists the rows of the task, the same ones each time.
    package func listingRows(by list: @escaping @Sendable () -> [Int32]) -> TrainingTask {
        TrainingTask(self, rows: .found(count: rowCount, list), seed: seed)
    }

    private init(_ task: TrainingTask, rows: Rows, seed: UInt64) {
        features = task.features
        chosenRows = rows
        numbers = task.numbers
        weights = task.weights
        clusters = task.clusters
        objective = task.objective
        self.seed = seed
        cache = task.cache
        isOfEffect = task.isOfEffect
    }
}
