/// A base learner: an algorithm with its configuration, ready to be fitted to any task that it is capable of.
///
/// A backend is one conforming type. Values are immutable; `fit` may be called from several threads at once.
public protocol BaseEstimator: Sendable {
    /// The configuration.
    associatedtype Spec: BaseEstimatorSpec

    /// The backend's name, version and capabilities.
    static var backend: BackendDescription { get }

    /// The backend of this estimator: the type's own, but for types that stand for several backends.
    var backend: BackendDescription { get }

    /// The checked configuration.
    var spec: Spec { get }

    /// Creates the estimator.
    ///
    /// - Throws: `invalidSpec` for a value out of range.
    init(_ spec: Spec) throws(MetaLearnersError)

    /// Learns from the rows of `task`.
    ///
    /// The result depends on the task and the spec alone, to the bit: never on the number of threads.
    ///
    /// - Throws: `cancelled`, `numericalFailure`, `unsupported`.
    func fit(_ task: TrainingTask, _ context: ExecutionContext) throws(MetaLearnersError)
        -> any FittedEstimator

    /// Checks, before anything is fitted, that a task whose rows several processes hold can be fitted: asked where the backend
    /// has the capability `collective`.
    ///
    /// - Throws: `unsupported`, naming the parameter.
    func requireCollective(_ objective: TrainingTask.Objective) throws(MetaLearnersError)

    /// Checks, before anything is fitted, that the estimator can learn from covariates that exist as codes alone: asked where the
    /// backend has the capability `streamed`.
    ///
    /// - Throws: `unsupported`, naming the parameter.
    func requireStreamed(_ features: Table) throws(MetaLearnersError)

    /// The memory that a fit takes beside the data, about: what the execution's memory limit is held against.
    ///
    /// It is told before anything is read, so that it counts on weights, and on as many different values as there may be.
    ///
    /// - Parameters:
    ///   - rows: how many rows are fitted to.
    ///   - features: the features, of all rows.
    ///   - objective: what to predict; the numbers in it are not looked at, and there may be none.
    func footprint(rows: Int, of features: Table, for objective: TrainingTask.Objective) -> Footprint

    /// Reads a fitted estimator that `FittedEstimator.encode` wrote.
    ///
    /// - Throws: `corruptModel`.
    static func decode(from reader: inout BinaryReader) throws(MetaLearnersError) -> any FittedEstimator
}

/// How much memory a fit takes, in bytes.
public struct Footprint: Sendable, Equatable {
    /// What all fits on the same features share, such as bins.
    public let shared: Int
    /// What one fit takes by itself while it runs.
    public let working: Int

    /// Creates a footprint.
    public init(shared: Int, working: Int) {
        self.shared = shared
        self.working = working
    }
}

extension BaseEstimator {
    public var backend: BackendDescription { Self.backend }

    public func requireCollective(_ objective: TrainingTask.Objective) throws(MetaLearnersError) {}

    public func requireStreamed(_ features: Table) throws(MetaLearnersError) {}

    /// A matrix of the rows in double precision, one of the columns' products, and some numbers per row.
    public func footprint(rows: Int, of features: Table, for objective: TrainingTask.Objective) -> Footprint {
        let columns = features.columns.count + 1
        return Footprint(
            shared: 0,
            working: rows * (8 * columns + 64 + 16 * objective.outputCount) + 16 * columns * columns)
    }
}

/// The configuration of a base learner. Its decision alone: how it is run is no part of it.
public protocol BaseEstimatorSpec: ParameterizedSpec {}

/// What a base learner became by being fitted.
public protocol FittedEstimator: Sendable {
    /// The name of the backend that fitted it.
    var backendName: String { get }

    /// How many numbers a prediction for one row has.
    var outputCount: Int { get }

    /// Things worth telling the user, such as that an iteration did not converge.
    var warnings: [String] { get }

    /// What is worth knowing of the fit, such as the penalty that cross-validation chose; empty where there is nothing.
    var summary: SpecObject { get }

    /// Predicts the named rows.
    ///
    /// - Parameters:
    ///   - features: columns by position, of the kinds trained on.
    ///   - rows: which rows, nil for all.
    ///   - context: threads to use, and whether to stop.
    /// - Returns: `outputCount` numbers for each row, one row after another.
    func predict(_ features: Table, rows: [Int32]?, _ context: ExecutionContext) throws(MetaLearnersError)
        -> [Double]

    /// Writes all that prediction needs.
    func encode(to writer: inout BinaryWriter)
}

extension FittedEstimator {
    public var warnings: [String] { [] }
    public var summary: SpecObject { SpecObject() }

    /// Checks that `features` can be predicted: a column count of `count`.
    public func requireColumns(_ count: Int, in features: Table) throws(MetaLearnersError) {
        guard features.columns.count == count else {
            throw MetaLearnersError(
                .invalidArgument, at: "features",
                "there are \(features.columns.count) columns; the model was trained on \(count)")
        }
    }
}
