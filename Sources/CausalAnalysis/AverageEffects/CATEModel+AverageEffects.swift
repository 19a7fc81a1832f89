import MetaLearners
import MetaLearnersCore

extension CATEModel {
    /// The average effect of each arm against control, by AIPW from the model's nuisances, whatever the learner.
    ///
    /// On the rows of training the nuisances are out of fold; on other rows they are the models' predictions. For
    /// learners without arm means these follow from m, ē and τ as μ_0 = m − ē·τ and μ_k = m + (1 − ē)·τ.
    ///
    /// - Parameters:
    ///   - estimand: over whom to average.
    ///   - dataset: the rows to average over; nil for those of training.
    /// - Throws: `unsupported` for the rows of training where the model was saved without them; `invalidData`
    ///   where `dataset` lacks a column or its arms are not those of training.
    public func averageEffects(
        _ estimand: Estimand, on dataset: CausalDataset? = nil,
        _ options: ExecutionOptions = ExecutionOptions()
    ) throws(MetaLearnersError) -> [AverageEffect] {
        if let dataset {
            let scheduler = Scheduler(options)
            guard training?.fingerprint == dataset.fingerprint(scheduler.context) else {
                return try averageEffects(estimand, onNew: dataset, options)
            }
        }
        guard let training else {
            throw MetaLearnersError(
                .unsupported, at: "model", "it was saved without its training rows",
                remedy: "give the data, or fit with keep_training: true")
        }
        let estimator = try AugmentedInverseProbability(
            outcome: training.outcome, arms: training.arms, labels: armLabels, weights: training.weights,
            clusters: training.clusters, nuisances: training.nuisances)
        return try effects(estimand, estimator, training.effects)
    }

    private func averageEffects(
        _ estimand: Estimand, onNew dataset: CausalDataset, _ options: ExecutionOptions
    )
        throws(MetaLearnersError) -> [AverageEffect]
    {
        guard dataset.treatment.labels == armLabels else {
            throw MetaLearnersError(
                .invalidData, at: "treatment",
                "has the arms \(dataset.treatment.labels.joined(separator: ", ")), the model "
                    + armLabels.joined(separator: ", "),
                remedy: "set data.control, or use rows of the same arms")
        }
        let nuisances = try nuisances(on: dataset, options)
        let effects: [[Double]] =
            nuisances.armOutcomes.count < armLabels.count
            ? try predict(dataset.covariates, options).effects : []
        return try self.effects(estimand, AugmentedInverseProbability(dataset, nuisances), effects)
    }

    private func effects(
        _ estimand: Estimand, _ estimator: AugmentedInverseProbability, _ effects: [[Double]]
    ) throws(MetaLearnersError) -> [AverageEffect] {
        let nuisances = estimator.nuisances
        var averages: [AverageEffect] = []
        for arm in 1..<armLabels.count {
            if let control = nuisances.armOutcomes[0], let mean = nuisances.armOutcomes[arm] {
                averages.append(estimator.effect(estimand, of: arm, means: (control, mean)))
                continue
            }
            if let mean = nuisances.marginalOutcomes[0], effects.count == armLabels.count - 1 {
                // m = Σ_k e_k μ_k, so that μ_0 = m − Σ_k e_k τ_k.
                let shares = nuisances.propensities ?? []
                let control = mean.indices.map { row in
                    (1..<armLabels.count).reduce(mean[row]) { $0 - shares[$1][row] * effects[$1 - 1][row] }
                }
                let means = (control: control, arm: zip(control, effects[arm - 1]).map { $0 + $1 })
                averages.append(estimator.effect(estimand, of: arm, means: means))
                continue
            }
            // A model fitted here has one of the two; a file may say otherwise.
            guard let mean = nuisances.marginalOutcomes[arm], effects.count >= arm else {
                throw MetaLearnersError(
                    .corruptModel, at: "model", "it has no model of the outcome of arm '\(armLabels[arm])'")
            }
            let share = nuisances.pairPropensity(of: arm)
            let effect = effects[arm - 1]
            averages.append(
                estimator.effect(
                    estimand, of: arm,
                    means: (
                        mean.indices.map { mean[$0] - share[$0] * effect[$0] },
                        mean.indices.map { mean[$0] + (1 - share[$0]) * effect[$0] }
                    )))
        }
        return averages
    }
}
