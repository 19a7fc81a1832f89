import MetaLearnersCore

/// Fits a lasso or an elastic net, its penalty given or chosen by cross-validation.
struct ElasticNetFit {
    /// The fitted model.
    let model: FittedLinearModel
    /// The penalty.
    let lambda: Double

    /// - Throws: what the estimators' `fit` throws.
    init(_ task: TrainingTask, _ spec: some PenaltyPathSpec, backendName: String, _ context: ExecutionContext)
        throws(MetaLearnersError)
    {
        let loss = try SquaredLoss(task, backend: backendName)
        let encoder = try DesignEncoder(
            task.features, rows: loss.rows, weights: loss.importance, againstReference: false,
            expansion: spec.expansion, context)
        let folds =
            spec.lambda == nil
            ? HeldOutFolds(loss.rows, clusters: task.clusters, count: spec.folds, seed: task.seed)
            : HeldOutFolds(whole: loss.rows.count)
        let problem = LeastSquares(
            design: try DesignBlocks(
                encoder, task.features, rows: folds.order.map { loss.rows[$0] }, spec.expansion, context),
            factors: folds.order.map { loss.factors[$0] }, responses: folds.order.map { loss.responses[$0] },
            l2: 0)
        let path = try BLASThreads.single { () throws(MetaLearnersError) in
            try PenaltyPath(problem, folds.ranges, spec, context)
        }
        var warnings: [String] = []
        if spec.lambda == nil, folds.ranges.count < 2, encoder.width > 0 {
            warnings.append(
                "\(backendName): one row or cluster cannot be cross-validated: every coefficient is 0; set lambda"
            )
        }
        if !path.converged {
            warnings.append(
                "\(backendName): not converged: columns depend on each other; raise lambda or path_ratio")
        }
        lambda = path.lambda
        model = FittedLinearModel(
            backendName: backendName, warnings: warnings,
            summary: path.choice?.summary("lambda") ?? SpecObject(),
            encoder: encoder, intercept: loss.intercept, coefficients: path.coefficients)
    }
}
