import MetaLearnersCore

/// A second look at overlap, whatever the propensity's model, by the trees of a second opinion.
///
/// A model that cannot follow how the arms were assigned, such as a logistic one, may find every row comparable where
/// hardly any is. There is a warning where the trees predict held-out
/// treatments better than the propensity in use does, and put rows outside the bounds that this one puts inside; and where
/// the treatments of these rows agree: next to none of them is in the arm that the trees rule out.
struct OverlapCheck {
    /// From this share of the rows looked at on there is a warning.
    static let leastShare = 0.02
    /// How many columns the warning names.
    private static let namedColumns = 3

    let opinion: SecondOpinion

    private var remedy: String {
        (opinion.bringsModels
            ? "use a learner such as dr with models.propensity: trees" : "use models.propensity: trees")
            + " and overlap.policy: trim to keep to the rows that can be compared"
    }

    /// What the trees say against the propensities in use, once the graph has run.
    ///
    /// - Parameter used: of the training rows, after the overlap policy.
    func warnings(_ used: NuisanceEstimates) throws(MetaLearnersError) -> [String] {
        guard let (shares, models) = opinion.shares(), let own = used.propensities else { return [] }
        let (arms, armCount, overlap) = (opinion.arms, opinion.armCount, opinion.overlap)
        var propensities: [[Double]] = []
        for values in own { propensities.append(try opinion.gathered(values)) }
        let hasOverlap = try used.hasOverlap.map { flags throws(MetaLearnersError) in
            try opinion.gathered(flags.map { $0 ? 1 : 0 })
        }
        var count = 0
        var counterparts = 0
        var advantage = 0.0
        for position in arms.indices where hasOverlap?[position] ?? 1 > 0 {
            let own = Int(arms[position])
            func logLikelihood(_ share: Double) -> Double {
                Double.log(min(max(share, overlap.low()), overlap.high()))
            }
            advantage +=
                logLikelihood(shares[position * armCount + own]) - logLikelihood(propensities[own][position])
            // With two arms the treated one is judged, the control being the rest.
            for arm in armCount == 2 ? 1..<2 : 0..<armCount {
                let share = shares[position * armCount + arm]
                let isBelow = share < overlap.low()
                guard isBelow || share > overlap.high(), propensities[arm][position] > overlap.low(),
                    propensities[arm][position] < overlap.high()
                else { continue }
                count += 1
                if (own == arm) == isBelow { counterparts += 1 }
                break
            }
        }
        let ruledOut = max(overlap.low(), 1 - overlap.high())
        guard advantage > 0, Double(count) >= Self.leastShare * Double(arms.count),
            Double(counterparts) <= 2 * ruledOut * Double(count)
        else { return [] }
        let sampled = arms.count < opinion.rowCount ? "\(arms.count) sampled" : "\(arms.count)"
        let names = opinion.columnNames(models, count: Self.namedColumns)
        return [
            "overlap: trees tell the arm of \(count) of \(sampled) rows from their covariates, where the propensity in use is "
                + "within \(overlap.usedBounds) (\(counterparts) of them are in an arm that the trees rule out); "
                + (names.isEmpty ? "" : "the arms differ most in \(names); ")
                + "average effects over these rows are extrapolation, which their intervals do not cover: "
                + remedy
        ]
    }
}
