import MetaLearnersCore

/// Scores whose means are values of policies: doubly robust and by inverse probability weighting.
///
/// - DR: Γ_{π(i)}, with Γ_k = μ_k + 1{W=k}(Y − μ_k)/e_k (Dudík, Langford & Li 2011; Athey & Wager 2021).
/// - IPW, normalised (Hájek): Σ w 1{W=π}Y/e_π ÷ Σ w 1{W=π}/e_π; its scores are θ + (a − θb)/b̄, whose mean is θ and
///   whose standard error is that of the ratio.
struct PolicyEvaluation {
    /// How a policy is valued.
    enum Method: String, CaseIterable {
        case dr
        case ipw
    }

    let study: CausalStudy
    let weights: [Double]
    private let armScores: [[Double]]

    init(_ study: CausalStudy) throws(MetaLearnersError) {
        self.study = study
        weights = study.rowWeights
        var scores: [[Double]] = []
        for arm in 0..<study.armCount { scores.append(try study.armScores(arm)) }
        armScores = scores
    }

    /// The doubly robust score of each row under the arm that is decided for it.
    func scores(_ decisions: [Int32]) -> [Double] {
        decisions.indices.map { armScores[Int(decisions[$0])][$0] }
    }

    /// The same under one arm for everybody.
    func scores(arm: Int) -> [Double] { armScores[arm] }

    /// The scores of a policy's value by a method.
    func scores(_ decisions: [Int32], _ method: Method) throws(MetaLearnersError) -> [Double] {
        switch method {
        case .dr: return scores(decisions)
        case .ipw: return try inverseProbabilityScores { decisions[$0] == study.arms[$0] ? 1 : 0 }
        }
    }

    /// The scores of a policy that draws each row's arm at random with the same probabilities.
    func scores(random shares: [Double], _ method: Method) throws(MetaLearnersError) -> [Double] {
        switch method {
        case .dr:
            return (0..<study.rowCount).map { row in
                shares.indices.reduce(0) { $0 + shares[$1] * armScores[$1][row] }
            }
        case .ipw: return try inverseProbabilityScores { shares[Int(study.arms[$0])] }
        }
    }

    private func inverseProbabilityScores(_ probability: (Int) -> Double) throws(MetaLearnersError)
        -> [Double]
    {
        var propensities: [[Double]] = []
        for arm in 0..<study.armCount { propensities.append(try study.propensity(arm)) }
        let factors = (0..<study.rowCount).map { row in
            probability(row) / propensities[Int(study.arms[row])][row]
        }
        var (sum, total, weight) = (0.0, 0.0, 0.0)
        for row in factors.indices {
            sum += weights[row] * factors[row] * study.outcome[row]
            total += weights[row] * factors[row]
            weight += weights[row]
        }
        guard total > 0 else { return [Double](repeating: .nan, count: factors.count) }
        let (theta, mean) = (sum / total, total / weight)
        return factors.indices.map { theta + factors[$0] * (study.outcome[$0] - theta) / mean }
    }

    /// The weighted mean of scores, with its error.
    func mean(_ scores: [Double]) -> NormalEstimate {
        NormalEstimate(
            scores: scores, shares: [Double](repeating: 1, count: scores.count), weights: weights,
            clusters: study.clusters)
    }

    /// The weighted mean of the difference of two policies' scores, with its error.
    func difference(_ scores: [Double], _ others: [Double]) -> NormalEstimate {
        mean(zip(scores, others).map { $0 - $1 })
    }

    /// An estimate of a policy that effects decide, with an error that allows for how they were ordered (`CausalStudy.allowingForOrder`):
    /// the contrast of the policy with one that gives as many each arm at random counts twice.
    func allowingForOrder(_ estimate: NormalEstimate, _ own: [Double], random: [Double]) -> NormalEstimate {
        guard study.orderingErrorFactor > 1, random.allSatisfy(\.isFinite) else { return estimate }
        return estimate.withError(adding: difference(own, random).stdError)
    }

    /// The gain of decisions that effects make over treating nobody.
    func gain(_ decisions: [Int32]) -> NormalEstimate {
        let own = scores(decisions)
        let shares = shares(decisions)
        let random = (0..<study.rowCount).map { row in
            shares.indices.reduce(0) { $0 + shares[$1] * armScores[$1][row] }
        }
        return allowingForOrder(difference(own, armScores[0]), own, random: random)
    }

    /// What each row says of the gain over arm 0 of a row that is treated at random: the contrasts of its arms with arm 0, each arm counting by its
    /// share among those whom `decisions` treat.
    func gains(atRandomAs decisions: [Int32]) -> [Double] {
        let shares = shares(decisions)
        let treated = shares.dropFirst().reduce(0, +)
        return (0..<study.rowCount).map { row in
            shares.indices.dropFirst().reduce(0) {
                $0 + shares[$1] / treated * (armScores[$1][row] - armScores[0][row])
            }
        }
    }

    /// The share of each arm among decisions, by weight.
    func shares(_ decisions: [Int32]) -> [Double] {
        var shares = [Double](repeating: 0, count: study.armCount)
        for row in decisions.indices { shares[Int(decisions[row])] += weights[row] }
        let total = shares.reduce(0, +)
        return shares.map { total > 0 ? $0 / total : 0 }
    }

    /// The assumptions of every value of a policy.
    static let assumptions = [
        Assumption.noConfounding,
        "Everybody could have been in every arm that the policy may give (overlap).",
        "What happens to one unit does not depend on how others are treated.",
        Assumption.moreIsBetter,
    ]

    /// How much the scores can be trusted for decisions made of effects.
    static func warnings(_ study: CausalStudy) -> [String] {
        study.origin == .given
            ? [
                "The effects were computed elsewhere: unless the rows had no part in fitting them, the policy's value is too good to be true."
            ]
            : []
    }
}
