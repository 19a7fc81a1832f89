import MetaLearnersCore

/// Weights of candidate effects that fall exponentially with their out-of-fold R-loss (aggregation with exponential
/// weights: Leung & Barron 2006; Dalalyan & Tsybakov 2008).
///
/// With L_j = Σ ω·(Y − m − (W − e)·τ_j)², s² = min_j L_j / n and a prior π, a_j ∝ π_j·exp(−(L_j − min L)/(2βs²)). Where
/// candidates cannot be told apart the prior decides, and where one is clearly best it takes all; either way the weights
/// move smoothly with the data, unlike those of a selection.
struct ExponentialWeights {
    /// The temperature β: how many times the noise's variance a difference in loss has to be.
    var temperature = 4.0
    /// The prior weight of the first candidate, the constant; the others share the rest alike. Nil where none is preferred.
    var constantPrior: Double? = 0.5

    /// The weights of candidates with the given losses, the constant's first.
    ///
    /// - Parameters:
    ///   - losses: the R-loss of each candidate, a sum over rows with weights of mean 1.
    ///   - count: how many rows the sums are over.
    func weights(losses: [Double], rowCount count: Double) -> [Double] {
        guard losses.count > 1, let least = losses.min() else { return losses.map { _ in 1 } }
        let noise = least / count
        let ofConstant = constantPrior ?? 1 / Double(losses.count)
        let shared = (1 - ofConstant) / Double(losses.count - 1)
        let raw = losses.enumerated().map { index, loss in
            let prior = index == 0 ? ofConstant : shared
            guard noise > 0 else { return loss == least ? prior : 0 }
            return prior * Double.exp(-(loss - least) / (2 * temperature * noise))
        }
        let total = raw.reduce(0, +)
        return raw.map { $0 / total }
    }

    /// The weights of candidates, the mixture of them that has the least loss being one more candidate, whose weight is
    /// shared among its parts.
    ///
    /// Where rows are many, a mixture is better than any of its parts. It was chosen by the rows that judge it, so each of its
    /// parts but one costs a `penalty` in units of the noise's variance (2 would make the loss of known candidates unbiased:
    /// Mallows 1973; Hansen 2007).
    ///
    /// - Parameters:
    ///   - losses: the R-loss of each candidate, a sum over rows with weights of mean 1.
    ///   - mixture: the weights of the mixture; they add up to one.
    ///   - mixtureLoss: its R-loss.
    ///   - count: how many rows the sums are over.
    func weights(
        losses: [Double], mixture: [Double], mixtureLoss: Double, penalty: Double, rowCount count: Double
    ) -> [Double] {
        let noise = min(mixtureLoss, losses.min() ?? mixtureLoss) / count
        let parts = mixture.count { $0 > 1e-3 }
        let all = weights(
            losses: losses + [mixtureLoss + penalty * noise * Double(max(parts - 1, 0))], rowCount: count)
        let rest = all[losses.count]
        return zip(all, mixture).map { $0 + rest * $1 }
    }
}
