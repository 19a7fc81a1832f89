import MetaLearnersCore

/// Linear functions on one encoding of features, as an archive keeps them.
package struct LinearFunctions: Sendable {
    private let encoder: DesignEncoder
    private let functions: [LinearFunction]
    private let scorer: LinearScorer

    /// How many functions there are.
    package var count: Int { functions.count }

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
    package func values(_ features: Table, rows: [Int32]? = nil, _ context: ExecutionContext)
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

/// A linear function of the columns of a design matrix.
package struct LinearFunction: Sendable, Equatable {
    /// Its value where every column is 0: the mean row, for columns as they are standardised.
    package var intercept: Double
    /// One for each column.
    package var coefficients: [Double]

    /// The function that is `intercept` everywhere.
    package init(intercept: Double, width: Int) {
        self.intercept = intercept
        coefficients = [Double](repeating: 0, count: width)
    }

    /// The mean of functions on the same columns, which predicts the mean of their predictions.
    package static func mean(_ functions: [LinearFunction]) -> LinearFunction {
        var mean = LinearFunction(intercept: 0, width: functions.first?.coefficients.count ?? 0)
        let share = 1 / Double(max(functions.count, 1))
        for function in functions {
            mean.intercept += share * function.intercept
            for column in mean.coefficients.indices {
                mean.coefficients[column] += share * function.coefficients[column]
            }
        }
        return mean
    }
}
