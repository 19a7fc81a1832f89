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
    /// The prior weight of the first candidate, the constant; the others share the rest alike.
    var constantPrior = 0.5

    /// The weights of candidates with the given losses, the constant's first.
    ///
    /// - Parameters:
    ///   - losses: the R-loss of each candidate, a sum over rows with weights of mean 1.
    ///   - count: how many rows the sums are over.
    func weights(losses: [Double], rowCount count: Double) -> [Double] {
        guard losses.count > 1, let least = losses.min() else { return losses.map { _ in 1 } }
        let noise = least / count
        let shared = (1 - constantPrior) / Double(losses.count - 1)
        let raw = losses.enumerated().map { index, loss in
            let prior = index == 0 ? constantPrior : shared
            guard noise > 0 else { return loss == least ? prior : 0 }
            return prior * Double.exp(-(loss - least) / (2 * temperature * noise))
        }
        let total = raw.reduce(0, +)
        return raw.map { $0 / total }
    }
}
