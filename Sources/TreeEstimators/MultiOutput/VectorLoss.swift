/// A loss of several scores at once.
///
/// Scores, gradients and Hessians are in units of its own, in which they are near 1; scores may start anywhere.
protocol VectorLoss: Sendable {
    var layout: VectorLayout { get }
    /// The scores before any tree, in the units of predictions.
    var baseScores: [Double] { get }
    /// The scores before any tree, in the loss's units.
    var startScores: [Double] { get }
    /// What one unit of each output's score stands for.
    var scoreUnits: [Double] { get }
    /// What one unit of the loss stands for.
    var lossUnit: Double { get }
    /// Whether there is nothing that trees could improve.
    var isHopeless: Bool { get }
    /// The largest entry of a row's Hessian matrix whatever the scores are.
    var hessianBound: Double { get }
    /// Whether Hessians do not depend on the scores.
    var isQuadratic: Bool { get }
    /// What bounds the gradient of each output, times the largest `steepness` of a row.
    var gradientBounds: [Double] { get }

    /// What bounds a row's gradients; 1 where it does not depend on the scores.
    func steepness(_ row: Int, _ scores: UnsafePointer<Double>) -> Double

    /// Writes the descent gradients of a row and, where they are asked for, the entries of its Hessian matrix.
    func differentiate(
        _ row: Int, _ scores: UnsafePointer<Double>, gradients: UnsafeMutablePointer<Double>,
        hessian: UnsafeMutablePointer<Double>?)

    /// The loss of a row.
    func loss(_ row: Int, _ scores: UnsafePointer<Double>) -> Double
}

extension VectorLoss {
    /// A power of two near `magnitude`, 1 where that is 0; within 2^±`limit`, so that products of several are finite.
    static func powerOfTwo(_ magnitude: Double, limit: Int = 480) -> Double {
        guard magnitude > 0, magnitude.isFinite else { return 1 }
        let exponent = min(max(Int(magnitude.exponent), -limit), limit)
        return Double(sign: .plus, exponent: exponent, significand: 1)
    }
}
