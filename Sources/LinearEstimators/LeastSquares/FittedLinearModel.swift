import MetaLearnersCore

/// A linear function of encoded features.
struct FittedLinearModel: FittedEstimator {
    let backendName: String
    let warnings: [String]
    let summary: SpecObject
    let encoder: DesignEncoder
    let intercept: Double
    let coefficients: [Double]
    private let scorer: LinearScorer

    var outputCount: Int { 1 }

    /// Minimises the squared loss of `task` plus a penalty.
    init(
        fitting task: TrainingTask, _ method: LinearMethod, backendName: String, _ context: ExecutionContext
    ) throws(MetaLearnersError) {
        let loss = try SquaredLoss(task, backend: backendName)
        let encoder = try DesignEncoder(
            task.features, rows: loss.rows, weights: loss.importance, againstReference: method.isUnpenalised,
            expansion: method.expansion, context)
        let folds =
            try method.folds.map { count throws(MetaLearnersError) in
                try HeldOutFolds(
                    loss.rows, clusters: task.clusters, count: count, seed: task.seed,
                    task.features.distribution)
            } ?? HeldOutFolds(whole: loss.rows.count)
        let problem = LeastSquares(
            design: try DesignBlocks(
                encoder, task.features, rows: folds.order.map { loss.rows[$0] }, method.expansion, context),
            factors: folds.order.map { loss.factors[$0] },
            responses: folds.order.map { loss.responses[$0] }, l2: method.l2,
            distribution: task.features.distribution)
        let found = try BLASThreads.single { () throws(MetaLearnersError) in
            try method.coefficients(problem, folds.ranges, context)
        }
        self.init(
            backendName: backendName, warnings: found.warnings.map { "\(backendName): \($0)" },
            summary: found.summary, encoder: encoder, intercept: loss.intercept,
            coefficients: found.coefficients)
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
