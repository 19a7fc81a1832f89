import MetaLearnersCore

/// A loss Σ weight·(target − regressor·f)², as both regression (regressor 1) and the R-learner have it.
struct QuadraticLoss {
    /// The weight of each row, nil where all are 1.
    let weights: [Double]?
    /// The regressor of each row, nil where all are 1.
    let regressor: [Double]?
    let target: [Double]
    /// The constant that minimises the loss.
    let base: Double
    /// Σ weight·residual², the residuals being those of the constant.
    let loss: Double
    /// Σ weight·regressor² over the training rows, and the largest term of any row.
    let hessian: (sum: Double, largest: Double)
    /// The largest residual of any row.
    let largestResidual: Double
    /// The weight that all rows share, where they do and the regressor is 1.
    let commonWeight: Double?

    /// Creates the loss of the training rows; where rows are held out, its magnitudes hold for these as well.
    init(_ task: TrainingTask, training: [Int32], heldOut: [Int32] = []) {
        target = task.target
        weights = task.weights
        if case .residual(let values) = task.objective { regressor = values } else { regressor = nil }
        var sums = (product: 0.0, hessian: 0.0, largest: 0.0)
        var isUniform = regressor == nil
        let first = training.first.flatMap { row in task.weights?[Int(row)] } ?? 1
        for row in training {
            let weight = weights?[Int(row)] ?? 1
            let factor = regressor?[Int(row)] ?? 1
            isUniform = isUniform && weight == first
            sums.product += weight * factor * target[Int(row)]
            sums.hessian += weight * factor * factor
            sums.largest = max(sums.largest, weight * factor * factor)
        }
        for row in heldOut {
            let weight = weights?[Int(row)] ?? 1
            let factor = regressor?[Int(row)] ?? 1
            isUniform = isUniform && weight == first
            sums.largest = max(sums.largest, weight * factor * factor)
        }
        let constant = sums.hessian > 0 ? sums.product / sums.hessian : 0
        base = constant.isFinite ? constant : 0
        hessian = (sums.hessian, sums.largest)
        commonWeight = isUniform ? first : nil
        var total = 0.0
        var largest = 0.0
        var largestTarget = 0.0
        for row in training {
            let residual = target[Int(row)] - (regressor?[Int(row)] ?? 1) * base
            total += (weights?[Int(row)] ?? 1) * residual * residual
            largest = max(largest, abs(residual))
            largestTarget = max(largestTarget, abs(target[Int(row)]))
        }
        // Residuals within the rounding errors of the target are none: trees must not fit those.
        let isNoise = largest <= largestTarget * 1e-13
        loss = isNoise ? 0 : total
        for row in heldOut {
            largest = max(largest, abs(target[Int(row)] - (regressor?[Int(row)] ?? 1) * base))
        }
        largestResidual = largest
    }

    /// Whether there is nothing that trees could improve, or the numbers are too large to be added.
    var isHopeless: Bool { !(loss > 0) || !loss.isFinite || !(hessian.sum > 0) || !hessian.sum.isFinite }

    /// The magnitude of leaf values: √(loss / Hessian), or the largest residual where that is larger.
    var largestValue: Double {
        max((loss / hessian.sum).squareRoot(), regressor == nil ? largestResidual : 0)
    }

    func weight(_ row: Int) -> Double { weights?[row] ?? 1 }
    func regressor(_ row: Int) -> Double { regressor?[row] ?? 1 }
    func residual(_ row: Int) -> Double { target[row] - regressor(row) * base }
}
