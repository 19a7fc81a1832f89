import MetaLearnersCore

/// A loss Σ weight·(target − regressor·f)², as both regression (regressor 1) and the R-learner have it.
struct QuadraticLoss {
    /// The weight of each row, nil where all are 1.
    let weights: [Double]?
    /// The regressor of each row, nil where all are 1.
    let regressor: [Double]?
    let target: RowNumbers
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
    ///
    /// - Parameter training: the rows to learn from; of rows that several processes hold, those of this one.
    /// - Throws: what the other processes have to say.
    init(_ task: TrainingTask, training: [Int32], heldOut: [Int32] = []) throws(MetaLearnersError) {
        let regressor: [Double]?
        if case .residual(let values) = task.objective { regressor = values } else { regressor = nil }
        try self.init(
            task.numbers, regressor: regressor, weights: task.weights, training: training, heldOut: heldOut,
            task.features.distribution)
    }

    /// Creates the loss of targets, regressors and weights of rows.
    ///
    /// - Parameter distribution: what joins the processes that hold the other rows to learn from; nil where these are all.
    /// - Throws: what the other processes have to say.
    init(
        _ target: RowNumbers, regressor: [Double]?, weights: [Double]?, training: [Int32],
        heldOut: [Int32] = [], _ distribution: DistributedRows? = nil
    ) throws(MetaLearnersError) {
        self.target = target
        self.weights = weights
        self.regressor = regressor
        func hessian(_ row: Int32) -> Double {
            let weight = weights?[Int(row)] ?? 1
            guard let regressor else { return weight }
            return weight * regressor[Int(row)] * regressor[Int(row)]
        }
        var least = Double.infinity
        var most = 0.0
        if weights == nil, regressor == nil {
            (least, most) = (1, 1)
        } else {
            for rows in [training, heldOut] {
                for row in rows {
                    let hessian = hessian(row)
                    least = min(least, hessian)
                    most = max(most, hessian)
                }
            }
        }
        // Sums are exact, so that they do not depend on which process holds which rows.
        var sums = [ExactSum(), ExactSum()]
        sums[0].add(training) { row in
            (weights?[Int(row)] ?? 1) * (regressor?[Int(row)] ?? 1) * target[Int(row)]
        }
        var count = training.count
        if let distribution {
            count = try distribution.sum(count)
            let range = try distribution.maximum([-least, most])
            (least, most) = (-range[0], range[1])
        }
        let isUniform = regressor == nil && least == most
        if !isUniform { sums[1].add(training, hessian) }
        if let distribution { sums = try distribution.sum(sums) }
        let hessianSum = isUniform ? Double(count) * most : sums[1].value
        let constant = hessianSum > 0 ? sums[0].value / hessianSum : 0
        let base = constant.isFinite ? constant : 0
        self.base = base
        self.hessian = (hessianSum, most)
        commonWeight = isUniform ? most : nil
        var largest = 0.0
        var largestTarget = 0.0
        var total = ExactSum()
        total.add(training) { row in
            let residual = target[Int(row)] - (regressor?[Int(row)] ?? 1) * base
            largest = max(largest, abs(residual))
            largestTarget = max(largestTarget, abs(target[Int(row)]))
            return (weights?[Int(row)] ?? 1) * residual * residual
        }
        var largestHeldOut = 0.0
        for row in heldOut {
            largestHeldOut = max(
                largestHeldOut, abs(target[Int(row)] - (regressor?[Int(row)] ?? 1) * base))
        }
        if let distribution {
            let ofAll = try distribution.maximum([largest, largestTarget, largestHeldOut])
            (largest, largestTarget, largestHeldOut) = (ofAll[0], ofAll[1], ofAll[2])
            total = try distribution.sum([total])[0]
        }
        // Residuals within the rounding errors of the target are none: trees must not fit those.
        let isNoise = largest <= largestTarget * 1e-13
        loss = isNoise ? 0 : total.value
        largestResidual = max(largest, largestHeldOut)
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
