import MetaLearnersCore

/// How rows are ordered and grouped by effects of theirs that are out of fold.
///
/// Within a fold such an order is honest: the model has seen none of its outcomes. Between folds it is not. What the models of a fold say
/// on average is what is the case on average in all other folds, high where the fold's own is low, so that fold against fold the order seems to
/// be upside down. And an average over folds has a larger error than its rows tell, because the rows of each two folds meet twice: some
/// train the model that the others judge, and the other way round.
extension CausalStudy {
    /// τ_k as rows are ordered and grouped by it.
    ///
    /// Of effects that are out of fold, the mean within each fold (of every repeat) is moved to that of all rows; where nothing is left of their
    /// differences, all are one number. Others are as they are. O(rows × repeats).
    func orderingEffect(_ arm: Int) throws(MetaLearnersError) -> [Double] {
        let effects = try effect(arm)
        // (A fold that is one cluster may have one effect, and its model many.)
        guard isCrossFitted, clusters.map({ Set($0).count > repeats[0].count }) ?? true else {
            return effects
        }
        return FoldLevels(repeats, weights: rowWeights).removed(from: effects)
    }

    /// Whether an order by the effects of an arm leaves everybody who counts in one place.
    func isUndivided(_ arm: Int) throws(MetaLearnersError) -> Bool {
        let effects = try orderingEffect(arm)
        let weights = rowWeights
        guard let first = effects.indices.first(where: { weights[$0] > 0 }) else { return true }
        return effects.indices.allSatisfy { weights[$0] <= 0 || effects[$0] == effects[first] }
    }

    /// τ_k as it stands, each row by itself; one number for everybody where the models of folds see no differences at all.
    func ownEffect(_ arm: Int) throws(MetaLearnersError) -> [Double] {
        try isUndivided(arm) ? orderingEffect(arm) : effect(arm)
    }

    /// τ_k for each arm but the control, as treatment is decided by it: under a threshold each row by its own effect, and as rows are
    /// ordered where they compete for room.
    package func decidingEffects(_ limit: TreatmentAllocation.Limit) throws(MetaLearnersError) -> [[Double]] {
        var effects: [[Double]] = []
        for arm in 1..<armCount {
            if case .threshold = limit {
                effects.append(try ownEffect(arm))
            } else {
                effects.append(try orderingEffect(arm))
            }
        }
        return effects
    }

    /// What standard errors of contrasts between rows that effects order are multiplied by: `FoldLevels.orderingErrorFactor` for effects that
    /// are out of fold, and 1 for all others.
    var orderingErrorFactor: Double { isCrossFitted ? FoldLevels.orderingErrorFactor : 1 }

    /// The mean of a number over rows that effects have picked, with an error that allows for how they were picked.
    ///
    /// It is the mean of all rows and a contrast of the picked ones with all; the contrast's variance counts twice (`orderingErrorFactor`).
    ///
    /// - Parameters:
    ///   - estimate: the mean over the picked rows with its plain error.
    ///   - values: the number of each row.
    ///   - weights: with which each row was picked, 0 for others.
    /// - Complexity: O(rows).
    func allowingForOrder(
        _ estimate: NormalEstimate, of values: [Double], picked weights: [Double]
    ) -> NormalEstimate {
        guard isCrossFitted else { return estimate }
        let all = rowWeights
        let picked = weights.reduce(0, +)
        let total = all.reduce(0, +)
        guard picked > 0, total > 0 else { return estimate }
        let mean = values.indices.reduce(0) { all[$1] > 0 ? $0 + all[$1] * values[$1] : $0 } / total
        let count = Double(all.count { $0 > 0 })
        // Influences, whose sum is 0.
        let influences = values.indices.map { row in
            all[row] > 0
                ? weights[row] * (values[row] - estimate.estimate) / picked
                    - all[row] * (values[row] - mean) / total : 0
        }
        let contrast = NormalEstimate(
            scores: influences, shares: [Double](repeating: 1 / count, count: values.count),
            weights: all.map { $0 > 0 ? 1 : 0 }, clusters: clusters)
        return estimate.withError(adding: contrast.stdError)
    }

    /// The same for the means of groups that effects have sorted rows into.
    func allowingForOrder(_ means: GroupMeans, of values: [Double], groups: [Int32]) -> [NormalEstimate?] {
        let weights = rowWeights
        return means.estimates.enumerated().map { group, estimate in
            estimate.map {
                allowingForOrder(
                    $0, of: values, picked: groups.indices.map { groups[$0] == group ? weights[$0] : 0 })
            }
        }
    }

    /// Whether effects are those of models that never saw the row, of folds that see each other's.
    private var isCrossFitted: Bool { origin == .outOfFold && repeats.first?.isCrossFitted ?? false }
}

/// What a sum of one number for each fold of each repeat explains of a list, by least squares.
package struct FoldLevels {
    /// √2: what standard errors of contrasts between rows that are ordered by effects out of fold are multiplied by.
    ///
    /// Where effects do not differ at all, Σ_k A_k over folds, with A_k the contrast of fold k by the model of all others, counts each pair of
    /// folds twice, and its variance is up to twice the sum of theirs: exactly so for models that are linear in their targets, whatever the number of folds
    /// (the sum is a U-statistic), and less for trees. Where effects differ a lot, errors with it are too large.
    package static let orderingErrorFactor = 2.0.squareRoot()

    private let repeats: [FoldAssignment]
    private let weights: [Double]

    /// - Parameter weights: of each row; rows of weight 0 do not count, and are moved as the others are.
    package init(_ repeats: [FoldAssignment], weights: [Double]) {
        self.repeats = repeats
        self.weights = weights
    }

    /// The list without it, around the mean of all; that mean for every row where nothing but rounding is left.
    package func removed(from values: [Double]) -> [Double] {
        let total = weights.reduce(0, +)
        guard total > 0 else { return values }
        let mean = zip(values, weights).reduce(0) { $0 + $1.0 * $1.1 } / total
        var rest = values.map { $0 - mean }
        let scale = values.reduce(0) { max($0, abs($1)) }
        // One repeat needs one round; several meet in all combinations of their folds, and few rounds do.
        for _ in 0..<(repeats.count > 1 ? 20 : 1) {
            var moved = 0.0
            for folds in repeats { moved = max(moved, center(&rest, folds)) }
            if moved <= 1e-14 * scale { break }
        }
        guard rest.indices.contains(where: { weights[$0] > 0 && abs(rest[$0]) > 1e-12 * scale }) else {
            return [Double](repeating: mean, count: values.count)
        }
        return rest.map { $0 + mean }
    }

    /// Takes the mean of each fold away, and says how large the largest was.
    private func center(_ values: inout [Double], _ folds: FoldAssignment) -> Double {
        var sums = [Double](repeating: 0, count: folds.count)
        var totals = sums
        for row in values.indices {
            sums[Int(folds.folds[row])] += weights[row] * values[row]
            totals[Int(folds.folds[row])] += weights[row]
        }
        let means = zip(sums, totals).map { $1 > 0 ? $0 / $1 : 0 }
        for row in values.indices { values[row] -= means[Int(folds.folds[row])] }
        return means.reduce(0) { max($0, abs($1)) }
    }
}
