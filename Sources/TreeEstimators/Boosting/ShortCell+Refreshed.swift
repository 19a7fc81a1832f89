import CTreeKernels

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
