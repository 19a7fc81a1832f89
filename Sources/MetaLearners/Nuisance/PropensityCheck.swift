import MetaLearnersCore

/// A second look at average effects: would they be others if the propensity in use listened to the trees of a second opinion?
///
/// The doubly robust estimate is right where the propensity is, or the outcomes are. A propensity whose model cannot follow how the
/// arms were assigned leaves a bias that no standard error knows of. So the propensity in use and the trees are put together by
/// their log-odds, without the fold that is judged and drawn to the propensity in use (`LogOddsStack`, the superlearner of van der
/// Laan, Polley & Hubbard 2007 on the scale of Platt 1999). There is a warning where what comes out predicts held-out treatments
/// better than the propensity in use, as it is and with its log-odds fitted in the same way, by more than chance does in one of
/// twenty cases, and moves an average effect by more than half of its standard error. (Fitted in the same way, because a propensity
/// that is too sure of itself gains by being drawn to the mean, whatever the trees know.) Where rows are a sample, the average must also
/// move by two standard errors of this very difference.
struct PropensityCheck {
    /// How many standard errors better the treatments have to be predicted.
    static let leastAdvantage = 1.645
    /// How many standard errors an average effect has to move.
    static let leastShift = 0.5

    let opinion: SecondOpinion

    /// What the second opinion says of the average effects over the training rows, once the graph has run.
    ///
    /// - Parameters:
    ///   - used: of the training rows, after the overlap policy. Nothing is said where it has no outcomes of the arms, or nobody asks
    ///     for average effects.
    ///   - outcome: of the training rows.
    ///   - labels: of the arms.
    /// - Complexity: O(rows looked at) for each arm.
    func warnings(_ used: NuisanceEstimates, outcome: [Double], labels: [String])
        throws(MetaLearnersError) -> [String]
    {
        // (Outcomes and propensities that nobody asked for are not predicted.)
        guard opinion.hasAverages, used.armOutcomes.count == opinion.armCount,
            let propensities = used.propensities,
            (used.armOutcomes.values + propensities).allSatisfy({ $0.count == used.rowCount })
        else { return [] }
        let hasOverlap = try used.hasOverlap.map { flags throws(MetaLearnersError) in
            try opinion.gathered(flags.map { $0 ? 1 : 0 })
        }
        var ofArms: [(share: [Double], mean: [Double])] = []
        for arm in 0..<opinion.armCount {
            ofArms.append(
                (try opinion.gathered(propensities[arm]), try opinion.gathered(try used.armOutcome(arm))))
        }
        let outcome = try opinion.gathered(outcome)
        let rows = opinion.arms.indices.filter { hasOverlap?[$0] ?? 1 > 0 && outcome[$0].isFinite }
        var found: [String] = []
        for arm in 1..<opinion.armCount {
            guard let shift = try shift(of: arm, ofArms, outcome, rows) else { continue }
            let size = (abs(shift) * 10).rounded() / 10
            found.append(
                (labels.count > 2 ? "of arm '\(labels[arm])' " : "") + "by \(size) of its standard error "
                    + (shift > 0 ? "upwards" : "downwards"))
        }
        guard !found.isEmpty else { return [] }
        return [
            "propensity: together with trees it predicts the treatment better than alone, and that would move the average effect "
                + found.joined(separator: ", ")
                + "; the propensity in use may miss how the arms were assigned, which intervals of average effects do not cover: "
                + remedy
        ]
    }

    private var remedy: String {
        if opinion.bringsModels { return "compare with dr and models.propensity: trees" }
        return "use models.propensity: stack, which is the default and listens to both, or auto"
    }

    /// By how many standard errors the average effect of an arm would move; nil where that is no news.
    private func shift(
        of arm: Int, _ ofArms: [(share: [Double], mean: [Double])], _ outcome: [Double], _ rows: [Int]
    ) throws(MetaLearnersError) -> Double? {
        let (arms, armCount) = (opinion.arms, opinion.armCount)
        // The share of the arm among those in it or in the control, as each says.
        var members = [
            ofArms[arm].share.indices.map {
                ofArms[arm].share[$0] / (ofArms[arm].share[$0] + ofArms[0].share[$0])
            }
        ]
        guard let shares = opinion.shares()?.shares else { return nil }
        members.append(
            arms.indices.map { row in
                let (own, control) = (shares[row * armCount + arm], shares[row * armCount])
                return own + control > 0 ? own / (own + control) : 0.5
            })
        let logOdds = members.map { $0.map(LogOddsStack.logOdds) }
        let pair = rows.filter { arms[$0] == 0 || arms[$0] == arm }
        let folds = Int(opinion.folds.max() ?? 0) + 1
        // What the first members say together: the propensity in use alone, then with the trees. Both are fitted to the treatment,
        // so that what differs is what the trees know, and not how far the propensity in use is from its own log-odds.
        func said(byFirst count: Int) throws(MetaLearnersError) -> [Double] {
            let lists = logOdds.prefix(count)
            let stacks = try LogOddsStack.leavingOut(
                lists.map { list in pair.map { list[$0] } }, target: pair.map { arms[$0] == arm ? 1 : 0 },
                rowWeights: opinion.weights.map { weights in pair.map { weights[$0] } },
                groups: pair.map { opinion.folds[$0] }, count: folds,
                towards: Array([1, 0].prefix(count)))
            return arms.indices.map { row in
                let stack = stacks[Int(opinion.folds[row])]
                var score = stack.intercept
                for (list, weight) in zip(lists, stack.weights) { score += weight * list[row] }
                return min(max(Logistic.share(score), opinion.overlap.low()), opinion.overlap.high())
            }
        }
        let alone = try said(byFirst: 1)
        let together = try said(byFirst: 2)
        // Of rows of the pair: how much more likely their treatment becomes.
        for other in [members[0], alone] {
            let gains = pair.map { row in
                func likelihood(_ share: Double) -> Double { arms[row] == arm ? share : 1 - share }
                return Double.log(likelihood(together[row])) - Double.log(max(likelihood(other[row]), 1e-12))
            }
            let advantage = moments(gains, pair)
            guard advantage.mean > Self.leastAdvantage * advantage.error else { return nil }
        }
        var scores: [Double] = []
        var differences: [Double] = []
        for row in rows {
            let base = ofArms[arm].mean[row] - ofArms[0].mean[row]
            let (own, control) = (ofArms[arm].share[row], ofArms[0].share[row])
            func score(_ own: Double, _ control: Double) -> Double {
                if arms[row] == arm { return base + (outcome[row] - ofArms[arm].mean[row]) / own }
                if arms[row] == 0 { return base - (outcome[row] - ofArms[0].mean[row]) / control }
                return base
            }
            scores.append(score(own, control))
            func scoreOfPair(_ share: Double) -> Double {
                score((own + control) * share, (own + control) * (1 - share))
            }
            differences.append(scoreOfPair(together[row]) - scoreOfPair(alone[row]))
        }
        let difference = moments(differences, rows)
        // Of all rows, of which these may be a sample; whose clusters may be all that there are.
        let isSample = opinion.arms.count < opinion.rowCount
        let part = Double(opinion.arms.count) / Double(max(opinion.rowCount, opinion.arms.count))
        let error = moments(scores, rows).error * (opinion.clusters == nil ? part.squareRoot() : 1)
        guard error > 0, abs(difference.mean) > Self.leastShift * error,
            !isSample || abs(difference.mean) > 2 * difference.error
        else { return nil }
        return difference.mean / error
    }

    /// The weighted mean of numbers of some rows, and its standard error, in which clusters count as a whole.
    private func moments(_ values: [Double], _ rows: [Int]) -> (mean: Double, error: Double) {
        let weights = rows.map { opinion.weights?[$0] ?? 1 }
        let total = weights.reduce(0, +)
        guard total > 0, values.count > 1 else { return (0, 0) }
        let mean = zip(values, weights).reduce(0) { $0 + $1.0 * $1.1 } / total
        let parts = zip(values, weights).map { ($0 - mean) * $1 }
        var squares = 0.0
        if let clusters = opinion.clusters {
            var sums: [Int32: Double] = [:]
            for (row, part) in zip(rows, parts) { sums[clusters[row], default: 0] += part }
            for key in sums.keys.sorted() { squares += (sums[key] ?? 0) * (sums[key] ?? 0) }
        } else {
            squares = parts.reduce(0) { $0 + $1 * $1 }
        }
        return (mean, squares.squareRoot() / total)
    }
}
