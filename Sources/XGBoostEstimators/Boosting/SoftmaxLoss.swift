import MetaLearnersCore

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// −Σ w·log(p_y), the deviance of several classes: gradient w·(p_c − 1{y = c}), Hessian 2·w·p_c·(1 − p_c), XGBoost's own.
struct SoftmaxLoss: BoostingLoss {
    let outputs: Int
    let gradientMagnitude: Double
    var hessianMagnitude: Double { gradientMagnitude }
    private let offsets: [Double]
    private let labels: NumberBuffer<Int32>
    private let weights: NumberBuffer<Double>?

    /// Reads labels and weights of `rows`; `offsets` are the scores that boosting starts from, one a class.
    init(_ task: TrainingTask, rows: [Int32], offsets: [Double]) {
        outputs = offsets.count
        self.offsets = offsets
        labels = ClassPrior.labels(task, rows)
        weights = ClassPrior.weights(task, rows)
        gradientMagnitude = ClassPrior.largestWeight(weights)
    }

    func differentiate(
        _ range: Range<Int>, _ state: RoundState, gradients: GradientGrid, hessians: GradientGrid
    ) -> Double {
        let gradient = state.gradients.start
        let hessian = state.hessians.start
        withUnsafeTemporaryAllocation(of: Double.self, capacity: outputs) { shares in
            for index in range {
                let weight =
                    (weights?.start[index] ?? 1) * (state.active.map { Double($0.start[index]) } ?? 1)
                fillShares(shares, index, state.margins)
                for output in 0..<outputs {
                    let share = shares[output]
                    let target = Int(labels.start[index]) == output ? 1.0 : 0
                    let cell = index * outputs + output
                    gradient[cell] = Float(gradients.rounded(weight * (share - target)))
                    hessian[cell] = Float(hessians.rounded(weight * (2 * share * (1 - share))))
                }
            }
        }
        return 0
    }

    func loss(of position: Int, _ margins: RoundState.MarginPointer) -> Double {
        withUnsafeTemporaryAllocation(of: Double.self, capacity: outputs) { shares in
            fillShares(shares, position, margins)
            let share = shares[Int(labels.start[position])]
            return -(weights?.start[position] ?? 1) * log(max(share, .leastNormalMagnitude))
        }
    }

    private func fillShares(
        _ shares: UnsafeMutableBufferPointer<Double>, _ index: Int, _ margins: RoundState.MarginPointer
    ) {
        var largest = -Double.infinity
        for output in 0..<outputs {
            shares[output] =
                Double(margins.start[index * outputs + output]) - margins.base + offsets[output]
            largest = max(largest, shares[output])
        }
        var total = 0.0
        for output in 0..<outputs {
            shares[output] = exp(shares[output] - largest)
            total += shares[output]
        }
        for output in 0..<outputs { shares[output] /= total }
    }
}
