#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif
import MetaLearnersCore

/// How much must pairs that were matched differ in their odds of treatment for the effect to be chance?
public struct RosenbaumBoundsAnalysis: Analysis {
    public static let name = "rosenbaum_bounds"
    public static let title = "Rosenbaum bounds"
    public static let summary =
        "By how much may a hidden confounder change the odds of treatment within matched pairs before the effect may be chance?"
    public static let topic = AnalysisTopic.refutation
    public static let parameters: [Parameter<RosenbaumBoundsAnalysis>] = [
        .numbers("gammas", \.gammas, in: 1...(.infinity), "ratios of the odds of treatment within a pair"),
        .number(
            "caliper", \.caliper, in: 0...(.infinity), exclusiveLower: true,
            "the largest distance of a pair, in standard deviations of the logit of the propensity"),
        .level(\.level), .arm(\.arm),
    ]

    /// Ratios of the odds of treatment within a pair.
    public var gammas = [1, 1.25, 1.5, 2, 3]
    /// The largest distance of a pair.
    public var caliper = 0.2
    /// 1 − this is the p-value that counts as chance.
    public var level = 0.95
    /// The arm that is asked about; nil for every one but the control.
    public var arm: String?

    public init() {}

    public var needs: StudyParts { .propensities }

    public func run(_ study: CausalStudy, _ scheduler: Scheduler) throws(MetaLearnersError) -> AnalysisResult
    {
        var result = emptyResult
        var table = ResultTable(
            "bounds", "p-values of no effect, one-sided, if the odds of treatment within pairs differ by Γ",
            [
                .init("arm", "arm", .text), .init("gamma", "Γ", .number), .init("pairs", "pairs", .count),
                .init("p_value_lower", "at best", .pValue), .init("p_value_upper", "at worst", .pValue),
                .init("note", "note", .text),
            ])
        for arm in try study.treatedArms(arm) {
            try scheduler.context.checkCancellation()
            let label = study.armLabels[arm]
            let (differences, treated) = pairs(study, arm)
            guard let test = SignedRank(differences) else {
                table.append(
                    [.string(label), .null, .integer(0), .null, .null]
                        + [.string("no pairs with different outcomes within the caliper")])
                result.findings.append(
                    "There are no pairs of '\(label)' and the control with different outcomes within the caliper."
                )
                continue
            }
            for gamma in gammas {
                let values = test.pValues(gamma: gamma)
                table.append([
                    .string(label), .number(gamma), .integer(differences.count), .number(values.lower),
                    .number(values.upper),
                ])
            }
            let critical = test.criticalGamma(pValue: 1 - level)
            let share = "\(differences.count) of \(treated) rows of '\(label)' have a pair"
            result.findings.append(
                critical <= 1
                    ? "The pairs show no \(test.direction) effect of '\(label)' that chance does not explain, even without a confounder (\(share))."
                    : "The \(test.direction) effect of '\(label)' may be chance once a hidden confounder changes the odds of treatment within pairs by a factor of Γ = \(Sentence.number(critical)) (\(share))."
            )
            result.values["critical_gamma_\(label)"] = .number(critical)
        }
        result.tables = [table]
        result.assumptions = [
            "Pairs are matched 1:1 without replacement on the logit of the propensity; Wilcoxon's signed-rank test in its normal approximation, pairs without a difference left out (Rosenbaum 2002, Observational Studies, 4.3).",
            "The effect is that on the rows that have a pair.",
        ]
        if study.weights != nil {
            result.warnings.append("Sample weights do not enter: each pair counts alike.")
        }
        if study.clusters != nil {
            result.warnings.append("Clusters do not enter: pairs are taken for independent.")
        }
        return result
    }

    /// The outcome of the treated row less that of its control, for each pair; and how many treated rows there are.
    private func pairs(_ study: CausalStudy, _ arm: Int) -> (differences: [Double], treated: Int) {
        let pair = ArmPair(study, arm: arm, study.propensities ?? [])
        let weights = study.rowWeights
        let used = pair.rows.indices.filter { weights[pair.rows[$0]] > 0 }
        let logits = pair.propensity.map { log($0 / (1 - $0)) }
        var moments = WeightedMoments()
        for index in used { moments.add(logits[index], weight: 1) }
        let treated = used.filter { pair.isTreated[$0] }
        let control = used.filter { !pair.isTreated[$0] }
        let outcome = pair.rows.map { study.outcome[$0] }
        let matching = PropensityMatching(
            treated, among: control, scores: logits, outcome: outcome,
            weights: [Double](repeating: 1, count: outcome.count), targetsHigh: true,
            PropensityMatching.Settings(
                replacement: false, caliper: caliper * (moments.variance ?? 0).squareRoot()))
        let differences = matching.targets.map { outcome[$0.row] - $0.imputed }
        return (differences, treated.count)
    }
}

/// Wilcoxon's signed-rank statistic and its bounds under a confounder.
package struct SignedRank {
    /// The sum of the ranks of the differences above 0, or below 0 where that is the larger one.
    private let statistic: Double
    private let rankSum: Double
    private let squaredSum: Double
    /// The sign of the effect that the pairs show.
    package let direction: String

    /// Ranks the absolute differences, ties by their mean rank, zeros left out; nil where nothing is left.
    package init?(_ differences: [Double]) {
        let kept = differences.filter { $0 != 0 }
        guard !kept.isEmpty else { return nil }
        let order = kept.indices.sorted { abs(kept[$0]) < abs(kept[$1]) }
        var positive = 0.0
        var sum = 0.0
        var squares = 0.0
        var start = 0
        while start < order.count {
            var end = start
            while end < order.count, abs(kept[order[end]]) == abs(kept[order[start]]) { end += 1 }
            let rank = Double(start + end + 1) / 2
            for position in start..<end {
                if kept[order[position]] > 0 { positive += rank }
                sum += rank
                squares += rank * rank
            }
            start = end
        }
        direction = positive >= sum / 2 ? "positive" : "negative"
        statistic = max(positive, sum - positive)
        rankSum = sum
        squaredSum = squares
    }

    /// The one-sided p-values at best and at worst, where the odds of treatment within pairs differ by up to `gamma`: those
    /// of a difference in the direction having the probability 1/(1 + Γ) and Γ/(1 + Γ).
    package func pValues(gamma: Double) -> (lower: Double, upper: Double) {
        func value(_ probability: Double) -> Double {
            let deviation = (probability * (1 - probability) * squaredSum).squareRoot()
            return 0.5 * erfc((statistic - probability * rankSum) / deviation / 2.0.squareRoot())
        }
        return (value(1 / (1 + gamma)), value(gamma / (1 + gamma)))
    }

    /// The least Γ at which the p-value at worst is `pValue`; 1 where it is from the start.
    package func criticalGamma(pValue: Double) -> Double {
        guard pValues(gamma: 1).upper < pValue else { return 1 }
        var low = 1.0
        var high = 2.0
        while pValues(gamma: high).upper < pValue, high < 1e12 { (low, high) = (high, high * 2) }
        for _ in 0..<200 {
            let middle = (low + high) / 2
            guard middle > low, middle < high else { break }
            if pValues(gamma: middle).upper < pValue { low = middle } else { high = middle }
        }
        return (low + high) / 2
    }
}
