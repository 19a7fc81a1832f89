import MetaLearnersCore

/// Linear functions on one encoding of features, as an archive keeps them: one model with an output for each.
package struct LinearFunctions: FittedEstimator {
    let encoder: DesignEncoder
    let functions: [LinearFunction]
    private let scorer: LinearScorer

    /// The functions belong to whoever combined them; no backend's name stands before them in files.
    package var backendName: String { "linear functions" }
    package var outputCount: Int { functions.count }

    init(_ encoder: DesignEncoder, _ functions: [LinearFunction]) {
        self.encoder = encoder
        self.functions = functions
        scorer = LinearScorer(
            encoder, coefficients: functions.flatMap(\.coefficients), intercepts: functions.map(\.intercept))
    }

    /// The values at the named rows, nil for all: those of each function side by side, one row after another.
    ///
    /// - Throws: `invalidArgument` for features of other columns than those learnt from or rows out of range,
    ///   `numericalFailure` where a value overflows, `cancelled`.
    package func predict(_ features: Table, rows: [Int32]?, _ context: ExecutionContext)
        throws(MetaLearnersError) -> [Double]
    {
        try encoder.requireKinds(of: features)
        return try scorer.scores(features, rows: rows, context)
    }

    /// Writes everything.
    package func encode(to writer: inout BinaryWriter) {
        encoder.encode(to: &writer)
        writer.write(functions.map(\.intercept))
        writer.write(functions.flatMap(\.coefficients))
    }

    /// Reads what `encode` wrote.
    ///
    /// - Throws: `corruptModel`.
    package init(from reader: inout BinaryReader) throws(MetaLearnersError) {
        let encoder = try DesignEncoder(from: &reader)
        let intercepts = try reader.readDoubles()
        let coefficients = try reader.readDoubles()
        let (size, overflow) = intercepts.count.multipliedReportingOverflow(by: encoder.width)
        guard !overflow, coefficients.count == size, intercepts.allSatisfy(\.isFinite),
            coefficients.allSatisfy(\.isFinite)
        else { throw BinaryReader.corrupt("the coefficients of linear functions do not fit their columns") }
        self.init(
            encoder,
            intercepts.enumerated().map { index, intercept in
                var function = LinearFunction(intercept: intercept, width: 0)
                let first = index * encoder.width
                function.coefficients = Array(coefficients[first..<first + encoder.width])
                return function
            })
    }
}
