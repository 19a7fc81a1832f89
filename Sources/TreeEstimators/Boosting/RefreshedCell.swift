import CTreeKernels
import MetaLearnersCore

/// Cells of rows whose gradients and Hessians are made anew for each tree.
protocol RefreshedCell: HistogramCell {
    /// What a row's gradient and Hessian are multiplied by, so that no row and no sum of rows is too large for its place.
    static func scales(_ magnitudes: GradientMagnitudes, countShift: Int) -> GradientScales
    /// A row of scaled numbers.
    static func row(gradient: Double, hessian: Double, number: Int) -> Row
    /// `mtlk_logistic_gradients` for such rows.
    static func fillLogistic(
        _ rows: Range<Int>, _ scores: UnsafeMutablePointer<Double>, _ signedWeights: UnsafePointer<Double>,
        leaves: UnsafePointer<UInt8>?, steps: UnsafePointer<Double>?, _ scales: GradientScales,
        into gradients: UnsafeMutablePointer<Row>)
}

/// What the gradients and Hessians of some rows come to without their signs, and the largest of them; or bounds of these.
struct GradientMagnitudes {
    var gradient = 0.0
    var hessian = 0.0
    var largestGradient = 0.0
    var largestHessian = 0.0

    /// Adds a row.
    @inline(__always)
    mutating func add(gradient: Double, hessian: Double) {
        self.gradient += gradient
        self.hessian += hessian
        largestGradient = max(largestGradient, gradient)
        largestHessian = max(largestHessian, hessian)
    }

    /// Adds other rows.
    mutating func add(_ other: GradientMagnitudes) {
        gradient += other.gradient
        hessian += other.hessian
        largestGradient = max(largestGradient, other.largestGradient)
        largestHessian = max(largestHessian, other.largestHessian)
    }
}

/// What gradients and Hessians are multiplied by to become integers.
struct GradientScales {
    var gradient: Double
    var hessian: Double
}

extension ShortCell: RefreshedCell {
    static func scales(_ magnitudes: GradientMagnitudes, countShift: Int) -> GradientScales {
        // Sums stay below 2^60, and below the count; the words of a row below 2^31.
        GradientScales(
            gradient: min(
                BoostingProblem.scale(magnitudes.gradient, bits: 60),
                BoostingProblem.scale(magnitudes.largestGradient, bits: 30)),
            hessian: min(
                BoostingProblem.scale(magnitudes.hessian, bits: countShift - 1),
                BoostingProblem.scale(magnitudes.largestHessian, bits: 30)))
    }

    @inline(__always)
    static func row(gradient: Double, hessian: Double, number: Int) -> SIMD2<Int32> {
        SIMD2(BoostingProblem.rounded(gradient), BoostingProblem.rounded(hessian))
    }

    static func fillLogistic(
        _ rows: Range<Int>, _ scores: UnsafeMutablePointer<Double>, _ signedWeights: UnsafePointer<Double>,
        leaves: UnsafePointer<UInt8>?, steps: UnsafePointer<Double>?, _ scales: GradientScales,
        into gradients: UnsafeMutablePointer<SIMD2<Int32>>
    ) {
        gradients.withMemoryRebound(to: Int32.self, capacity: 2 * rows.upperBound) { pairs in
            mtlk_logistic_gradients(
                scores, signedWeights, leaves, steps, rows.lowerBound, rows.count, scales.gradient,
                scales.hessian, pairs)
        }
    }
}

extension NarrowCell: RefreshedCell {
    static func scales(_ magnitudes: GradientMagnitudes, countShift: Int) -> GradientScales {
        // (Less one, as rounding may go up.)
        func scale(_ places: Int32, _ largest: Double) -> Double {
            largest > 0 ? Double(places - 1) / largest : 1
        }
        return GradientScales(
            gradient: scale(MTLK_NARROW_GRADIENT, magnitudes.largestGradient),
            hessian: scale(MTLK_NARROW_HESSIAN, magnitudes.largestHessian))
    }

    /// Whether its grids serve so many rows with such sizes: there are many, of which no few outweigh all others, their
    /// Hessians have room in a sum, and sizes are within the range of single precision.
    ///
    /// - Parameters:
    ///   - total: the sum of what gradients and Hessians go by, weights say.
    ///   - largest: the largest of these.
    static func serves(rows: Int, total: Double, largest: Double, countShift: Int) -> Bool {
        let hessianBits = Int.bitWidth - Int(MTLK_NARROW_HESSIAN).leadingZeroBitCount
        return rows >= leastRows && rows < 1 << (countShift - 1 - hessianBits)
            && total >= largest * Double(rows) / mostUneven && sizes.contains(largest)
    }

    private static let leastRows = 1 << 15
    private static let mostUneven = 256.0
    private static let sizes = 1e-30...1e30

    @inline(__always)
    static func row(gradient: Double, hessian: Double, number: Int) -> UInt32 {
        mtlk_narrow(gradient, hessian, number)
    }

    static func fillLogistic(
        _ rows: Range<Int>, _ scores: UnsafeMutablePointer<Double>, _ signedWeights: UnsafePointer<Double>,
        leaves: UnsafePointer<UInt8>?, steps: UnsafePointer<Double>?, _ scales: GradientScales,
        into gradients: UnsafeMutablePointer<UInt32>
    ) {
        mtlk_logistic_narrow(
            scores, signedWeights, leaves, steps, rows.lowerBound, rows.count, scales.gradient,
            scales.hessian, gradients)
    }
}
