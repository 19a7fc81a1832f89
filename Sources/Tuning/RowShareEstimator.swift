import MetaLearnersCore

/// An estimator that learns from a share of the rows that it is given: what successive halving spares.
///
/// Which rows is decided by the row (or its cluster) alone, so that those of a smaller share are among those of a larger one;
/// of each class of a classification it is the same share, and one row at least.
struct RowShareEstimator<Wrapped: BaseEstimator>: BaseEstimator {
    static var backend: BackendDescription { Wrapped.backend }
    var backend: BackendDescription { wrapped.backend }
    var spec: Wrapped.Spec { wrapped.spec }

    private let wrapped: Wrapped
    private let share: Double
    private let seed: UInt64

    init(_ spec: Wrapped.Spec) throws(MetaLearnersError) {
        self.init(try Wrapped(spec), share: 1, seed: 0)
    }

    init(_ wrapped: Wrapped, share: Double, seed: UInt64) {
        self.wrapped = wrapped
        self.share = share
        self.seed = seed
    }

    func fit(_ task: TrainingTask, _ context: ExecutionContext) throws(MetaLearnersError)
        -> any FittedEstimator
    {
        try wrapped.fit(task.restricted(to: chosen(task), seed: task.seed), context)
    }

    private func chosen(_ task: TrainingTask) -> [Int32] {
        var strata: [Int: [Int32]] = [:]
        for row in task.rows {
            var stratum = 0
            if case .classification = task.objective { stratum = Int(task.target[Int(row)]) }
            strata[stratum, default: []].append(row)
        }
        var rows: [Int32] = []
        for stratum in strata.values {
            let places = stratum.map { row in
                let unit = task.clusters?[Int(row)] ?? row
                return (place: RandomStream.derivedSeed(seed, UInt64(UInt32(bitPattern: unit))), row: row)
            }.sorted { ($0.place, $0.row) < ($1.place, $1.row) }
            let count = max(1, Int((share * Double(stratum.count)).rounded()))
            rows += places.prefix(count).map(\.row)
        }
        rows.sort()
        return rows
    }

    func footprint(rows: Int, of features: Table, for objective: TrainingTask.Objective) -> Footprint {
        wrapped.footprint(rows: max(1, Int(share * Double(rows))), of: features, for: objective)
    }

    static func decode(from reader: inout BinaryReader) throws(MetaLearnersError) -> any FittedEstimator {
        try Wrapped.decode(from: &reader)
    }
}

extension RowShareEstimator: StagedEstimator where Wrapped: StagedEstimator {
    func fitPath(_ task: TrainingTask, _ context: ExecutionContext) throws(MetaLearnersError)
        -> any StagedModel
    {
        try wrapped.fitPath(task.restricted(to: chosen(task), seed: task.seed), context)
    }
}

extension RowShareEstimator: StageChoosingEstimator where Wrapped: StageChoosingEstimator {
    var choosesStages: Bool { wrapped.choosesStages }

    func fitPath(_ task: TrainingTask, judgedBy judges: [Int32], _ context: ExecutionContext)
        throws(MetaLearnersError) -> JudgedPath
    {
        try wrapped.fitPath(
            task.restricted(to: chosen(task), seed: task.seed), judgedBy: judges, context)
    }

    func fit(_ task: TrainingTask, stages: Int, _ context: ExecutionContext) throws(MetaLearnersError)
        -> any StagedModel
    {
        try wrapped.fit(
            task.restricted(to: chosen(task), seed: task.seed), stages: stages, context)
    }
}

extension EstimatorRegistry {
    /// The same backends, each on a share of the rows.
    func sharing(_ share: Double, seed: UInt64) -> EstimatorRegistry {
        changingEstimators { estimator in
            // (The members of a stack are such already.)
            if estimator is StackEstimator { return estimator }
            func open<Wrapped: BaseEstimator>(_ estimator: Wrapped) -> any BaseEstimator {
                RowShareEstimator(estimator, share: share, seed: seed)
            }
            return open(estimator)
        }
    }
}
