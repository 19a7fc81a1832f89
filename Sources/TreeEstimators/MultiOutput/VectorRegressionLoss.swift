import MetaLearnersCore

/// Σ weight·Σ_k (target_k − f_k)².
struct VectorRegressionLoss: VectorLoss {
    let layout: VectorLayout
    let baseScores: [Double]
    let scoreUnits: [Double]
    let isHopeless: Bool
    let hessianBound: Double
    private let targets: [[Double]]
    private let weights: [Double]?
    private let scale: Double

    init(_ targets: [[Double]], weights: [Double]?, training: [Int32]) {
        self.targets = targets
        self.weights = weights
        layout = VectorLayout(outputs: targets.count, hessian: .common)
        func weight(_ row: Int32) -> Double { weights?[Int(row)] ?? 1 }
        let total = training.reduce(0) { $0 + weight($1) }
        var bases: [Double] = []
        var largest = 0.0
        for target in targets {
            // Deviations from a first value make the mean of a constant target exact.
            let start = training.first.map { target[Int($0)] } ?? 0
            let sum = training.reduce(0) { $0 + weight($1) * (target[Int($1)] - start) }
            let mean = total > 0 ? start + sum / total : start
            let base = mean.isFinite ? mean : start
            bases.append(base)
            let residual = training.reduce(0) { max($0, abs(target[Int($1)] - base)) }
            let magnitude = training.reduce(0) { max($0, abs(target[Int($1)])) }
            // Residuals within the rounding errors of the target are none: trees must not fit those.
            if residual > magnitude * 1e-13 { largest = max(largest, residual) }
        }
        baseScores = bases
        isHopeless = !(largest > 0) || !largest.isFinite || !(total > 0) || !total.isFinite
        scale = Self.powerOfTwo(largest)
        scoreUnits = [Double](repeating: scale, count: targets.count)
        hessianBound = training.reduce(0) { max($0, weight($1)) }
    }

    var startScores: [Double] { baseScores.map { _ in 0 } }
    var lossUnit: Double { scale * scale }
    var isQuadratic: Bool { true }
    var gradientBounds: [Double] { baseScores.map { _ in hessianBound } }

    func steepness(_ row: Int, _ scores: UnsafePointer<Double>) -> Double {
        var largest = 0.0
        for output in 0..<layout.outputs {
            largest = max(largest, abs(residual(output, row, scores[output])))
        }
        return largest
    }

    private func residual(_ output: Int, _ row: Int, _ score: Double) -> Double {
        (targets[output][row] - baseScores[output]) / scale - score
    }

    func differentiate(
        _ row: Int, _ scores: UnsafePointer<Double>, gradients: UnsafeMutablePointer<Double>,
        hessian: UnsafeMutablePointer<Double>?
    ) {
        let weight = weights?[row] ?? 1
        for output in 0..<layout.outputs {
            gradients[output] = weight * residual(output, row, scores[output])
        }
        hessian?[0] = weight
    }

    func loss(_ row: Int, _ scores: UnsafePointer<Double>) -> Double {
        var sum = 0.0
        for output in 0..<layout.outputs {
            let residual = residual(output, row, scores[output])
            sum += residual * residual
        }
        return sum * (weights?[row] ?? 1)
    }
}
