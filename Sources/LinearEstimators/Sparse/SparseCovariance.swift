import MetaLearnersCore

/// A covariance problem of sparse rows and many columns: a column of the matrix is made from what is stored when it is
/// first asked for, as few ever are.
final class SparseCovariance: CovarianceProblem {
    let width: Int
    let moments: [Double]
    let diagonal: [Double]
    private let rows: Rows
    private let heldOut: Range<Int>
    private let total: Double
    /// Σ f²·x of each column over the rows kept.
    private let sums: [Double]
    private let responseMean: Double
    private var columns: [DoubleBuffer?]

    var holdsOut: Bool { !heldOut.isEmpty }

    /// Sparse rows with factors and responses, and what is stored by columns.
    struct Rows: Sendable {
        let design: SparseRows
        let factors: [Double]
        let responses: [Double]
        /// For each column, where it begins in `places` and `values`.
        let starts: [Int]
        let places: [Int32]
        let values: [Double]

        init(_ design: SparseRows, factors: [Double], responses: [Double]) {
            var starts = [Int](repeating: 0, count: design.width + 1)
            design.forEachRow { _, columns, _ in
                for column in columns { starts[Int(column) + 1] += 1 }
            }
            for column in 0..<design.width { starts[column + 1] += starts[column] }
            var next = starts
            var places = [Int32](repeating: 0, count: starts[design.width])
            var values = [Double](repeating: 0, count: starts[design.width])
            design.forEachRow { row, columns, numbers in
                for index in 0..<columns.count {
                    let target = next[Int(columns[index])]
                    places[target] = Int32(truncatingIfNeeded: row)
                    values[target] = numbers[index]
                    next[Int(columns[index])] += 1
                }
            }
            self.design = design
            self.factors = factors
            self.responses = responses
            self.starts = starts
            self.places = places
            self.values = values
        }
    }

    /// - Parameter heldOut: the rows to leave out.
    /// - Throws: `numericalFailure` where sums overflow.
    /// - Complexity: O(stored values).
    init(_ rows: Rows, heldOut: Range<Int>) throws(MetaLearnersError) {
        let width = rows.design.width
        var total = 0.0
        var responseSum = 0.0
        for row in rows.factors.indices where !heldOut.contains(row) {
            total += rows.factors[row] * rows.factors[row]
            responseSum += rows.factors[row] * rows.responses[row]
        }
        guard total > 0 else { throw LeastSquares.overflow }
        let responseMean = responseSum / total
        var sums = [Double](repeating: 0, count: width)
        var diagonal = sums
        var moments = sums
        for column in 0..<width {
            let scale = rows.design.scales[column]
            var (sum, squares, products) = (0.0, 0.0, 0.0)
            for index in rows.starts[column]..<rows.starts[column + 1] {
                let row = Int(rows.places[index])
                guard !heldOut.contains(row) else { continue }
                let weighted = rows.factors[row] * rows.values[index]
                sum += rows.factors[row] * weighted
                squares += weighted * weighted
                products += rows.responses[row] * weighted
            }
            sums[column] = sum
            let mean = sum / total
            diagonal[column] = scale * scale * (squares / total - mean * mean)
            moments[column] = scale * (products / total - mean * responseMean)
        }
        guard diagonal.allSatisfy(\.isFinite), moments.allSatisfy(\.isFinite) else {
            throw LeastSquares.overflow
        }
        self.rows = rows
        self.heldOut = heldOut
        self.width = width
        self.total = total
        self.sums = sums
        self.responseMean = responseMean
        self.diagonal = diagonal
        self.moments = moments
        columns = [DoubleBuffer?](repeating: nil, count: width)
    }

    func column(_ index: Int) throws(MetaLearnersError) -> UnsafePointer<Double> {
        if let known = columns[index] { return UnsafePointer(known.start) }
        let column = try DoubleBuffer(width)
        var factorOfRow = [Double](repeating: 0, count: rows.factors.count)
        for place in rows.starts[index]..<rows.starts[index + 1] {
            let row = Int(rows.places[place])
            guard !heldOut.contains(row) else { continue }
            factorOfRow[row] = rows.factors[row] * rows.factors[row] * rows.values[place]
        }
        rows.design.forEachRow { row, columns, values in
            let factor = factorOfRow[row]
            guard factor != 0 else { return }
            for place in 0..<columns.count { column.start[Int(columns[place])] += factor * values[place] }
        }
        let (scale, mean) = (rows.design.scales[index], sums[index] / total)
        for other in 0..<width {
            column.start[other] =
                scale * rows.design.scales[other] * (column.start[other] / total - mean * sums[other] / total)
        }
        columns[index] = column
        return UnsafePointer(column.start)
    }

    func intercept(_ coefficients: [Double], support: [Int]) -> Double {
        let design = rows.design
        return support.reduce(responseMean) { sum, column in
            let mean = design.scales[column] * sums[column] / total - design.shifts[column]
            return sum - mean * coefficients[column]
        }
    }

    func heldOutLoss(_ coefficients: [Double], support: [Int]) -> Double {
        let design = rows.design
        var intercept = intercept(coefficients, support: support)
        for column in support { intercept -= design.shifts[column] * coefficients[column] }
        var loss = 0.0
        design.restricted(to: heldOut).forEachRow { place, columns, values in
            let row = heldOut.lowerBound + place
            var value = intercept
            for index in 0..<columns.count {
                let column = Int(columns[index])
                value += design.scales[column] * values[index] * coefficients[column]
            }
            let residual = rows.responses[row] - rows.factors[row] * value
            loss += residual * residual
        }
        return loss
    }
}
