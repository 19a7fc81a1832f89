import MetaLearnersCore

/// Σ w·(t − r·τ)² as boosting needs it; squared error is the case r = 1.
///
/// With τ = level + f/scale, the loss of a row in f is half of a·f² − 2·b·f, a = w·r², b = w·r·(t − r·level)·scale:
/// no division by r anywhere, so that rows with r near 0 have next to no influence.
struct QuadraticLoss: BoostingLoss {
    /// The constant that minimises the loss: Σ w·r·t / Σ w·r².
    let level: Double
    /// A power of two that brings f to about 1, whatever the unit of the target: XGBoost computes in single precision
    /// and starts from ½.
    let scale: Double
    /// Whether every row has the Hessian 1.
    let isUnit: Bool
    /// Whether the constant is all there is to learn.
    let isFlat: Bool
    let gradientMagnitude: Double
    let hessianMagnitude: Double
    /// The mean of the Hessians.
    let meanHessian: Double
    private let curvature: NumberBuffer<Double>
    private let slope: NumberBuffer<Double>

    var outputs: Int { 1 }

    /// Reads target, regressor and weights of `rows`; the level is that of the rows that `learned` lists by position.
    ///
    /// - Throws: `invalidData` where the regressor is not finite; `numericalFailure` where sums overflow.
    init(_ task: TrainingTask, rows: [Int32], learned: [Int]) throws(MetaLearnersError) {
        var regressor: [Double]?
        if case .residual(let values) = task.objective { regressor = values }
        curvature = NumberBuffer(repeating: 1, count: rows.count)
        slope = NumberBuffer(repeating: 0, count: rows.count)
        // Deviations from a first target make the mean of a constant target exact.
        let start = regressor == nil ? task.target[Int(rows[learned.first ?? 0])] : 0
        for (position, row) in rows.enumerated() {
            let row = Int(row)
            let factor = regressor?[row] ?? 1
            guard factor.isFinite else {
                throw MetaLearnersError(.invalidData, at: "regressor", "row \(row + 1) has \(factor)")
            }
            let weight = task.weights?[row] ?? 1
            curvature.start[position] = weight * factor * factor
            slope.start[position] = weight * factor * (task.target[row] - factor * start)
        }
        var total = 0.0
        var sum = 0.0
        for position in learned {
            total += curvature.start[position]
            sum += slope.start[position]
        }
        let shift = total > 0 ? sum / total : 0
        level = start + shift
        var largest = 0.0
        var absolute = 0.0
        var largestCurvature = 0.0
        for position in rows.indices {
            let centred = slope.start[position] - curvature.start[position] * shift
            slope.start[position] = centred
            largest = max(largest, abs(centred))
            largestCurvature = max(largestCurvature, curvature.start[position])
        }
        for position in learned { absolute += abs(slope.start[position]) }
        guard level.isFinite, total.isFinite, largest.isFinite, absolute.isFinite,
            largestCurvature < 1e30
        else {
            throw MetaLearnersError(
                .numericalFailure, at: "backend 'xgboost'", "the sums of the target overflow",
                remedy: "rescale the target or the weights")
        }
        // The rounding of the level itself is nothing to be learned.
        let isNoise = absolute <= 1e-14 * abs(level) * total
        isFlat = total <= 0 || absolute == 0 || (regressor == nil && isNoise)
        let typical = total > 0 ? absolute / total : 0
        let exponent = isFlat ? 0 : -Int(max(typical, .leastNormalMagnitude).exponent)
        scale = Double(sign: .plus, exponent: min(max(exponent, -1000), 1000), significand: 1)
        for position in rows.indices { slope.start[position] *= scale }
        gradientMagnitude = largest * scale
        hessianMagnitude = largestCurvature
        meanHessian = total / Double(max(learned.count, 1))
        isUnit = regressor == nil && task.weights == nil
    }

    func differentiate(
        _ range: Range<Int>, _ state: RoundState, gradients: GradientGrid, hessians: GradientGrid
    ) -> Double {
        let margins = state.margins.start
        let base = state.margins.base
        let a = curvature.start
        let b = slope.start
        let gradient = state.gradients.start
        let hessian = state.hessians.start
        var largest = 0.0
        if let active = state.active?.start {
            for index in range {
                let isActive = active[index] != 0
                let value = a[index] * (Double(margins[index]) - base) - b[index]
                let exact = isActive ? value : 0
                largest = max(largest, abs(exact))
                gradient[index] = Float(gradients.rounded(exact))
                hessian[index] = isActive ? Float(hessians.rounded(a[index])) : 0
            }
        } else {
            for index in range {
                let value = a[index] * (Double(margins[index]) - base) - b[index]
                largest = max(largest, abs(value))
                gradient[index] = Float(gradients.rounded(value))
                hessian[index] = Float(hessians.rounded(a[index]))
            }
        }
        return largest
    }

    func loss(of position: Int, _ margins: RoundState.MarginPointer) -> Double {
        let value = Double(margins.start[position]) - margins.base
        return (curvature.start[position] * value - 2 * slope.start[position]) * value
    }
}
