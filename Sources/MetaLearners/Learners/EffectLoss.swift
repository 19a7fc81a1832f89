import MetaLearnersCore

/// A loss of effects that can be computed without knowing the true ones: the R-loss (Nie & Wager 2021,
/// arXiv 1712.04912) and the DR-loss, the squared distance to doubly robust scores (Kennedy 2023, arXiv 2004.14497).
///
/// `auto` and `ensemble` weigh their members by it; models can be compared by it. Effects must come from models that have
/// not seen the rows.
public enum EffectLoss: String, Sendable, CaseIterable {
    /// Σ ω·((Y − m) − (W − ē)·τ(X))², over the rows of the arm and of the control.
    case r
    /// Σ ω·(ψ − τ(X))², ψ being the doubly robust scores, over all rows.
    case dr

    /// The learner whose effect model minimises the loss.
    private var learner: any MetaLearner {
        switch self {
        case .r: RLearner()
        case .dr: DRLearner()
        }
    }

    /// The nuisances that the loss is made of.
    public func nuisanceRoles(armCount: Int) -> [NuisanceRole] { learner.nuisanceRoles(armCount: armCount) }

    /// What effects of `arm` are compared with.
    ///
    /// - Parameter nuisances: those of `nuisanceRoles`, out of fold.
    /// - Throws: `internalFault` where one of them is not there.
    public func target(of arm: Int, _ dataset: CausalDataset, _ nuisances: NuisanceEstimates)
        throws(MetaLearnersError) -> PseudoOutcome
    {
        try learner.pseudoOutcome(EffectRole(arm: arm), dataset, nuisances)
    }
}

extension PseudoOutcome {
    /// Σ ω·(value − residual·effect)² over the rows that take part; residuals of one are those of a regression.
    ///
    /// - Parameters:
    ///   - effects: one for each row of the dataset.
    ///   - weights: ω of each row; nil for 1.
    /// - Complexity: O(rows).
    public func loss(of effects: [Double], weights: [Double]? = nil) -> Double {
        let slopes = residuals.first
        return rows.reduce(0.0) { sum, row in
            let row = Int(row)
            let error = values[row] - (slopes?[row] ?? 1) * effects[row]
            return sum + (weights?[row] ?? 1) * error * error
        }
    }
}
