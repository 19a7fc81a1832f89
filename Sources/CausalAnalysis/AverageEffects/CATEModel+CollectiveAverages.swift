import MetaLearners
import MetaLearnersCore

extension CATEModel {
    /// The average effects over the training rows of all processes of a collective fit, in each of them: sums are exact, so that
    /// they are to the bit those of one process whose nuisances are the same (standard errors by clusters but for rounding).
    ///
    /// - Throws: `invalidArgument` where the processes do not have the training rows of the model between them.
    func averageEffectsOfAllProcesses(
        _ estimand: Estimand, level: Double, _ collective: any Collective
    ) throws(MetaLearnersError) -> [AverageEffect] {
        let distribution = try DistributedRows(collective, rows: training?.outcome.count ?? 0)
        do throws(MetaLearnersError) {
            guard distribution.rowCount == trainingRowCount else {
                throw MetaLearnersError(
                    .invalidArgument, at: "collective",
                    "the processes have \(distribution.rowCount) of the \(trainingRowCount) rows that the model was fitted to",
                    remedy:
                        "call it in every process of the fit with the model of that process, with keep_training: true"
                )
            }
            let classes = outcomeKind.effectClasses
            var effects: [AverageEffect] = []
            for arm in 1..<armLabels.count {
                for index in 0..<max(classes.count, 1) {
                    let estimate = try estimate(
                        estimand, of: arm, ofClass: classes.isEmpty ? nil : index, distribution)
                    let interval = estimate.interval(level: level)
                    effects.append(
                        AverageEffect(
                            arm: armLabels[arm], outcomeClass: classes.isEmpty ? nil : classes[index],
                            classIndex: classes.isEmpty ? nil : index, control: armLabels[0],
                            estimand: estimand, estimate: estimate.estimate, stdError: estimate.stdError,
                            lower: interval.lower, upper: interval.upper, level: level,
                            pValue: estimate.pValue))
                }
            }
            try distribution.finish()
            return effects
        } catch {
            distribution.leave(for: error)
            throw error
        }
    }

    private func estimate(
        _ estimand: Estimand, of arm: Int, ofClass index: Int?, _ distribution: DistributedRows
    ) throws(MetaLearnersError) -> NormalEstimate {
        guard let training else {
            return try NormalEstimate(scores: [], shares: [], weights: [], clusters: nil, distribution)
        }
        let nuisances = index.map(training.nuisances.ofClass) ?? training.nuisances
        let outcome =
            index.map { index in training.outcome.map { $0 == Double(index) ? 1 : 0 } } ?? training.outcome
        let weights = training.outcome.indices.map { row in
            training.nuisances.hasOverlap?[row] ?? true ? training.weights?[row] ?? 1 : 0
        }
        let (scores, shares) = AugmentedInverseProbability.scores(
            estimand, of: arm, outcome: outcome, arms: training.arms,
            propensities: (try nuisances.propensity(0), try nuisances.propensity(arm)),
            means: (try nuisances.armOutcome(0), try nuisances.armOutcome(arm)))
        return try NormalEstimate(
            scores: scores, shares: shares, weights: weights, clusters: training.clusters, distribution)
    }
}
