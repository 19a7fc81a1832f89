import MetaLearnersCore

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// Σ w·log(1 + exp(∓score)), the deviance of two classes: gradient w·(p − y), Hessian w·p·(1 − p).
struct LogisticLoss: BoostingLoss {
    let gradientMagnitude: Double
    var hessianMagnitude: Double { gradientMagnitude }
    private let offset: Double
    private let labels: NumberBuffer<UInt8>
    private let weights: NumberBuffer<Double>?

    var outputs: Int { 1 }

    /// Reads labels and weights of `rows`; `offset` is the score that boosting starts from.
    init(_ task: TrainingTask, rows: [Int32], offset: Double) {
        self.offset = offset
        labels = ClassPrior.labels(task, rows)
        weights = ClassPrior.weights(task, rows)
        gradientMagnitude = ClassPrior.largestWeight(weights)
    }

    func differentiate(
        _ range: Range<Int>, _ state: RoundState, gradients: GradientGrid, hessians: GradientGrid
    ) -> Double {
        let margins = state.margins.start
        let offset = offset - state.margins.base
        let labels = labels.start
        let weights = weights?.start
        let active = state.active?.start
        let gradient = state.gradients.start
        let hessian = state.hessians.start
        for index in range {
            let weight = (weights?[index] ?? 1) * (active.map { Double($0[index]) } ?? 1)
            let share = 1 / (1 + exp(-(Double(margins[index]) + offset)))
            gradient[index] = Float(gradients.rounded(weight * (share - Double(labels[index]))))
            hessian[index] = Float(hessians.rounded(weight * (share * (1 - share))))
        }
        return 0
    }

    func loss(of position: Int, _ margins: RoundState.MarginPointer) -> Double {
        let score = Double(margins.start[position]) - margins.base + offset
        let signed = labels.start[position] != 0 ? -score : score
        // log(1 + exp(s)) without overflow.
        return (weights?.start[position] ?? 1) * (max(signed, 0) + log1p(exp(-abs(signed))))
    }
}
