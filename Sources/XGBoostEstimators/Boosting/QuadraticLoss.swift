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
    private let curvature: AlignedBuffer<Double>
    private let slope: AlignedBuffer<Double>

    var outputs: Int { 1 }

    /// Reads target, regressor and weights of `rows`; the level is that of the rows that `learned` lists by position.
    ///
    /// Sums are exact and of the rows of all processes, so that they depend on neither order nor partition.
    ///
    /// - Throws: `invalidData` where the regressor is not finite; `numericalFailure` where sums overflow;
    ///   `outOfMemory`; what the other processes of a collective fit have to say.
    init(_ task: TrainingTask, rows: [Int32], learned: [Int]) throws(MetaLearnersError) {
        var regressor: [Double]?
        if case .residual(let values) = task.objective { regressor = values }
        curvature = try AlignedBuffer(uninitialized: rows.count)
        slope = try AlignedBuffer(uninitialized: rows.count)
        // Deviations from a first target make the mean of a constant target exact.
        let distribution = task.features.distribution
        let start = regressor == nil ? try Self.firstTarget(task, rows, learned) : 0
        for (position, row) in rows.enumerated() {
            let row = Int(row)
            let factor = regressor?[row] ?? 1
            guard factor.isFinite else {
                throw MetaLearnersError(
                    .invalidData, at: "regressor", "\(task.features.places.name(row)) has \(factor)")
            }
            let weight = task.weights?[row] ?? 1
            curvature.start[position] = weight * factor * factor
            slope.start[position] = weight * factor * (task.target[row] - factor * start)
        }
        let curvature = curvature
        let slope = slope
        var sums = [ExactSum(), ExactSum()]
        sums[0].add(learned) { curvature.start[$0] }
        sums[1].add(learned) { slope.start[$0] }
        if let distribution { sums = try distribution.sum(sums) }
        let total = sums[0].value
        let shift = total > 0 ? sums[1].value / total : 0
        level = start + shift
        var largest = 0.0
        var largestCurvature = 0.0
        for position in rows.indices {
            let centred = slope.start[position] - curvature.start[position] * shift
            slope.start[position] = centred
            largest = max(largest, abs(centred))
            largestCurvature = max(largestCurvature, curvature.start[position])
        }
        var deviations = ExactSum()
        deviations.add(learned) { abs(slope.start[$0]) }
        var learnedCount = learned.count
        if let distribution {
            deviations = try distribution.sum([deviations])[0]
            learnedCount = try distribution.sum(learnedCount)
            let all = try distribution.maximum([largest, largestCurvature].map { $0.isNaN ? .infinity : $0 })
            largest = all[0]
            largestCurvature = all[1]
        }
        let absolute = deviations.value
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
        meanHessian = total / Double(max(learnedCount, 1))
        isUnit = regressor == nil && task.weights == nil
    }

    /// The target of the first row to learn from, of all processes; 0 where there are none.
    private static func firstTarget(_ task: TrainingTask, _ rows: [Int32], _ learned: [Int])
        throws(MetaLearnersError) -> Double
    {
        let own = learned.first.map { [task.target[Int(rows[$0])]] } ?? []
        return try task.features.distribution.map { distribution throws(MetaLearnersError) in
            try distribution.gather(own)
        }?.first ?? own.first ?? 0
    }

    func differentiate(
        _ range: Range<Int>, _ state: RoundState, gradients: GradientGrid, hessians: GradientGrid
    ) -> Double {
        if let active = state.active?.start {
            let margins = state.margins.start
            let base = state.margins.base
            let a = curvature.start
            let b = slope.start
            let gradient = state.gradients.start
            let hessian = state.hessians.start
            var largest = 0.0
            for index in range {
                let isActive = active[index] != 0
                let value = a[index] * (Double(margins[index]) - base) - b[index]
                let exact = isActive ? value : 0
                largest = max(largest, abs(exact))
                gradient[index] = Float(gradients.rounded(exact))
                hessian[index] = isActive ? Float(hessians.rounded(a[index])) : 0
            }
            return largest
        }
        // They are the same in every round, and XGBoost only reads them.
        if state.isFirst { fillHessians(range, state, hessians) }
        return isUnit
            ? fill(range, state, gradients) { value, _, slope in value - slope }
            : fill(range, state, gradients) { value, curvature, slope in curvature * value - slope }
    }

    /// The gradients of rows that all count, four at a time: a maximum of one number at a time is twice the work.
    @inline(__always)
    private func fill(
        _ range: Range<Int>, _ state: RoundState, _ grid: GradientGrid,
        _ derivative: (SIMD4<Double>, SIMD4<Double>, SIMD4<Double>) -> SIMD4<Double>
    ) -> Double {
        let margins = state.margins.start
        let base = state.margins.base
        let a = curvature.start
        let b = slope.start
        let gradient = state.gradients.start
        var largest = SIMD4<Double>(repeating: 0)
        var index = range.lowerBound
        while index < range.upperBound {
            let count = min(4, range.upperBound - index)
            var margin = SIMD4<Float>(repeating: 0)
            var curvature = SIMD4<Double>(repeating: 0)
            var slope = SIMD4<Double>(repeating: 0)
            if count == 4 {
                margin = UnsafeRawPointer(margins + index).loadUnaligned(as: SIMD4<Float>.self)
                curvature = UnsafeRawPointer(a + index).loadUnaligned(as: SIMD4<Double>.self)
                slope = UnsafeRawPointer(b + index).loadUnaligned(as: SIMD4<Double>.self)
            } else {
                // What lies beyond the range is as if it were solved already.
                margin = SIMD4(repeating: Float(base))
                for lane in 0..<count {
                    margin[lane] = margins[index + lane]
                    curvature[lane] = a[index + lane]
                    slope[lane] = b[index + lane]
                }
            }
            let value = derivative(SIMD4<Double>(margin) - base, curvature, slope)
            largest.replace(with: value, where: value .> largest)
            largest.replace(with: -value, where: -value .> largest)
            let rounded = SIMD4<Float>((value + grid.rounding) - grid.rounding)
            if count == 4 {
                UnsafeMutableRawPointer(gradient + index).storeBytes(of: rounded, as: SIMD4<Float>.self)
            } else {
                for lane in 0..<count { gradient[index + lane] = rounded[lane] }
            }
            index += 4
        }
        return largest.max()
    }

    private func fillHessians(_ range: Range<Int>, _ state: RoundState, _ grid: GradientGrid) {
        for index in range { state.hessians.start[index] = Float(grid.rounded(curvature.start[index])) }
    }

    func loss(of position: Int, _ margins: RoundState.MarginPointer) -> Double {
        let value = Double(margins.start[position]) - margins.base
        return (curvature.start[position] * value - 2 * slope.start[position]) * value
    }
}
