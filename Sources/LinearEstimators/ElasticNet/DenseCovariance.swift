import MetaLearnersCore

/// A covariance problem whose matrix is all there, made from sums of products.
final class DenseCovariance: CovarianceProblem {
    let width: Int
    let moments: [Double]
    let diagonal: [Double]
    /// Σ f².
    let totalWeight: Double
    private let matrix: DoubleBuffer
    /// The means of the columns and of the response over the rows, with weights f².
    private let columnMeans: [Double]
    private let responseMean: Double
    private let heldOut: GramSums?

    /// - Parameters:
    ///   - parts: the sums over the rows.
    ///   - heldOut: the sums over rows that are left out.
    /// - Throws: `numericalFailure` where sums have overflowed, `outOfMemory`.
    /// - Complexity: O(parts × columns²).
    init(_ parts: [GramSums], heldOut: GramSums?, width: Int) throws(MetaLearnersError) {
        let sums = try GramSums.total(parts, width: width)
        guard sums.isFinite, sums.factorSquares > 0 else { throw LeastSquares.overflow }
        let total = sums.factorSquares
        columnMeans = (0..<width).map { sums.factor[$0] / total }
        responseMean = sums.factorResponse / total
        matrix = try DoubleBuffer(width * width)
        var diagonal = [Double](repeating: 0, count: width)
        var moments = diagonal
        for column in 0..<width {
            let source = sums.column(column)
            let mean = columnMeans[column]
            for row in 0...column {
                let value = source[row] / total - columnMeans[row] * mean
                matrix.start[column * width + row] = value
                matrix.start[row * width + column] = value
            }
            diagonal[column] = matrix.start[column * (width + 1)]
            moments[column] = sums.response[column] / total - mean * responseMean
        }
        guard matrix.isFinite, moments.allSatisfy(\.isFinite) else { throw LeastSquares.overflow }
        totalWeight = total
        self.width = width
        self.diagonal = diagonal
        self.moments = moments
        self.heldOut = heldOut
    }

    var holdsOut: Bool { heldOut.map { $0.factorSquares > 0 } ?? false }

    func column(_ index: Int) throws(MetaLearnersError) -> UnsafePointer<Double> {
        UnsafePointer(matrix.start + index * width)
    }

    func intercept(_ coefficients: [Double], support: [Int]) -> Double {
        support.reduce(responseMean) { $0 - columnMeans[$1] * coefficients[$1] }
    }

    func heldOutLoss(_ coefficients: [Double], support: [Int]) -> Double {
        guard let heldOut else { return 0 }
        let intercept = intercept(coefficients, support: support)
        var loss =
            heldOut.responseSquares - 2 * intercept * heldOut.factorResponse
            + intercept * intercept * heldOut.factorSquares
        for index in support {
            let value = coefficients[index]
            let products = heldOut.column(index)
            var sum =
                0.5 * products[index] * value + intercept * heldOut.factor[index] - heldOut.response[index]
            for other in support where other < index { sum += products[other] * coefficients[other] }
            loss += 2 * value * sum
        }
        // Rounding alone can make it negative.
        return max(loss, 0)
    }
}
