import MetaLearnersCore

/// The rows that a predictor is asked about, with what it needs to know of them.
struct PredictorInput {
    /// The covariates, in the order of training; a role's own columns are those that the spec gives it.
    let features: Table
    /// The nuisances that the predictor asked for.
    let nuisances: NuisanceEstimates
    /// Which models answer.
    let selection: ModelSelection
    /// The spec of the model.
    let spec: MetaLearnerSpec
    /// The arms, the control first.
    let armLabels: [String]
    /// The kind of outcome.
    let outcomeKind: Outcome.Kind

    init(
        _ features: Table, _ nuisances: NuisanceEstimates, _ selection: ModelSelection,
        _ spec: MetaLearnerSpec, _ armLabels: [String], _ outcomeKind: Outcome.Kind
    ) {
        self.features = features
        self.nuisances = nuisances
        self.selection = selection
        self.spec = spec
        self.armLabels = armLabels
        self.outcomeKind = outcomeKind
    }
}
