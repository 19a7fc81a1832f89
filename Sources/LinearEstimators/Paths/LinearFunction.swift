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
