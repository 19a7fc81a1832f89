/// A linear function of the columns of a design matrix.
public struct LinearFunction: Sendable, Equatable {
    /// Its value where every column is 0: the mean row, for columns as they are standardised.
    public var intercept: Double
    /// One for each column.
    public var coefficients: [Double]

    /// The function that is `intercept` everywhere.
    public init(intercept: Double, width: Int) {
        self.intercept = intercept
        coefficients = [Double](repeating: 0, count: width)
    }

    /// The mean of functions on the same columns, which predicts the mean of their predictions.
    public static func mean(_ functions: [LinearFunction]) -> LinearFunction {
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

    /// Adds `factor` times another function on the same columns.
    public mutating func add(_ other: LinearFunction, times factor: Double) {
        guard factor != 0 else { return }
        intercept += factor * other.intercept
        for column in coefficients.indices { coefficients[column] += factor * other.coefficients[column] }
    }
}
