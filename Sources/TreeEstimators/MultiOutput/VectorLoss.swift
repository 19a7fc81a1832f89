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

/// Which sums of rows leaves with several values are found from, and how they lie side by side: the gradients, the
/// entries of the Hessian matrix, the count, and nothing up to a multiple of four.
struct VectorLayout: Sendable, Equatable {
    /// Which entries of a row's Hessian matrix there are.
    enum Hessian: Sendable {
        /// One number: the matrix is a multiple of the identity.
        case common
        /// The diagonal.
        case diagonal
        /// The lower triangle, row by row.
        case full
    }

    /// How many values a leaf has.
    let outputs: Int
    let hessian: Hessian

    /// The lane of the first entry of the Hessian matrix.
    var hessianLane: Int { outputs }
    /// How many entries of the Hessian matrix there are.
    var hessianCount: Int {
        switch hessian {
        case .common: 1
        case .diagonal: outputs
        case .full: outputs * (outputs + 1) / 2
        }
    }
    /// The lane of the number of rows.
    var countLane: Int { outputs + hessianCount }
    /// How many lanes there are.
    var lanes: Int { (countLane + 4) / 4 * 4 }

    /// The lane of entry (`output`, `output`) of the Hessian matrix.
    @inline(__always)
    func diagonalLane(_ output: Int) -> Int {
        switch hessian {
        case .common: outputs
        case .diagonal: outputs + output
        case .full: outputs + output * (output + 3) / 2
        }
    }
}

/// What the integer sums of a leaf with several values stand for, and the penalties in the same terms.
struct VectorUnits: Sendable {
    /// What one unit of each output's gradient sum stands for.
    var gradients: [Double]
    /// What one unit of a Hessian sum stands for.
    var hessian: Double
    /// What one unit of each output's Hessian stands for in the terms of penalties.
    let penalties: [Double]
    /// The penalty λ on the square of each output's value, before it is brought to the units of Hessians.
    let l2: Double
    /// The least sum of each output's Hessian in a leaf, in the terms of penalties.
    let leastHessian: Double
}
