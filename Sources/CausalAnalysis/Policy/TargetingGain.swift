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
        /// From the rows of training whose effects are nearest to those of the rows that are treated.
        case similarRows = "similar_training_rows"
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

    /// The gain of decisions about the rows of a study that have overlap: their number times the mean of Γ_π − Γ_0.
    ///
    /// - Throws: `unsupported` where the study has no scores.
    package init(_ study: CausalStudy, _ decisions: [Int32], level: Double) throws(MetaLearnersError) {
        let evaluation = try PolicyEvaluation(study)
        self.init(
            .theseRows, evaluation.gain(decisions),
            times: Double(study.hasOverlap?.count { $0 } ?? study.rowCount), level: level)
    }

    /// The gain of decisions about other rows than those of training, if these are like them: the number of treated rows times the
    /// mean of Γ_π − Γ_0 over the training rows that the same rule, applied to their out-of-fold effects, treats. Where costs differ by row, those of
    /// the training rows are not known, and where whole clusters share a budget, other clusters fill it otherwise: each treated row is then stood for by
    /// the training rows whose out-of-fold effects of its arm are nearest to its own.
    ///
    /// - Parameters:
    ///   - study: the rows of training, out of fold.
    ///   - allocation: what was decided about the other rows.
    ///   - decisions: its decisions, 0 for rows whose gain is not to count, such as those without overlap.
    ///   - treatedEffects: τ_k of the other rows, for each arm but the control.
    ///   - limit: by what limit.
    ///   - costs: the cost of each arm but the control, where it is the same for every row; nil where it is not.
    ///   - byCluster: whether whole clusters are treated.
    /// - Returns: nil where the rule treats no row of training.
    /// - Throws: `unsupported` where the study has no scores or no effects.
    package static func ofTraining(
        _ study: CausalStudy, _ allocation: TreatmentAllocation, _ decisions: [Int32],
        of treatedEffects: [[Double]], _ limit: TreatmentAllocation.Limit, costs: [Double]?, byCluster: Bool,
        level: Double
    ) throws(MetaLearnersError) -> TargetingGain? {
        let treatedCount = decisions.count { $0 > 0 }
        guard treatedCount > 0 else { return nil }
        let evaluation = try PolicyEvaluation(study)
        let effects = try study.decidingEffects(limit)
        // Whole clusters leave room that smaller ones fill up, by no one threshold.
        let fillsUp = if case .threshold = limit { false } else { byCluster }
        guard !fillsUp, let costs = limit.ignoresCosts ? [] : costs else {
            return ofSimilar(evaluation, effects, decisions, treatedEffects, level: level)
        }
        let rule: TreatmentAllocation.Limit =
            if case .threshold = limit { limit } else { .threshold(allocation.lastSlope.nextDown) }
        let own = try? TreatmentAllocation(
            effects: effects,
            // Without any cost each treated row costs 1.
            costs: costs.isEmpty ? nil : costs.map { [Double](repeating: $0, count: study.rowCount) },
            weights: evaluation.weights, units: byCluster ? study.clusters : nil, limit: rule)
        guard let own, own.treatedWeight > 0 else { return nil }
        let gains = zip(evaluation.scores(own.decisions), evaluation.scores(arm: 0)).map { $0 - $1 }
        let estimate = NormalEstimate(
            scores: gains, shares: own.decisions.map { $0 > 0 ? 1 : 0 }, weights: evaluation.weights,
            clusters: study.clusters)
        return TargetingGain(
            .trainingRows,
            allowingForOrder(
                estimate, evaluation, gains: gains, picked: own.decisions.map { $0 > 0 ? 1 : 0 },
                random: evaluation.gains(atRandomAs: own.decisions)),
            times: Double(treatedCount), level: level)
    }

    /// The estimate with an error that allows for how effects picked the rows of training (`CausalStudy.allowingForOrder`): the contrast with
    /// as many rows of each arm at random counts twice.
    ///
    /// - Parameters:
    ///   - estimate: Σ w·gain ÷ Σ w·picked.
    ///   - gains: what each row says of the gain of those that it stands for.
    ///   - picked: how many rows it stands for.
    ///   - random: what each row says of the gain of a row that is treated at random.
    private static func allowingForOrder(
        _ estimate: NormalEstimate, _ evaluation: PolicyEvaluation, gains: [Double], picked: [Double],
        random: [Double]
    ) -> NormalEstimate {
        guard evaluation.study.orderingErrorFactor > 1 else { return estimate }
        let weights = evaluation.weights
        var (ofPicked, total) = (0.0, 0.0)
        for (row, weight) in weights.enumerated() where weight > 0 {
            ofPicked += weight * picked[row]
            total += weight
        }
        guard ofPicked > 0 else { return estimate }
        let mean = evaluation.mean(random).estimate
        // Influences on the contrast, as those of a mean over all rows.
        let influences = gains.indices.map { row in
            (gains[row] - estimate.estimate * picked[row]) * total / ofPicked - (random[row] - mean)
        }
        return estimate.withError(adding: evaluation.mean(influences).stdError)
    }

    /// Σ over treated rows of the mean of Γ_k − Γ_0 over the training rows whose τ_k is like theirs (`EffectBins`).
    private static func ofSimilar(
        _ evaluation: PolicyEvaluation, _ effects: [[Double]], _ decisions: [Int32],
        _ treatedEffects: [[Double]], level: Double
    ) -> TargetingGain? {
        let study = evaluation.study
        let control = evaluation.scores(arm: 0)
        var scores = [Double](repeating: 0, count: study.rowCount)
        var shares = scores
        var random = scores
        let treatedCount = decisions.count { $0 > 0 }
        for arm in 1..<study.armCount {
            let bins = EffectBins(effects[arm - 1], weights: evaluation.weights)
            guard bins.count > 0 else { return nil }
            var treated = [Double](repeating: 0, count: bins.count)
            for (row, decision) in decisions.enumerated() where decision == Int32(arm) {
                treated[bins.bin(of: treatedEffects[arm - 1][row])] += 1
            }
            let ofArm = evaluation.scores(arm: arm)
            let armShare = treated.reduce(0, +) / Double(treatedCount)
            for row in random.indices { random[row] += armShare * (ofArm[row] - control[row]) }
            for (row, bin) in bins.codes.enumerated() where bin >= 0 {
                let share = treated[Int(bin)] / bins.weights[Int(bin)]
                shares[row] += share
                scores[row] += share * (ofArm[row] - control[row])
            }
        }
        let estimate = NormalEstimate(
            scores: scores, shares: shares, weights: evaluation.weights, clusters: study.clusters)
        return TargetingGain(
            .similarRows,
            allowingForOrder(estimate, evaluation, gains: scores, picked: shares, random: random),
            times: Double(treatedCount), level: level)
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
