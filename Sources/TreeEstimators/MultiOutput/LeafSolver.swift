import MetaLearnersCore

/// Solves the small linear system of a leaf with several values: (H + Λ) v = G, where Λ is the diagonal of penalties.
///
/// It owns the memory that it works in, and serves one thread at a time.
final class LeafSolver {
    private let layout: VectorLayout
    private let units: VectorUnits
    private let factor: AlignedBuffer<Double>
    private let reduced: AlignedBuffer<Double>
    /// The units of the first two outputs, at hand.
    private let unit: Double
    private let gradientUnits: (Double, Double)
    private let penalties: (Double, Double)

    /// A pivot below this share of its diagonal entry is a rounding error: the value is not determined, and 0.
    private static let leastPivot = 1e-12

    /// Creates a solver.
    ///
    /// - Throws: `outOfMemory`.
    init(_ layout: VectorLayout, _ units: VectorUnits) throws(MetaLearnersError) {
        self.layout = layout
        self.units = units
        unit = units.hessian
        let last = layout.outputs > 1 ? 1 : 0
        gradientUnits = (units.gradients[0], units.gradients[last])
        penalties = (units.penalties[0], units.penalties[last])
        factor = try AlignedBuffer(uninitialized: layout.outputs * layout.outputs)
        reduced = try AlignedBuffer(uninitialized: layout.outputs)
    }

    /// Whether each output has the Hessian that it needs.
    @inline(__always)
    func admits(_ sums: UnsafePointer<Double>) -> Bool {
        for output in 0..<layout.outputs
        where sums[layout.diagonalLane(output)] * units.hessian
            < units.leastHessian * units.penalties[output]
        {
            return false
        }
        return true
    }

    /// Gᵀ(H + Λ)⁻¹G: twice what the loss falls by the best values.
    ///
    /// - Parameter extraL2: what is added to every penalty.
    func score(_ sums: UnsafePointer<Double>, extraL2: Double = 0) -> Double {
        if layout.hessian == .full {
            if layout.outputs == 2, let score = scoreOfTwo(sums, extraL2) { return score }
            factorize(sums, extraL2)
            var score = 0.0
            for output in 0..<layout.outputs { score += reduced.start[output] * reduced.start[output] }
            return score
        }
        var score = 0.0
        for output in 0..<layout.outputs {
            let hessian =
                sums[layout.diagonalLane(output)] * units.hessian
                + (units.l2 + extraL2) * units.penalties[output]
            let gradient = sums[output] * units.gradients[output]
            if hessian > 0 { score += gradient * gradient / hessian }
        }
        return score
    }

    /// The same for two values, in closed form; nil where the matrix is all but singular.
    @inline(__always)
    private func scoreOfTwo(_ sums: UnsafePointer<Double>, _ extraL2: Double) -> Double? {
        let penalty = units.l2 + extraL2
        let first = sums[2] * unit + penalty * penalties.0
        let both = sums[3] * unit
        let second = sums[4] * unit + penalty * penalties.1
        let determinant = first * second - both * both
        guard determinant > first * second * 1e-6 else { return nil }
        let x = sums[0] * gradientUnits.0
        let y = sums[1] * gradientUnits.1
        return (x * x * second - 2 * x * y * both + y * y * first) / determinant
    }

    /// The values that minimise the loss.
    func values(_ sums: UnsafePointer<Double>) -> [Double] {
        let outputs = layout.outputs
        guard layout.hessian == .full else {
            return (0..<outputs).map { output in
                let hessian =
                    sums[layout.diagonalLane(output)] * units.hessian + units.l2 * units.penalties[output]
                return hessian > 0 ? sums[output] * units.gradients[output] / hessian : 0
            }
        }
        factorize(sums, 0)
        SmallCholesky.substitute(factor.start, order: outputs, reduced.start)
        return Array(UnsafeBufferPointer(start: reduced.start, count: outputs))
    }

    /// Writes the Cholesky factor L of H + Λ, and L⁻¹G. Rows that depend on those before them are left out.
    private func factorize(_ sums: UnsafePointer<Double>, _ extraL2: Double) {
        let outputs = layout.outputs
        let entries = sums + layout.hessianLane
        var entry = 0
        for row in 0..<outputs {
            reduced.start[row] = sums[row] * units.gradients[row]
            let line = factor.start + row * outputs
            for column in 0...row {
                line[column] = entries[entry] * units.hessian
                entry += 1
            }
            line[row] += (units.l2 + extraL2) * units.penalties[row]
        }
        _ = SmallCholesky.factorize(
            factor.start, order: outputs, reduced.start, leastPivot: Self.leastPivot)
    }
}
