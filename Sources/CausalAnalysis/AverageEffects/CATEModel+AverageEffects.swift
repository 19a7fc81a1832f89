import MetaLearners
import MetaLearnersCore

extension CATEModel {
    /// The average effect of each arm against control, by AIPW from the model's nuisances, whatever the learner.
    ///
    /// On the rows of training the nuisances are out of fold; on other rows they are the models' predictions. Outcome means
    /// are those of models of each arm, whatever the learner: the effects have no part in them. An outcome of several
    /// classes has an average effect on the probability of each: by arm, and within an arm by class.
    ///
    /// - Parameters:
    ///   - estimand: over whom to average.
    ///   - dataset: the rows to average over; nil for those of training.
    ///   - level: the level of the intervals, between 0 and 1.
    /// - Throws: `invalidArgument` for a level that is none; `unsupported` for the rows of training where the model was saved without
    ///   them, and for a model without outcomes of each arm; `invalidData` where `dataset` lacks a column or its arms are not those of training.
    public func averageEffects(
        _ estimand: Estimand, on dataset: CausalDataset? = nil, level: Double = AverageEffect.standardLevel,
        _ options: ExecutionOptions = ExecutionOptions()
    ) throws(MetaLearnersError) -> [AverageEffect] {
        try AverageEffect.requireLevel(level)
        guard hasAverageEffects else {
            throw MetaLearnersError(
                .unsupported, at: "model",
                "it has no models of the outcome in each arm, which average effects take",
                remedy: "fit with average_effects: true")
        }
        if let dataset {
            let scheduler = Scheduler(options)
            guard training?.fingerprint == dataset.fingerprint(scheduler.context) else {
                return try averageEffects(estimand, onNew: dataset, level, options)
            }
        }
        guard let training else {
            throw MetaLearnersError(
                .unsupported, at: "model", "it was saved without its training rows",
                remedy: "give the data, or fit with keep_training: true")
        }
        let outcome = try Outcome(training.outcome, kind: outcomeKind)
        return try byClass(outcome, training.nuisances) {
            values, nuisances, outcomeClass throws(MetaLearnersError) in
            let estimator = try AugmentedInverseProbability(
                outcome: values, arms: training.arms, labels: armLabels, weights: training.weights,
                clusters: training.clusters, nuisances: nuisances, outcomeClass: outcomeClass)
            return try estimator.effects(estimand, level: level)
        }
    }

    /// The estimates of `body` for the outcome or, where it is of several classes, for whether it is each of these.
    private func byClass(
        _ outcome: Outcome, _ nuisances: NuisanceEstimates,
        _ body: ([Double], NuisanceEstimates, (index: Int, label: String)?) throws(MetaLearnersError)
            -> [AverageEffect]
    ) throws(MetaLearnersError) -> [AverageEffect] {
        let classes = outcomeKind.effectClasses
        guard !classes.isEmpty else { return try body(outcome.values, nuisances, nil) }
        var lists: [[AverageEffect]] = []
        for (index, label) in classes.enumerated() {
            lists.append(
                try body(outcome.indicators(ofClass: index), nuisances.ofClass(index), (index, label)))
        }
        return (0..<armLabels.count - 1).flatMap { arm in lists.map { $0[arm] } }
    }

    private func averageEffects(
        _ estimand: Estimand, onNew dataset: CausalDataset, _ level: Double, _ options: ExecutionOptions
    ) throws(MetaLearnersError) -> [AverageEffect] {
        guard dataset.treatment.labels == armLabels else {
            throw MetaLearnersError(
                .invalidData, at: "treatment",
                "has the arms \(dataset.treatment.labels.joined(separator: ", ")), the model "
                    + armLabels.joined(separator: ", "),
                remedy: "set data.control, or use rows of the same arms")
        }
        let nuisances = try nuisances(on: dataset, options)
        guard dataset.outcome.kind.effectClasses == outcomeKind.effectClasses else {
            throw MetaLearnersError(
                .invalidData, at: "outcome",
                "is \(dataset.outcome.kind.name) with other values than that of the model, which is "
                    + outcomeKind.name,
                remedy: "set data.outcome_type as in the fit, and use rows with the same classes")
        }
        return try byClass(dataset.outcome, nuisances) {
            values, nuisances, outcomeClass throws(MetaLearnersError) in
            let estimator = try AugmentedInverseProbability(
                outcome: values, arms: dataset.treatment.arms, labels: armLabels, weights: dataset.weights,
                clusters: dataset.clusters, nuisances: nuisances, outcomeClass: outcomeClass)
            return try estimator.effects(estimand, level: level)
        }
    }
}
