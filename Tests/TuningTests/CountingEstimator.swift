import MetaLearners
import MetaLearnersCore
import MetaLearnersKit
import _TestSupport

/// Counts the fits of every base learner by what they are fitted to, and changes nothing about them.
struct FitCounts: Sendable {
    /// Classifications, regressions, residual losses.
    let propensities = Counter()
    let outcomes = Counter()
    let effects = Counter()

    func add(_ objective: TrainingTask.Objective) {
        switch objective {
        case .classification: propensities.add(1)
        case .residual, .multiResidual: effects.add(1)
        default: outcomes.add(1)
        }
    }

    /// The registry of everything built in, with its fits counted.
    ///
    /// - Parameter hidesStages: whether no base learner says that it passes through stages.
    func registry(hidesStages: Bool = false) throws -> Registry {
        try Registry.default.changingEstimators { estimators in
            estimators.changingEstimators { estimator in
                if !hidesStages, let staged = estimator as? any StagedEstimator {
                    return openStaged(staged)
                }
                return open(estimator)
            }
        }
    }

    private func open<Wrapped: BaseEstimator>(_ wrapped: Wrapped) -> any BaseEstimator {
        Counting(wrapped: wrapped, counts: self)
    }

    private func openStaged<Wrapped: StagedEstimator>(_ wrapped: Wrapped) -> any BaseEstimator {
        CountingStages(wrapped: wrapped, counts: self)
    }
}

private struct Counting<Wrapped: BaseEstimator>: BaseEstimator {
    static var backend: BackendDescription { Wrapped.backend }
    var backend: BackendDescription { wrapped.backend }
    var spec: Wrapped.Spec { wrapped.spec }
    let wrapped: Wrapped
    let counts: FitCounts

    init(wrapped: Wrapped, counts: FitCounts) {
        self.wrapped = wrapped
        self.counts = counts
    }

    init(_ spec: Wrapped.Spec) throws(MetaLearnersError) {
        self.init(wrapped: try Wrapped(spec), counts: FitCounts())
    }

    func fit(_ task: TrainingTask, _ context: ExecutionContext) throws(MetaLearnersError)
        -> any FittedEstimator
    {
        counts.add(task.objective)
        return try wrapped.fit(task, context)
    }

    func footprint(rows: Int, of features: Table, for objective: TrainingTask.Objective) -> Footprint {
        wrapped.footprint(rows: rows, of: features, for: objective)
    }

    static func decode(from reader: inout BinaryReader) throws(MetaLearnersError) -> any FittedEstimator {
        try Wrapped.decode(from: &reader)
    }
}

private struct CountingStages<Wrapped: StagedEstimator>: StagedEstimator {
    static var backend: BackendDescription { Wrapped.backend }
    static var stageParameter: String? { Wrapped.stageParameter }
    var fitsWholePath: Bool { wrapped.fitsWholePath }
    var spec: Wrapped.Spec { wrapped.spec }
    let wrapped: Wrapped
    let counts: FitCounts

    init(wrapped: Wrapped, counts: FitCounts) {
        self.wrapped = wrapped
        self.counts = counts
    }

    init(_ spec: Wrapped.Spec) throws(MetaLearnersError) {
        self.init(wrapped: try Wrapped(spec), counts: FitCounts())
    }

    func fit(_ task: TrainingTask, _ context: ExecutionContext) throws(MetaLearnersError)
        -> any FittedEstimator
    {
        counts.add(task.objective)
        return try wrapped.fit(task, context)
    }

    func fitPath(_ task: TrainingTask, _ context: ExecutionContext) throws(MetaLearnersError)
        -> any StagedModel
    {
        counts.add(task.objective)
        return try wrapped.fitPath(task, context)
    }

    static func decode(from reader: inout BinaryReader) throws(MetaLearnersError) -> any FittedEstimator {
        try Wrapped.decode(from: &reader)
    }
}
