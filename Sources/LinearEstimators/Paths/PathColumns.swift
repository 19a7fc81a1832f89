import MetaLearnersCore

/// The columns of a path problem: some of a design matrix, and their products with a modulation.
struct PathColumns: DesignSource {
    let design: DesignMatrix
    /// The columns of the design matrix, and what each is multiplied by.
    let columns: [Int]
    let scales: [Double]
    let modulation: Modulation?

    /// How many of the columns stand in the modulation.
    var modulatedWidth: Int { modulation.map { 1 + $0.columns.count } ?? 0 }

    var width: Int { columns.count + modulatedWidth }

    func fill(
        _ rows: UnsafeBufferPointer<Int32>, to target: UnsafeMutablePointer<Double>, stride: Int,
        scratch: UnsafeMutableBufferPointer<Double>
    ) {
        design.withColumns(rows, scratch: scratch) { start, lead, gathered in
            var target = target
            func add(_ column: Int, _ scale: Double) {
                let source = start + column * lead
                if gathered {
                    for offset in 0..<rows.count { target[offset] = source[offset] * scale }
                } else {
                    for offset in 0..<rows.count { target[offset] = source[Int(rows[offset])] * scale }
                }
            }
            for (column, scale) in zip(columns, scales) {
                add(column, scale)
                target += stride
            }
            guard let modulation else { return }
            let multipliers = scratch
            for offset in 0..<rows.count { multipliers[offset] = modulation.values[Int(rows[offset])] }
            for offset in 0..<rows.count { target[offset] = multipliers[offset] * modulation.mainFactor }
            target += stride
            for column in modulation.columns {
                add(column, modulation.columnFactor)
                for offset in 0..<rows.count { target[offset] *= multipliers[offset] }
                target += stride
            }
        }
    }

    /// The functions that coefficients on these columns make up: b + z·β, and a + z·γ beside the modulation.
    func functions(intercept: Double, _ coefficients: [Double]) -> (
        base: LinearFunction, slope: LinearFunction
    ) {
        var base = LinearFunction(intercept: intercept, width: design.width)
        var slope = LinearFunction(intercept: 0, width: design.width)
        for (place, column) in columns.enumerated() {
            base.coefficients[column] += coefficients[place] * scales[place]
        }
        if let modulation {
            slope.intercept = coefficients[columns.count] * modulation.mainFactor
            for (place, column) in modulation.columns.enumerated() {
                slope.coefficients[column] +=
                    coefficients[columns.count + 1 + place] * modulation.columnFactor
            }
        }
        return (base, slope)
    }
}

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
