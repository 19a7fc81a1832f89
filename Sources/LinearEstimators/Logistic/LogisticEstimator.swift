import MetaLearnersCore

/// Logistic regression of two or more classes: minimises Σ w·(−log p_y(z)) + l1·|β|₁ + l2/2·|β|² over standardised columns
/// z; intercepts are not penalised.
///
/// Two classes have one linear function; more have one each (softmax), all penalised. A class that does not
/// occur in training has probability 0.
public struct LogisticEstimator: BaseEstimator {
    /// The name and the capabilities.
    public static let backend = BackendDescription(
        name: "logistic", summary: "logistic and multinomial regression with L1 and L2 penalties",
        version: "1",
        capabilities: [
            .binary, .multiclass, .weights, .missingValues, .categoricals, .sparse, .collective,
        ])

    /// The checked configuration.
    public let spec: LogisticSpec
    /// The most parameters of which the Hessian is made; tests lower it.
    var denseLimit = NewtonSolver.denseLimit

    /// Creates the estimator.
    ///
    /// - Throws: `invalidSpec` for a value out of range.
    public init(_ spec: LogisticSpec = LogisticSpec()) throws(MetaLearnersError) {
        self.spec = try spec.validated()
    }

    /// Fits the rows of `task` by Newton's method; a model that has not converged says so in its warnings.
    ///
    /// - Throws: `unsupported` for what is no classification or has too many columns, `invalidData` for infinite
    ///   covariates, `numericalFailure` where sums overflow, `outOfMemory`, `cancelled`.
    /// - Complexity: a step takes O(rows × columns² × classes²), with many parameters O(rows × columns × classes)
    ///   for each conjugate-gradient iteration.
    public func fit(_ task: TrainingTask, _ context: ExecutionContext) throws(MetaLearnersError)
        -> any FittedEstimator
    {
        try FittedLogisticModel(fitting: task, spec, denseLimit: denseLimit, context)
    }

    /// The encoded rows, as far as they are kept, and the Hessian decide.
    public func footprint(rows: Int, of features: Table, for objective: TrainingTask.Objective) -> Footprint {
        let design = DesignFootprint(features, rows: rows, spec.expansion)
        let classes = if case .classification(let classes) = objective { classes } else { 2 }
        // (How many rows the rarest class has is not known here: one in a hundred, say.)
        let compares =
            spec.selection != .fixed
            || spec.choosesL2 && rows < 100 * UndersmoothedPenalty.plentyOfRows * design.width
        // The losses of rows held out, with each penalty.
        let losses =
            compares && spec.choosesL2
            ? 12 * rows * UndersmoothedPenalty.penalties(width: max(design.width, 1)).count : 0
        return Footprint(
            shared: 0,
            working: losses
                + design.logistic(
                    functions: classes == 2 ? 1 : classes, folds: compares ? spec.folds : 1))
    }

    /// Reads a model that its `encode` wrote.
    ///
    /// - Throws: `corruptModel`.
    public static func decode(from reader: inout BinaryReader) throws(MetaLearnersError)
        -> any FittedEstimator
    {
        try FittedLogisticModel(from: &reader)
    }
}
