import CTreeKernels
import MetaLearnersCore

/// Cells of rows whose gradients and Hessians are made anew from the scores of classes.
protocol ClassificationCell: HistogramCell {
    /// What a row's gradient and Hessian are multiplied by.
    typealias Scales = (gradient: Double, hessian: Double)

    /// Scales by which no row and no sum of rows is too large for its place.
    ///
    /// - Parameters:
    ///   - total: the sum of all weights.
    ///   - largest: the largest of them.
    ///   - curvature: the most that a Hessian is of its row's weight.
    static func scales(total: Double, largest: Double, curvature: Double, countShift: Int) -> Scales
    /// A row of scaled numbers.
    static func row(gradient: Double, hessian: Double, number: Int) -> Row
    /// `mtlk_logistic_gradients` for such rows.
    static func fillLogistic(
        _ rows: Range<Int>, _ scores: UnsafeMutablePointer<Double>, _ signedWeights: UnsafePointer<Double>,
        leaves: UnsafePointer<UInt8>?, steps: UnsafePointer<Double>?, _ scales: Scales,
        into gradients: UnsafeMutablePointer<Row>)
}

extension ShortCell: ClassificationCell {
    static func scales(total: Double, largest: Double, curvature: Double, countShift: Int) -> Scales {
        // Sums stay below 2^60, and below the count; the words of a row below 2^31.
        (
            gradient: min(
                BoostingProblem.scale(total, bits: 60), BoostingProblem.scale(largest, bits: 30)),
            hessian: min(
                BoostingProblem.scale(total, bits: countShift - 1), BoostingProblem.scale(largest, bits: 30))
        )
    }

    @inline(__always)
    static func row(gradient: Double, hessian: Double, number: Int) -> SIMD2<Int32> {
        SIMD2(BoostingProblem.rounded(gradient), BoostingProblem.rounded(hessian))
    }

    static func fillLogistic(
        _ rows: Range<Int>, _ scores: UnsafeMutablePointer<Double>, _ signedWeights: UnsafePointer<Double>,
        leaves: UnsafePointer<UInt8>?, steps: UnsafePointer<Double>?, _ scales: Scales,
        into gradients: UnsafeMutablePointer<SIMD2<Int32>>
    ) {
        gradients.withMemoryRebound(to: Int32.self, capacity: 2 * rows.upperBound) { pairs in
            mtlk_logistic_gradients(
                scores, signedWeights, leaves, steps, rows.lowerBound, rows.count, scales.gradient,
                scales.hessian, pairs)
        }
    }
}

extension NarrowCell: ClassificationCell {
    static func scales(total: Double, largest: Double, curvature: Double, countShift: Int) -> Scales {
        (
            gradient: Double(MTLK_NARROW_GRADIENT - 1) / largest,
            hessian: Double(MTLK_NARROW_HESSIAN - 1) / (largest * curvature)
        )
    }

    /// Whether its grids serve: there are many rows, of which no few outweigh all others, and their Hessians have room.
    static func serves(rows: Int, total: Double, largest: Double, countShift: Int) -> Bool {
        rows >= leastRows && total >= largest * Double(rows) / mostUneven
            && rows < 1 << (countShift - 1 - 12)
    }

    private static let leastRows = 1 << 15
    private static let mostUneven = 16.0

    @inline(__always)
    static func row(gradient: Double, hessian: Double, number: Int) -> UInt32 {
        mtlk_narrow(gradient, hessian, number)
    }

    static func fillLogistic(
        _ rows: Range<Int>, _ scores: UnsafeMutablePointer<Double>, _ signedWeights: UnsafePointer<Double>,
        leaves: UnsafePointer<UInt8>?, steps: UnsafePointer<Double>?, _ scales: Scales,
        into gradients: UnsafeMutablePointer<UInt32>
    ) {
        mtlk_logistic_narrow(
            scores, signedWeights, leaves, steps, rows.lowerBound, rows.count, scales.gradient,
            scales.hessian, gradients)
    }
}
