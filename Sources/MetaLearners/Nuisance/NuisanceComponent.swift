import MetaLearnersCore

/// One nuisance of a dataset: its models, what they say out of fold, and what decided both.
struct NuisanceComponent: Sendable {
    /// Which nuisance.
    let role: NuisanceRole
    /// The base learner with every parameter, its columns and its seed, as JSON: equal ones give equal models.
    let origin: String
    /// The models.
    var models: CrossFittedModels
    /// As `CrossFitter.Fit.outOfFold`.
    var outOfFold: [[Double]]
    /// As `CrossFitter.Fit.outOfPairs`; empty where nobody asked.
    var outOfPairs: [[[[Double]]]]

    /// Which of `parts` are not there.
    func missing(of parts: CrossFitter.Parts) -> CrossFitter.Parts {
        var missing = parts
        if !outOfFold.isEmpty { missing.remove(.folds) }
        if !outOfPairs.isEmpty { missing.remove(.pairs) }
        if models.fullModel != nil { missing.remove(.full) }
        return missing
    }

    /// Takes over what was fitted later.
    mutating func add(_ fit: CrossFitter.Fit) {
        models = CrossFittedModels(
            foldModels: models.foldModels.isEmpty ? fit.models.foldModels : models.foldModels,
            fullModel: models.fullModel ?? fit.models.fullModel)
        if outOfFold.isEmpty { outOfFold = fit.outOfFold }
        if outOfPairs.isEmpty { outOfPairs = fit.outOfPairs }
    }
}
