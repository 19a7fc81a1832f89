import MetaLearners
import MetaLearnersCore

/// What an allocation of treatment can be expected to gain in all, with its interval.
package struct TargetingGain: Sendable, Equatable {
    /// Where the estimate comes from.
    package enum Basis: String, Sendable {
        /// From the outcomes of the very rows, whose effects are out of fold.
        case theseRows = "these_rows"
        /// From the rows of training: from those whom the same rule would treat.
        case trainingRows = "training_rows"
    }

    package let basis: Basis
    /// The gain over treating nobody, summed up over the rows.
    package let estimate: Double
    package let stdError: Double
    package let lower: Double
    package let upper: Double
    package let level: Double

    private init(_ basis: Basis, _ estimate: NormalEstimate, times factor: Double, level: Double) {
        let interval = estimate.interval(level: level)
        self.basis = basis
        self.estimate = estimate.estimate * factor
        stdError = estimate.stdError * factor
        lower = interval.lower * factor
        upper = interval.upper * factor
        self.level = level
    }

    /// The gain of decisions about the rows of a study: its number of rows times the mean of Γ_π − Γ_0.
    ///
    /// - Throws: `unsupported` where the study has no scores.
    package init(_ study: CausalStudy, _ decisions: [Int32], level: Double) throws(MetaLearnersError) {
        let evaluation = try PolicyEvaluation(study)
        self.init(
            .theseRows, evaluation.difference(evaluation.scores(decisions), evaluation.scores(arm: 0)),
            times: Double(study.rowCount), level: level)
    }

    /// The gain of decisions about other rows than those of training, if these are like them: the number of treated rows times the
    /// mean of Γ_π − Γ_0 over the training rows that the same rule, applied to their out-of-fold effects, treats.
    ///
    /// - Parameters:
    ///   - study: the rows of training, out of fold.
    ///   - allocation: what was decided about the other rows.
    ///   - limit: by what limit.
    ///   - costs: the cost of each arm but the control, where it is the same for every row; nil where it is not.
    ///   - byCluster: whether whole clusters are treated.
    /// - Returns: nil where the rule treats no row of training.
    /// - Throws: `unsupported` where the study has no scores or no effects.
    package static func ofTraining(
        _ study: CausalStudy, _ allocation: TreatmentAllocation, _ limit: TreatmentAllocation.Limit,
        costs: [Double]?, byCluster: Bool, level: Double
    ) throws(MetaLearnersError) -> TargetingGain? {
        guard allocation.treatedCount > 0 else { return nil }
        let evaluation = try PolicyEvaluation(study)
        var effects: [[Double]] = []
        for arm in 1..<study.armCount { effects.append(try study.orderingEffect(arm)) }
        var rule = limit
        switch limit {
        case .threshold: break
        case .share: rule = .threshold(allocation.lastSlope.nextDown)
        case .budget:
            rule =
                costs == nil
                ? .share(Double(allocation.treatedCount) / Double(max(allocation.decisions.count, 1)))
                : .threshold(allocation.lastSlope.nextDown)
        }
        let own = try? TreatmentAllocation(
            effects: effects,
            // Without any cost each treated row costs 1.
            costs: limit.ignoresCosts || costs?.isEmpty != false
                ? nil : costs.map { $0.map { [Double](repeating: $0, count: study.rowCount) } },
            weights: evaluation.weights, units: byCluster ? study.clusters : nil, limit: rule)
        guard let own, own.treatedWeight > 0 else { return nil }
        let gains = zip(evaluation.scores(own.decisions), evaluation.scores(arm: 0)).map { $0 - $1 }
        let estimate = NormalEstimate(
            scores: gains, shares: own.decisions.map { $0 > 0 ? 1 : 0 }, weights: evaluation.weights,
            clusters: study.clusters)
        return TargetingGain(
            .trainingRows, estimate, times: Double(allocation.treatedCount), level: level)
    }

    /// The gain of treating as many rows as were treated, each arm as often, but drawn at random: Σ_k n_k times the average effect of
    /// arm k, estimated on the rows of the study.
    ///
    /// - Throws: `unsupported` where the study has no scores.
    package static func atRandom(
        _ study: CausalStudy, _ decisions: [Int32], basis: Basis, level: Double
    ) throws(MetaLearnersError) -> TargetingGain {
        let evaluation = try PolicyEvaluation(study)
        var counts = [Double](repeating: 0, count: study.armCount)
        for arm in decisions where arm > 0 { counts[Int(arm)] += 1 }
        var gains = [Double](repeating: 0, count: study.rowCount)
        let control = evaluation.scores(arm: 0)
        for arm in 1..<study.armCount where counts[arm] > 0 {
            for (row, score) in evaluation.scores(arm: arm).enumerated() {
                gains[row] += counts[arm] * (score - control[row])
            }
        }
        return TargetingGain(basis, evaluation.mean(gains), times: 1, level: level)
    }

    /// The gain as results have it.
    package var specValue: SpecValue {
        [
            "estimate": .number(estimate), "std_error": .number(stdError), "lower": .number(lower),
            "upper": .number(upper), "level": .number(level), "basis": .string(basis.rawValue),
        ]
    }
}
