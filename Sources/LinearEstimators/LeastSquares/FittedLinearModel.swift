import MetaLearnersCore

/// A linear function of encoded features.
struct FittedLinearModel: FittedEstimator {
    let backendName: String
    let warnings: [String]
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
        let solution = try BLASThreads.single { () throws(MetaLearnersError) in
            let design = DesignBlocks(encoder: encoder, features: task.features, rows: loss.rows)
            let problem = LeastSquares(
                design: design, factors: loss.factors, responses: loss.responses, l2: spec.l2)
            guard spec.selection == .fixed else {
                return LeastSquares.Solution(
                    coefficients: try RidgePath(problem, spec, context).coefficients, deficientRank: nil)
            }
            return try problem.solve(context)
        }
        var warnings: [String] = []
        if unpenalised, let rank = solution.deficientRank {
            warnings.append(
                "\(backendName): the \(encoder.width) columns have rank \(rank): of all coefficients that fit "
                    + "equally well those of least norm were taken")
        }
        self.init(
            backendName: backendName, warnings: warnings, encoder: encoder, intercept: loss.intercept,
            coefficients: solution.coefficients)
    }

    /// Takes coefficients on the columns of `encoder`.
    init(
        backendName: String, warnings: [String], encoder: DesignEncoder, intercept: Double,
        coefficients: [Double]
    ) {
        self.backendName = backendName
        self.warnings = warnings
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
    }

    init(from reader: inout BinaryReader, backendName: String) throws(MetaLearnersError) {
        let encoder = try DesignEncoder(from: &reader)
        let intercept = try reader.readDouble()
        let coefficients = try reader.readDoubles()
        let warnings = try reader.readStrings()
        guard coefficients.count == encoder.width, intercept.isFinite, coefficients.allSatisfy(\.isFinite)
        else {
            throw BinaryReader.corrupt("the coefficients of a linear model do not fit its columns")
        }
        self.init(
            backendName: backendName, warnings: warnings, encoder: encoder, intercept: intercept,
            coefficients: coefficients)
    }
}
