import MetaLearnersCore

/// Σ w·log(1 + exp(∓score)), the deviance of two classes: gradient w·(p − y), Hessian w·p·(1 − p).
struct LogisticLoss: BoostingLoss {
    let gradientMagnitude: Double
    var hessianMagnitude: Double { gradientMagnitude }
    private let offset: Double
    private let labels: AlignedBuffer<UInt8>
    private let weights: AlignedBuffer<Double>?

    var outputs: Int { 1 }

    /// Reads labels and weights of `rows`; `offset` is the score that boosting starts from.
    ///
    /// - Throws: `outOfMemory`.
    init(_ task: TrainingTask, rows: [Int32], offset: Double) throws(MetaLearnersError) {
        self.offset = offset
        labels = try ClassPrior.labels(task, rows)
        weights = try ClassPrior.weights(task, rows)
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
            let share = Logistic.share(Double(margins[index]) + offset)
            gradient[index] = Float(gradients.rounded(weight * (share - Double(labels[index]))))
            hessian[index] = Float(hessians.rounded(weight * (share * (1 - share))))
        }
        return 0
    }

    func loss(of position: Int, _ margins: RoundState.MarginPointer) -> Double {
        let score = Double(margins.start[position]) - margins.base + offset
        return (weights?.start[position] ?? 1)
            * Logistic.softplus(labels.start[position] != 0 ? -score : score)
    }
}
