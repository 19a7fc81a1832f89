/// Further columns of a path problem: a number of each row, m, and its products with columns of the design matrix.
///
/// With m = W − e(X) the coefficient of m and those of m·z make up the effect: f = b + z·β + m·(a + z·γ) has the
/// effect a + z·γ. A factor multiplies a column, and so divides the penalty on it (for ridge, by its square): a large one
/// leaves it next to free. Coefficients are reported for columns as they are without their factors.
package struct Modulation: Sendable {
    /// m for each row of the design matrix.
    package let values: [Double]
    /// The factor of m itself, positive.
    package let mainFactor: Double
    /// The columns of the design matrix that are multiplied by m.
    package let columns: [Int]
    /// The factor of these, positive.
    package let columnFactor: Double

    /// Describes the columns m·`mainFactor` and m·`columnFactor`·z for each of `columns`.
    package init(_ values: [Double], mainFactor: Double = 1, columns: [Int] = [], columnFactor: Double = 1) {
        self.values = values
        self.mainFactor = mainFactor
        self.columns = columns
        self.columnFactor = columnFactor
    }
}
