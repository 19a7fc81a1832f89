import CTreeKernels

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
