import MetaLearnersCore

/// The configuration of a linear model of numbers: what it minimises beside the squared loss, and how its penalty is found.
public protocol LinearSpec: BaseEstimatorSpec {
    /// The name and the capabilities.
    static var backend: BackendDescription { get }
    /// How coefficients follow.
    var method: LinearMethod { get }
}

/// How the coefficients of a linear model follow from its squared loss.
public struct LinearMethod: Sendable {
    enum Kind {
        /// A penalty on squares, perhaps none.
        case squares(RidgeSpec)
        /// A penalty on absolute values as well.
        case path(any PenaltyPathSpec)
    }

    /// Coefficients with what is to be said of them.
    struct Outcome {
        let coefficients: [Double]
        var summary = SpecObject()
        var warnings: [String] = []
    }

    let kind: Kind

    var isUnpenalised: Bool {
        if case .squares(let spec) = kind { spec.selection == .fixed && spec.l2 == 0 } else { false }
    }

    var expansion: FeatureExpansion {
        switch kind {
        case .squares(let spec): spec.expansion
        case .path(let spec): spec.expansion
        }
    }

    /// How many folds cross-validation has; nil where there is none.
    var folds: Int? {
        switch kind {
        case .squares(let spec): spec.selection == .cv ? spec.folds : nil
        case .path(let spec): spec.lambda == nil ? spec.folds : nil
        }
    }

    /// The penalty on squares beside a sum.
    var l2: Double {
        if case .squares(let spec) = kind { spec.l2 } else { 0 }
    }

    /// What a fit takes, in bytes, about.
    func bytes(_ design: DesignFootprint) -> Int {
        switch kind {
        case .squares(let spec):
            switch spec.selection {
            case .fixed: return design.fixedPenalty()
            case .gcv, .loo: return design.leastSquares(grams: 7)
            case .cv: return design.leastSquares(grams: 8 + 2 * spec.folds)
            }
        case .path(let spec): return design.penaltyPath(folds: spec.lambda == nil ? spec.folds : 1)
        }
    }

    /// Solves `problem`, whose rows are ordered by fold.
    func coefficients(_ problem: LeastSquares, _ folds: [Range<Int>], _ context: ExecutionContext)
        throws(MetaLearnersError) -> Outcome
    {
        let width = problem.design.width
        switch kind {
        case .squares(let spec) where spec.selection == .fixed:
            let solution = try problem.solve(context)
            var outcome = Outcome(coefficients: solution.coefficients)
            if isUnpenalised, let rank = solution.deficientRank {
                let bound = problem.design.sparse == nil ? "" : " at most"
                outcome.warnings.append(
                    "the \(width) columns have rank \(rank)\(bound): of all coefficients that fit equally well those of "
                        + "least norm were taken")
            }
            return outcome
        case .squares(let spec):
            guard !problem.design.isTooWide else {
                throw MetaLearnersError(
                    .unsupported, at: "selection",
                    "ridge chooses its penalty for up to \(DesignBlocks.sparseGramLimit) columns, there are \(width)",
                    remedy: "set l2, group the levels of the largest category, or use lasso")
            }
            let path = try RidgePath(problem, spec, folds: folds, context)
            var outcome = Outcome(coefficients: path.coefficients, summary: path.choice.summary("l2"))
            if spec.selection == .cv,
                try problem.distribution.sum([problem.responses.count])[0] < 2
                    || width > 0 && outcome.summary["criterion_value"] == 0
            {
                outcome.warnings.append(
                    "one row or cluster cannot be cross-validated: the largest penalty was taken")
            }
            return outcome
        case .path(let spec):
            let path = try PenaltyPath(problem, folds, spec, context)
            var outcome = Outcome(
                coefficients: path.coefficients, summary: path.choice?.summary("lambda") ?? SpecObject())
            if spec.lambda == nil, folds.count < 2, width > 0 {
                outcome.warnings.append(
                    "one row or cluster cannot be cross-validated: every coefficient is 0; set lambda")
            }
            if !path.converged {
                outcome.warnings.append(
                    "not converged: columns depend on each other; raise lambda or path_ratio")
            }
            return outcome
        }
    }
}

/// A linear model: minimises Σ w·(y − b − z·β)², or Σ w·(t − r·(b + z·β))² for the residual loss, plus a penalty on β, over
/// encoded columns z; the intercept b is not penalised.
///
/// What the backends `ols`, `ridge`, `lasso` and `elastic_net` have in common, which is all but their specs. Categories enter
/// with an indicator for each level, so that no level is special; without a penalty, against their heaviest level. Where there
/// is no penalty and columns depend on each other or outnumber the rows, the coefficients are those of least norm, and a
/// warning says so.
public struct LinearEstimator<Spec: LinearSpec>: BaseEstimator {
    /// The name and the capabilities.
    public static var backend: BackendDescription { Spec.backend }

    /// The checked configuration.
    public let spec: Spec

    /// Creates the estimator.
    ///
    /// - Throws: `invalidSpec` for a value out of range.
    public init(_ spec: Spec = Spec()) throws(MetaLearnersError) { self.spec = try spec.validated() }

    /// Fits the rows of `task`.
    ///
    /// - Throws: `unsupported` for a classification or too many columns, `invalidData` for infinite covariates or a
    ///   regressor that is zero everywhere, `numericalFailure` where sums overflow, `outOfMemory`, `cancelled`.
    /// - Complexity: O(rows × columns²), for more columns than rows O(rows² × columns); with a penalty on absolute values these
    ///   for the sums of products, once however many penalties and folds there are. With many levels O(rows + levels) for an
    ///   iteration.
    public func fit(_ task: TrainingTask, _ context: ExecutionContext) throws(MetaLearnersError)
        -> any FittedEstimator
    {
        try FittedLinearModel(fitting: task, spec.method, backendName: Spec.backend.name, context)
    }

    /// Sums of products of the encoded columns, not of the features, decide: a category of many levels counts as many.
    public func footprint(rows: Int, of features: Table, for objective: TrainingTask.Objective) -> Footprint {
        let design = DesignFootprint(features, rows: rows, spec.method.expansion)
        return Footprint(shared: 0, working: spec.method.bytes(design))
    }

    /// Reads a model that its `encode` wrote.
    ///
    /// - Throws: `corruptModel`.
    public static func decode(from reader: inout BinaryReader) throws(MetaLearnersError)
        -> any FittedEstimator
    {
        try FittedLinearModel(from: &reader, backendName: Spec.backend.name)
    }
}

/// Ordinary least squares.
public typealias OLSEstimator = LinearEstimator<OLSSpec>
/// Ridge regression: the penalty l2·|β|² is given, or chosen by cross-validation from one eigen-decomposition.
public typealias RidgeEstimator = LinearEstimator<RidgeSpec>
/// The lasso (Tibshirani 1996): the elastic net with all of its penalty on absolute values.
public typealias LassoEstimator = LinearEstimator<LassoSpec>
/// The elastic net (Zou & Hastie 2005), as `PenaltyPathSpec` has it.
public typealias ElasticNetEstimator = LinearEstimator<ElasticNetSpec>

extension Capabilities {
    /// What least squares can do: of rows that several processes hold all but sparse columns.
    static let leastSquares: Capabilities = [
        .regression, .weights, .missingValues, .categoricals, .residualLoss, .sparse, .collective,
    ]
}
