import MetaLearnersCore

/// A covariance problem for more columns than rows: a column of the matrix is made from the rows when it is first
/// asked for, as few ever are.
final class RowCovariance: CovarianceProblem {
    let width: Int
    let moments: [Double]
    let diagonal: [Double]
    private let rows: Rows
    private let heldOut: Range<Int>
    private let total: Double
    private let columnMeans: [Double]
    private let responseMean: Double
    private var columns: [DoubleBuffer?]

    /// The rows of a least-squares problem, in memory.
    struct Rows: Sendable {
        /// f·z by columns.
        let matrix: DoubleBuffer
        let factors: [Double]
        let responses: [Double]
        let width: Int

        init(_ problem: LeastSquares, _ context: ExecutionContext) throws(MetaLearnersError) {
            matrix = try problem.wholeMatrix(context)
            factors = problem.factors
            responses = problem.responses
            width = problem.design.width
        }

        /// Σ (f·z)·vector over a range of rows, for every column, added to `target`.
        func addProducts(_ range: Range<Int>, with vector: UnsafePointer<Double>, to target: DoubleBuffer) {
            guard !range.isEmpty else { return }
            BLAS.gemv(
                .transposed, Int32(range.count), Int32(width), 1,
                matrix.start + range.lowerBound,
                Int32(factors.count), vector + range.lowerBound, 1, 1, target.start, 1)
        }
    }

    /// - Parameter heldOut: the rows to leave out.
    /// - Throws: `numericalFailure` where sums overflow, `outOfMemory`.
    /// - Complexity: O(rows × columns).
    init(_ rows: Rows, heldOut: Range<Int>) throws(MetaLearnersError) {
        let count = rows.factors.count
        let width = rows.width
        let kept = [0..<heldOut.lowerBound, heldOut.upperBound..<count]
        var total = 0.0
        var responseSum = 0.0
        let factorSums = try DoubleBuffer(width)
        let responseSums = try DoubleBuffer(width)
        for range in kept {
            for row in range {
                total += rows.factors[row] * rows.factors[row]
                responseSum += rows.factors[row] * rows.responses[row]
            }
            rows.factors.withUnsafeBufferPointer { values in
                if let start = values.baseAddress { rows.addProducts(range, with: start, to: factorSums) }
            }
            rows.responses.withUnsafeBufferPointer { values in
                if let start = values.baseAddress { rows.addProducts(range, with: start, to: responseSums) }
            }
        }
        guard total > 0 else { throw LeastSquares.overflow }
        let columnMeans = factorSums.array.map { $0 / total }
        let responseMean = responseSum / total
        var diagonal = [Double](repeating: 0, count: width)
        var moments = diagonal
        for column in 0..<width {
            let values = rows.matrix.start + column * count
            var squares = 0.0
            for range in kept {
                for row in range { squares += values[row] * values[row] }
            }
            diagonal[column] = squares / total - columnMeans[column] * columnMeans[column]
            moments[column] = responseSums.start[column] / total - columnMeans[column] * responseMean
        }
        guard diagonal.allSatisfy(\.isFinite), moments.allSatisfy(\.isFinite) else {
            throw LeastSquares.overflow
        }
        self.rows = rows
        self.heldOut = heldOut
        self.width = width
        self.total = total
        self.columnMeans = columnMeans
        self.responseMean = responseMean
        self.diagonal = diagonal
        self.moments = moments
        columns = [DoubleBuffer?](repeating: nil, count: width)
    }

    var holdsOut: Bool { !heldOut.isEmpty }

    func column(_ index: Int) throws(MetaLearnersError) -> UnsafePointer<Double> {
        if let known = columns[index] { return UnsafePointer(known.start) }
        let column = try DoubleBuffer(width)
        let values = rows.matrix.start + index * rows.factors.count
        for range in [0..<heldOut.lowerBound, heldOut.upperBound..<rows.factors.count] {
            rows.addProducts(range, with: values, to: column)
        }
        let mean = columnMeans[index]
        for other in 0..<width {
            column.start[other] = column.start[other] / total - mean * columnMeans[other]
        }
        columns[index] = column
        return UnsafePointer(column.start)
    }

    func intercept(_ coefficients: [Double], support: [Int]) -> Double {
        support.reduce(responseMean) { $0 - columnMeans[$1] * coefficients[$1] }
    }

    func heldOutLoss(_ coefficients: [Double], support: [Int]) -> Double {
        let intercept = intercept(coefficients, support: support)
        var loss = 0.0
        for row in heldOut {
            var residual = rows.responses[row] - rows.factors[row] * intercept
            for index in support {
                residual -= rows.matrix.start[index * rows.factors.count + row] * coefficients[index]
            }
            loss += residual * residual
        }
        return loss
    }
}
