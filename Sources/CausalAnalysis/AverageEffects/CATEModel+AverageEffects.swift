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
    ///   - options: how to run. With a collective, the average is over the training rows of all processes of the fit, each of
    ///     which calls this.
    /// - Throws: `invalidArgument` for a level that is none; `unsupported` for the rows of training where the model was saved without
    ///   them, and for a model without outcomes of each arm; `invalidData` where `dataset` lacks a column or its arms are not those of training.
    public func averageEffects(
        _ estimand: Estimand, on dataset: CausalDataset? = nil, level: Double = AverageEffect.standardLevel,
        _ options: ExecutionOptions = ExecutionOptions()
    ) throws(MetaLearnersError) -> [AverageEffect] {
        guard let collective = options.collective else {
            return try averageEffects(estimand, ofRowsOf: dataset, level: level, options)
        }
        do throws(MetaLearnersError) {
            try requireAverageEffects(level)
            guard dataset == nil else {
                throw MetaLearnersError(
                    .unsupported, at: "dataset",
                    "averages over other rows than those of training take no part in a collective call yet",
                    remedy: "leave the dataset out")
            }
        } catch {
            // The other processes are about to begin.
            collective.refuse(because: error)
            throw error
        }
        return try averageEffectsOfAllProcesses(estimand, level: level, collective)
    }

    private func requireAverageEffects(_ level: Double) throws(MetaLearnersError) {
        try AverageEffect.requireLevel(level)
        guard hasAverageEffects else {
            throw MetaLearnersError(
                .unsupported, at: "model",
                "it has no models of the outcome in each arm, which average effects take",
                remedy: "fit with average_effects: true")
        }
    }

    private func averageEffects(
        _ estimand: Estimand, ofRowsOf dataset: CausalDataset?, level: Double, _ options: ExecutionOptions
    ) throws(MetaLearnersError) -> [AverageEffect] {
        try requireAverageEffects(level)
        let classes = outcomeKind.effectClasses
        let studies = try CausalStudy.ofEveryClass(self, on: dataset, options)
        var lists: [[AverageEffect]] = []
        for (index, study) in studies.enumerated() {
            lists.append(
                try study.averageEffects(
                    estimand, level: level, ofClass: classes.isEmpty ? nil : (index, classes[index])))
        }
        return (0..<armLabels.count - 1).flatMap { arm in lists.map { $0[arm] } }
    }
}
