import MetaLearnersCore

/// −Σ w·log(p_y), the deviance of several classes: gradient w·(p_c − 1{y = c}), Hessian 2·w·p_c·(1 − p_c), XGBoost's own.
struct SoftmaxLoss: BoostingLoss {
    let outputs: Int
    let gradientMagnitude: Double
    var hessianMagnitude: Double { gradientMagnitude }
    private let offsets: [Double]
    private let labels: AlignedBuffer<Int32>
    private let weights: AlignedBuffer<Double>?

    /// Reads labels and weights of `rows`; `offsets` are the scores that boosting starts from, one a class.
    ///
    /// - Throws: `outOfMemory`.
    init(_ task: TrainingTask, rows: [Int32], offsets: [Double]) throws(MetaLearnersError) {
        outputs = offsets.count
        self.offsets = offsets
        labels = try ClassPrior.labels(task, rows)
        weights = try ClassPrior.weights(task, rows)
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
            return -(weights?.start[position] ?? 1) * Double.log(max(share, .leastNormalMagnitude))
        }
    }

    private func fillShares(
        _ shares: UnsafeMutableBufferPointer<Double>, _ index: Int, _ margins: RoundState.MarginPointer
    ) {
        guard let start = shares.baseAddress else { return }
        for output in 0..<outputs {
            start[output] =
                Double(margins.start[index * outputs + output]) - margins.base + offsets[output]
        }
        Softmax.replace(start, count: outputs)
    }
}
