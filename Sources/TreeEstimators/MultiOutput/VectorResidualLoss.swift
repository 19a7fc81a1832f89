import MetaLearnersCore

/// Σ weight·(target − Σ_k regressor_k·τ_k)²: the R-learner's loss of several arms at once.
struct VectorResidualLoss: VectorLoss {
    let layout: VectorLayout
    let baseScores: [Double]
    let scoreUnits: [Double]
    let isHopeless: Bool
    let gradientBounds: [Double]
    let hessianBound: Double
    /// What the base scores leave of the targets, in units of `scale`; row by row.
    private let residuals: [Double]
    /// The regressors, each near 1: those of a row side by side.
    private let regressors: [Double]
    private let weights: [Double]?
    private let scale: Double

    /// - Throws: `outOfMemory`.
    init(_ target: [Double], regressors: [[Double]], weights: [Double]?, training: [Int32], rows: [Int32])
        throws(MetaLearnersError)
    {
        let outputs = regressors.count
        layout = VectorLayout(outputs: outputs, hessian: .full)
        self.weights = weights
        let largestRegressors = regressors.map { values in
            training.reduce(0) { max($0, abs(values[Int($1)])) }
        }
        let regressorScales = largestRegressors.map { Self.powerOfTwo($0, limit: 300) }
        var scaled = [Double](repeating: 0, count: target.count * outputs)
        for row in rows {
            for (output, values) in regressors.enumerated() {
                scaled[Int(row) * outputs + output] = values[Int(row)] / regressorScales[output]
            }
        }
        let magnitude = training.reduce(0) { max($0, abs(target[Int($1)])) }
        let targetScale = Self.powerOfTwo(magnitude)
        let constants = try Self.constants(
            target, scaled, weights, training, layout: layout, targetScale: targetScale)
        var residuals = [Double](repeating: 0, count: target.count)
        for row in rows {
            var residual = target[Int(row)] / targetScale
            for output in 0..<outputs { residual -= scaled[Int(row) * outputs + output] * constants[output] }
            residuals[Int(row)] = residual
        }
        let largest = training.reduce(0) { max($0, abs(residuals[Int($1)])) }
        let total = training.reduce(0) { $0 + (weights?[Int($1)] ?? 1) }
        isHopeless =
            !(largest > 1e-13) || !largest.isFinite || largestRegressors.allSatisfy { $0 == 0 }
            || !total.isFinite
        // The second power of two brings what is left of the target near 1.
        let residualScale = Self.powerOfTwo(largest)
        scale = targetScale * residualScale
        self.residuals = residuals.map { $0 / residualScale }
        self.regressors = scaled
        scoreUnits = regressorScales.map { targetScale * residualScale / $0 }
        baseScores = zip(constants, regressorScales).map { $0 * targetScale / $1 }
        gradientBounds = (0..<outputs).map { output in
            training.reduce(0) { largest, row in
                let row = Int(row)
                return max(largest, (weights?[row] ?? 1) * abs(scaled[row * outputs + output]))
            }
        }
        hessianBound = training.reduce(0) { largest, row in
            let row = Int(row)
            let regressor = (0..<outputs).reduce(0) { max($0, abs(scaled[row * outputs + $1])) }
            return max(largest, (weights?[row] ?? 1) * regressor * regressor)
        }
    }

    /// The constants that minimise the loss, for scaled regressors and targets.
    private static func constants(
        _ target: [Double], _ regressors: [Double], _ weights: [Double]?, _ training: [Int32],
        layout: VectorLayout, targetScale: Double
    ) throws(MetaLearnersError) -> [Double] {
        let outputs = layout.outputs
        var sums = [Double](repeating: 0, count: layout.lanes)
        for row in training {
            let row = Int(row)
            let weight = weights?[row] ?? 1
            var lane = outputs
            for first in 0..<outputs {
                let slope = weight * regressors[row * outputs + first]
                sums[first] += slope * (target[row] / targetScale)
                for second in 0...first {
                    sums[lane] += slope * regressors[row * outputs + second]
                    lane += 1
                }
            }
        }
        let none = [Double](repeating: 0, count: outputs)
        let units = VectorUnits(
            gradients: none.map { _ in 1 }, hessian: 1, penalties: none, l2: 0, leastHessian: 0)
        let constants = try LeafSolver(layout, units).values(sums)
        return constants.allSatisfy(\.isFinite) ? constants : none
    }

    var startScores: [Double] { baseScores.map { _ in 0 } }
    var lossUnit: Double { scale * scale }
    var isQuadratic: Bool { true }

    func steepness(_ row: Int, _ scores: UnsafePointer<Double>) -> Double { abs(residual(row, scores)) }

    private func residual(_ row: Int, _ scores: UnsafePointer<Double>) -> Double {
        var residual = residuals[row]
        let first = row * layout.outputs
        for output in 0..<layout.outputs { residual -= regressors[first + output] * scores[output] }
        return residual
    }

    func differentiate(
        _ row: Int, _ scores: UnsafePointer<Double>, gradients: UnsafeMutablePointer<Double>,
        hessian: UnsafeMutablePointer<Double>?
    ) {
        let weight = weights?[row] ?? 1
        let slope = weight * residual(row, scores)
        let outputs = layout.outputs
        let start = row * outputs
        for output in 0..<outputs { gradients[output] = slope * regressors[start + output] }
        guard let hessian else { return }
        var entry = 0
        for first in 0..<outputs {
            let slope = weight * regressors[start + first]
            for second in 0...first {
                hessian[entry] = slope * regressors[start + second]
                entry += 1
            }
        }
    }

    func loss(_ row: Int, _ scores: UnsafePointer<Double>) -> Double {
        let residual = residual(row, scores)
        return residual * residual * (weights?[row] ?? 1)
    }
}
