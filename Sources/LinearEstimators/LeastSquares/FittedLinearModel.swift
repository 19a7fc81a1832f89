import MetaLearnersCore

/// A linear function of encoded features.
struct FittedLinearModel: FittedEstimator {
    let backendName: String
    let warnings: [String]
    let summary: SpecObject
    let encoder: DesignEncoder
    private let intercept: Double
    let coefficients: [Double]
    private let scorer: LinearScorer

    var outputCount: Int { 1 }

    /// Minimises the squared loss of `task` plus a penalty on the squares of the coefficients.
    init(fitting task: TrainingTask, _ spec: RidgeSpec, backendName: String, _ context: ExecutionContext)
        throws(MetaLearnersError)
    {
        let unpenalised = spec.selection == .fixed && spec.l2 == 0
        let loss = try SquaredLoss(task, backend: backendName)
        let encoder = try DesignEncoder(
            task.features, rows: loss.rows, weights: loss.importance, againstReference: unpenalised,
            expansion: spec.expansion, context)
        let (solution, summary) = try BLASThreads.single { () throws(MetaLearnersError) in
            let folds =
                spec.selection == .cv
                ? HeldOutFolds(loss.rows, clusters: task.clusters, count: spec.folds, seed: task.seed)
                : HeldOutFolds(whole: loss.rows.count)
            let problem = LeastSquares(
                design: try DesignBlocks(
                    encoder, task.features, rows: folds.order.map { loss.rows[$0] }, spec.expansion, context),
                factors: folds.order.map { loss.factors[$0] },
                responses: folds.order.map { loss.responses[$0] }, l2: spec.l2)
            guard spec.selection == .fixed else {
                guard !problem.design.isTooWide else {
                    throw MetaLearnersError(
                        .unsupported, at: "selection",
                        "ridge chooses its penalty for up to \(DesignBlocks.sparseGramLimit) sparse columns, there are "
                            + "\(problem.design.width)",
                        remedy: "set l2, or use lasso")
                }
                let path = try RidgePath(problem, spec, folds: folds.ranges, context)
                return (
                    LeastSquares.Solution(coefficients: path.coefficients, deficientRank: nil),
                    path.choice.summary("l2")
                )
            }
            return (try problem.solve(context), SpecObject())
        }
        var warnings: [String] = []
        if unpenalised, let rank = solution.deficientRank {
            warnings.append(
                "\(backendName): the \(encoder.width) columns have a rank of \(rank) at most: of all coefficients that fit "
                    + "equally well those of least norm were taken")
        }
        if spec.selection == .cv, loss.rows.count < 2 || encoder.width > 0 && summary["criterion_value"] == 0
        {
            warnings.append(
                "\(backendName): one row or cluster cannot be cross-validated: the largest penalty was taken")
        }
        self.init(
            backendName: backendName, warnings: warnings, summary: summary, encoder: encoder,
            intercept: loss.intercept, coefficients: solution.coefficients)
    }

    /// Takes coefficients on the columns of `encoder`.
    init(
        backendName: String, warnings: [String], summary: SpecObject, encoder: DesignEncoder,
        intercept: Double, coefficients: [Double]
    ) {
        self.backendName = backendName
        self.warnings = warnings
        self.summary = summary
        self.encoder = encoder
        self.intercept = intercept
        self.coefficients = coefficients
        scorer = LinearScorer(encoder, coefficients: coefficients, intercepts: [intercept])
    }

    func predict(_ features: Table, rows: [Int32]?, _ context: ExecutionContext) throws(MetaLearnersError)
        -> [Double]
    {
        try encoder.requireKinds(of: features)
        return try scorer.scores(features, rows: rows, context)
    }

    func encode(to writer: inout BinaryWriter) {
        encoder.encode(to: &writer)
        writer.write(intercept)
        writer.write(coefficients)
        writer.write(warnings)
        writer.write(SpecValue.object(summary).json())
    }

    init(from reader: inout BinaryReader, backendName: String) throws(MetaLearnersError) {
        let encoder = try DesignEncoder(from: &reader)
        let intercept = try reader.readDouble()
        let coefficients = try reader.readDoubles()
        let warnings = try reader.readStrings()
        let summary = try SpecObject(summaryFrom: &reader)
        guard coefficients.count == encoder.width, intercept.isFinite, coefficients.allSatisfy(\.isFinite)
        else {
            throw BinaryReader.corrupt("the coefficients of a linear model do not fit its columns")
        }
        self.init(
            backendName: backendName, warnings: warnings, summary: summary, encoder: encoder,
            intercept: intercept, coefficients: coefficients)
    }
}
