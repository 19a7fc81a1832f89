import MetaLearnersCore

/// The checks that every backend passes, one call each:
///
///     @Test("Ridge conforms", arguments: ConformanceCheck.allCases)
///     func ridgeConforms(check: ConformanceCheck) throws {
///         #expect(try EstimatorConformance<RidgeEstimator>().violations(of: check) == [])
///     }
public struct EstimatorConformance<Estimator: BaseEstimator>: Sendable {
    let estimator: Estimator
    let options: ConformanceOptions
    /// Reads what the estimator's models encode.
    let decode: @Sendable (inout BinaryReader) throws(MetaLearnersError) -> any FittedEstimator

    /// Prepares the checks.
    ///
    /// - Parameters:
    ///   - spec: the configuration to check with; small, as debug builds are slow.
    ///   - options: what the backend is excused from.
    public init(_ spec: Estimator.Spec = Estimator.Spec(), _ options: ConformanceOptions = [])
        throws(MetaLearnersError)
    {
        self.init(try Estimator(spec), options) { reader throws(MetaLearnersError) in
            try Estimator.decode(from: &reader)
        }
    }

    /// Prepares the checks of a backend that is known at run time only.
    ///
    /// - Parameters:
    ///   - estimator: what to check.
    ///   - options: what the backend is excused from.
    ///   - decode: reads what its models encode.
    public init(
        _ estimator: Estimator, _ options: ConformanceOptions = [],
        decode: @escaping @Sendable (inout BinaryReader) throws(MetaLearnersError) -> any FittedEstimator
    ) {
        self.estimator = estimator
        self.options = options
        self.decode = decode
    }

    /// What breaks the contract of `BaseEstimator`, a sentence each; empty where all is well.
    ///
    /// - Throws: what the estimator throws where it must not.
    public func violations(of check: ConformanceCheck) throws(MetaLearnersError) -> [String] {
        switch check {
        case .capabilities: try capabilityViolations()
        case .weights: try weightViolations()
        case .missingValues: try missingValueViolations()
        case .categoricals: try categoricalViolations()
        case .determinism: try determinismViolations()
        case .cancellation: try cancellationViolations()
        case .coding: try codingViolations()
        case .damagedBytes: try damagedByteViolations()
        case .rowSubsets: try rowSubsetViolations()
        case .constantTargets: try constantTargetViolations()
        case .features: try featureViolations()
        case .extremeValues: try extremeValueViolations()
        case .errors: try errorViolations()
        }
    }

    var capabilities: Capabilities { estimator.backend.capabilities }

    /// The kinds of task that there are, with the capability that each needs.
    func tasks(_ data: ConformanceData, weights: [Double]? = nil, rows: [Int32]? = nil)
        throws(MetaLearnersError)
        -> [(name: String, needs: Capabilities, task: TrainingTask)]
    {
        func task(_ target: [Double], _ objective: TrainingTask.Objective) throws(MetaLearnersError)
            -> TrainingTask
        {
            try TrainingTask(
                features: data.features, rows: rows ?? Self.allRows, target: target, weights: weights,
                objective: objective, seed: 11)
        }
        return [
            ("regression", .regression, try task(data.target, .regression)),
            ("binary", .binary, try task(data.labels, .classification(classes: 2))),
            ("multiclass", .multiclass, try task(data.threeLabels, .classification(classes: 3))),
            ("residual", .residualLoss, try task(data.target, .residual(regressor: data.regressor))),
            ("coefficient", .coefficients, try task(data.target, .coefficient(regressor: data.regressor))),
            (
                "several residuals", .multiOutput,
                try task(data.target, .multiResidual(regressors: [data.regressor, data.labels]))
            ),
            ("several targets", .multiOutput, try task(data.target, .multiRegression(others: [data.labels]))),
            ("counts", .counts, try task(data.threeLabels, .count)),
            ("quantile", .quantiles, try task(data.target, .quantile(level: 0.75))),
        ]
    }

    /// The kinds of task that the backend claims to be capable of.
    func capableTasks(_ data: ConformanceData, weights: [Double]? = nil, rows: [Int32]? = nil)
        throws(MetaLearnersError) -> [(name: String, needs: Capabilities, task: TrainingTask)]
    {
        try tasks(data, weights: weights, rows: rows).filter { capabilities.contains($0.needs) }
    }

    /// The objective with what it knows of each row changed.
    static func mapping(_ objective: TrainingTask.Objective, _ change: ([Double]) -> [Double])
        -> TrainingTask.Objective
    {
        switch objective {
        case .regression, .classification, .count, .quantile: objective
        case .residual(let regressor): .residual(regressor: change(regressor))
        case .coefficient(let regressor): .coefficient(regressor: change(regressor))
        case .multiResidual(let regressors): .multiResidual(regressors: regressors.map(change))
        case .multiRegression(let others): .multiRegression(others: others.map(change))
        }
    }

    static var allRows: [Int32] { Array(0..<Int32(ConformanceData.rowCount)) }

    func fit(_ task: TrainingTask, threads: Int = 1) throws(MetaLearnersError) -> any FittedEstimator {
        try estimator.fit(task, ExecutionContext(threads: threads))
    }

    func predict(_ model: any FittedEstimator, _ features: Table, rows: [Int32]? = nil, threads: Int = 1)
        throws(MetaLearnersError) -> [Double]
    {
        try model.predict(features, rows: rows, ExecutionContext(threads: threads))
    }

    func bytes(_ model: any FittedEstimator) -> [UInt8] {
        var writer = BinaryWriter()
        model.encode(to: &writer)
        return writer.bytes
    }

    /// The kind of error that `body` throws, nil for none.
    func failure(_ body: () throws(MetaLearnersError) -> Void) -> MetaLearnersError.Kind? {
        do throws(MetaLearnersError) {
            try body()
            return nil
        } catch {
            return error.kind
        }
    }
}

/// One of the checks of `EstimatorConformance`.
public enum ConformanceCheck: String, Sendable, CaseIterable {
    /// Every claimed objective works; every other one is refused as unsupported.
    case capabilities
    /// Weights of 1 change nothing, of 0 silence a row, large ones pull; refused where not claimed.
    case weights
    /// Missing values are learned from and predicted, or refused.
    case missingValues
    /// Categories are learned from and predicted, unseen codes included, or refused.
    case categoricals
    /// The bytes are the same on every run and with 1 and 2 threads.
    case determinism
    /// A cancelled context stops the fit.
    case cancellation
    /// Decoding what was encoded predicts the same bits and encodes to the same bytes.
    case coding
    /// Bytes cut short are refused as corrupt; altered bytes neither trap nor hang.
    case damagedBytes
    /// Rows outside the task have no influence.
    case rowSubsets
    /// Constant targets are predicted as they are.
    case constantTargets
    /// Row lists, no columns, a single row.
    case features
    /// Huge, tiny and constant columns, targets and weights give finite predictions or a numerical failure.
    case extremeValues
    /// Wrong columns, rows out of range and unusable regressors are refused, with the kind of error that says so.
    case errors
}

/// What a backend is excused from.
public struct ConformanceOptions: OptionSet, Sendable {
    /// The bits.
    public let rawValue: Int

    /// Creates a set of these bits.
    public init(rawValue: Int) { self.rawValue = rawValue }

    /// The backend summarises the features of all rows, such as in bins: rows outside the task may decide where
    /// bins lie, and are only rearranged by the check.
    public static let summarisesAllRows = ConformanceOptions(rawValue: 1 << 0)
    /// The backend uses no feature at all.
    public static let featureless = ConformanceOptions(rawValue: 1 << 1)
}
