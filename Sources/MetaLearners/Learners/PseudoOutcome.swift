import MetaLearnersCore

/// What an effect model is fitted to.
public struct PseudoOutcome: Sendable {
    /// The target of every row of the dataset.
    public let values: [Double]
    /// The treatment residuals of every row where the model minimises the R-learner's loss, a list for each effect;
    /// none for a regression.
    public let residuals: [[Double]]
    /// The rows that take part, ascending.
    public let rows: [Int32]

    /// A regression of `values` on the covariates.
    public init(_ values: [Double], rows: [Int32]) {
        self.values = values
        self.residuals = []
        self.rows = rows
    }

    /// The function τ that minimises Σ (value − residual·τ(X))².
    public init(_ values: [Double], residualOf residual: [Double], rows: [Int32]) {
        self.values = values
        self.residuals = [residual]
        self.rows = rows
    }

    /// The functions τ_k that together minimise Σ (value − Σ_k residuals[k]·τ_k(X))².
    public init(_ values: [Double], residualsOf residuals: [[Double]], rows: [Int32]) {
        self.values = values
        self.residuals = residuals
        self.rows = rows
    }

    /// What a learner without effect models has.
    public static let none = PseudoOutcome([], rows: [])

    /// The task of a backend that minimises the residual loss, or, for one that does not, the weighted regression
    /// that has the same minimum: of value/residual with weights residual².
    ///
    /// - Parameter features: the covariates that the backend sees; nil for all.
    func task(
        _ dataset: CausalDataset, features: Table? = nil, direct: Bool, seed: UInt64
    ) throws(MetaLearnersError) -> TrainingTask {
        var target = values
        var weights = dataset.weights
        var objective = TrainingTask.Objective.regression
        if residuals.count > 1 {
            objective = .multiResidual(regressors: residuals)
        } else if let residual = residuals.first {
            if direct {
                objective = .residual(regressor: residual)
            } else {
                target = zip(values, residual).map { $1 == 0 ? 0 : $0 / $1 }
                weights = residual.indices.map { (dataset.weights?[$0] ?? 1) * residual[$0] * residual[$0] }
            }
        }
        return try TrainingTask(
            features: features ?? dataset.covariates, rows: rows, target: target, weights: weights,
            clusters: dataset.clusters, objective: objective, seed: seed, cache: dataset.cache,
            isOfEffect: true)
    }
}
