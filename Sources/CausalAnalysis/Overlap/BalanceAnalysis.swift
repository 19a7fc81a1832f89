#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif
import MetaLearnersCore

/// Whether the arms are alike in their covariates, as they are and once weighted or matched.
public struct BalanceAnalysis: Analysis {
    public static let name = "balance"
    public static let title = "Balance of the covariates"
    public static let summary =
        "Are the arms alike? Standardised differences and variance ratios: raw, weighted and matched"
    public static let topic = AnalysisTopic.checks
    public static let parameters: [Parameter<BalanceAnalysis>] = [
        .number(
            "threshold", \.threshold, in: 0...10, exclusiveLower: true,
            "the largest standardised difference that counts as balanced"),
        .number(
            "severe", \.severe, in: 0...10, exclusiveLower: true,
            "from which standardised difference on adjustment by regression depends on its form"),
        .arm(\.arm),
    ]

    /// The largest standardised difference that counts as balanced.
    public var threshold = 0.1
    /// From which standardised difference on the arms differ severely.
    public var severe = 0.25
    /// The arm that is asked about; nil for every one but the control.
    public var arm: String?

    public init() {}

    public var needs: StudyParts { [.covariates, .propensities] }

    /// A way to make the arms comparable.
    private static let ways = ["raw", "weighted", "overlap", "matched"]
    private static let wayNames = ["as they are", "inverse propensities", "overlap weights", "matched"]

    public func run(_ study: CausalStudy, _ scheduler: Scheduler) throws(MetaLearnersError) -> AnalysisResult
    {
        var result = emptyResult
        let terms = BalanceTerm.terms(study.covariates)
        var table = ResultTable(
            "balance", "Standardised mean differences; variance in the arm over that in the control",
            Self.columns)
        var ratios = ResultTable(
            "variance_ratios", "Variance in the arm over that in the control",
            [.init("arm", "arm", .text), .init("column", "column", .text)]
                + Self.ways.map { .init("variance_ratio_\($0)", $0, .number) })
        ratios.isDetail = true
        var largest = ResultTable(
            "largest", "The largest standardised difference",
            [
                .init("arm", "arm", .text), .init("method", "arms", .text),
                .init("largest", "largest difference", .number), .init("term", "of", .text),
                .init("above_threshold", "above \(threshold)", .count), .init("terms", "of", .count),
                .init("effective_treated", "effective rows, arm", .count),
                .init("effective_control", "control", .count), .init("verdict", "balance", .text),
            ])
        var verdicts: [String: SpecValue] = [:]
        for arm in try study.treatedArms(arm) {
            try scheduler.context.checkCancellation()
            let label = study.armLabels[arm]
            let pair = ArmPair(study, arm: arm, study.propensities ?? [])
            let weights = Self.weights(pair)
            let rows = terms.map { Self.compare($0, pair, weights) }
            for (term, row) in zip(terms, rows).sorted(by: { abs($0.1.raw) > abs($1.1.raw) }) {
                table.append(
                    [.string(label), .string(term.column), term.level.map { .string($0) } ?? .null]
                        + row.differences.map { .number($0) } + [.number(row.ratios[0])]
                        + [row.note.map { .string($0) } ?? .null])
            }
            for (term, row) in zip(terms, rows) where term.hasVariance {
                ratios.append(
                    [.string(label), .string(term.column)] + row.ratios.map { .number($0) })
            }
            var worsts: [Double] = []
            for (way, name) in Self.wayNames.enumerated() {
                let known = rows.indices.filter { rows[$0].differences[way].isFinite }
                let worst = known.max { abs(rows[$0].differences[way]) < abs(rows[$1].differences[way]) }
                let value = worst.map { abs(rows[$0].differences[way]) } ?? .nan
                worsts.append(value)
                let sizes = Self.sizes(pair, weights[way])
                largest.append([
                    .string(label), .string(name), .number(value),
                    worst.map { .string(terms[$0].name) } ?? .null,
                    .integer(known.count { abs(rows[$0].differences[way]) > threshold }),
                    .integer(known.count), .integer(Int(sizes.treated.rounded())),
                    .integer(Int(sizes.control.rounded())), .string(verdict(value)),
                ])
            }
            verdicts[label] = .string(verdict(worsts[0]))
            result.findings.append(
                finding(study, arm, worsts) + (chance(study, pair, weights[0], rows, worsts[0]) ?? ""))
            result.charts.append(chart(label, terms, rows.map(\.differences)))
        }
        result.findings.append(
            "Thresholds: differences up to \(threshold) standard deviations count as balanced, from \(severe) on they are severe: there the answer hangs on the form of the outcome model."
        )
        result.values["verdict"] = .object(
            SpecObject(
                study.armLabels.dropFirst().compactMap { label in verdicts[label].map { (label, $0) } }))
        result.tables = [largest, table, ratios]
        result.assumptions = [
            "Differences are in standard deviations of the raw arms (root of the mean of both variances), so that all columns compare.",
            "Matching pairs each row of the arm with the control of the nearest propensity, which may serve several; controls that are as near share the place.",
        ]
        if study.covariates.columns.contains(where: { ($0.levels?.count ?? 0) > BalanceTerm.mostLevels }) {
            result.warnings.append(
                "Of categories with more than \(BalanceTerm.mostLevels) levels only the most frequent ones are in the table."
            )
        }
        return result
    }

    private static let columns: [ResultTable.Column] =
        [
            .init("arm", "arm", .text), .init("column", "column", .text), .init("level", "level", .text),
        ] + ways.map { .init("smd_\($0)", $0, .number) } + [.init("variance_ratio", "variances", .number)]
        + [.init("note", "note", .text)]

    private func verdict(_ value: Double) -> String {
        value.isNaN ? "unknown" : value <= threshold ? "good" : value <= severe ? "moderate" : "poor"
    }

    /// The weights of each way, for each row of the pair.
    private static func weights(_ pair: ArmPair) -> [[Double]] {
        let inverse = pair.rows.indices.map { index in
            pair.weights[index]
                / (pair.isTreated[index] ? pair.propensity[index] : 1 - pair.propensity[index])
        }
        let overlap = pair.rows.indices.map { index in
            pair.weights[index]
                * (pair.isTreated[index] ? 1 - pair.propensity[index] : pair.propensity[index])
        }
        let treated = pair.rows.indices.filter { pair.isTreated[$0] }
        let control = pair.rows.indices.filter { !pair.isTreated[$0] }
        let matching = PropensityMatching(
            treated, among: control, scores: pair.propensity,
            outcome: [Double](repeating: 0, count: pair.rows.count), weights: pair.weights,
            targetsHigh: true, PropensityMatching.Settings())
        var matched = matching.uses
        for index in treated { matched[index] = pair.weights[index] }
        return [pair.weights, inverse, overlap, matched]
    }

    private static func sizes(_ pair: ArmPair, _ weights: [Double]) -> (treated: Double, control: Double) {
        var treated = WeightedMoments()
        var control = WeightedMoments()
        for index in pair.rows.indices {
            if pair.isTreated[index] {
                treated.add(0, weight: weights[index])
            } else {
                control.add(0, weight: weights[index])
            }
        }
        return (treated.effectiveSize, control.effectiveSize)
    }

    private struct Comparison {
        let differences: [Double]
        let ratios: [Double]
        var note: String?
        var raw: Double { differences[0].isFinite ? differences[0] : 0 }
    }

    private static func compare(_ term: BalanceTerm, _ pair: ArmPair, _ weights: [[Double]]) -> Comparison {
        var scale = Double.nan
        var differences: [Double] = []
        var ratios: [Double] = []
        var note: String?
        for weights in weights {
            var treated = WeightedMoments()
            var control = WeightedMoments()
            for (index, row) in pair.rows.enumerated() {
                if pair.isTreated[index] {
                    treated.add(term.values[row], weight: weights[index])
                } else {
                    control.add(term.values[row], weight: weights[index])
                }
            }
            let variances = (treated: treated.variance ?? .nan, control: control.variance ?? .nan)
            if differences.isEmpty { scale = ((variances.treated + variances.control) / 2).squareRoot() }
            let difference = treated.mean - control.mean
            if treated.total == 0 || control.total == 0 || scale.isNaN {
                differences.append(.nan)
                note = "missing in one arm"
            } else if scale == 0 {
                differences.append(difference == 0 ? 0 : .nan)
                if difference != 0 { note = "constant within each arm" }
            } else {
                differences.append(difference / scale)
            }
            ratios.append(
                term.hasVariance && variances.control > 0 ? variances.treated / variances.control : .nan)
        }
        return Comparison(differences: differences, ratios: ratios, note: note)
    }

    private func finding(_ study: CausalStudy, _ arm: Int, _ worsts: [Double]) -> String {
        let numbers = worsts.map(OverlapAnalysis.rounded)
        let best = (1..<worsts.count).filter { worsts[$0].isFinite }.min { worsts[$0] < worsts[$1] }
        return
            "Balance of '\(study.armLabels[arm])' with the control '\(study.armLabels[0])' is \(verdict(worsts[0])): the largest standardised difference is \(numbers[0]). Inverse propensities make it \(numbers[1]), overlap weights \(numbers[2]), matching \(numbers[3])"
            + (best.map { worsts[$0] > threshold } ?? false ? "; none of them makes the arms alike." : ".")
    }

    /// What arms that are drawn at random differ by where they have so few rows: the difference that the largest of so many is above once in
    /// twenty trials. Nil where the arms differ by more, or by too little to matter, and of clusters, which are drawn as wholes.
    private func chance(
        _ study: CausalStudy, _ pair: ArmPair, _ weights: [Double], _ rows: [Comparison], _ worst: Double
    ) -> String? {
        let count = rows.count { $0.differences[0].isFinite }
        guard study.clusters == nil, count > 0, worst > threshold else { return nil }
        let sizes = Self.sizes(pair, weights)
        let largest =
            StandardNormal.quantile(1 - 0.025 / Double(count))
            * (1 / sizes.treated + 1 / sizes.control).squareRoot()
        guard worst <= largest else { return nil }
        return
            " With so few rows that may be chance: where arms are drawn at random, the largest of \(NumberText.counted(count, "such difference")) is up to \(OverlapAnalysis.rounded(largest)) in nineteen of twenty trials."
    }

    private func chart(_ label: String, _ terms: [BalanceTerm], _ differences: [[Double]]) -> Chart {
        let order = terms.indices.sorted {
            abs(differences[$0][0]) > abs(differences[$1][0])
        }.prefix(40)
        let positions = (0..<order.count).map(Double.init)
        return Chart(
            "love_plot_\(label)", "Differences between '\(label)' and the control",
            x: Chart.Axis("covariate"), y: Chart.Axis("absolute standardised mean difference"),
            series: Self.wayNames.enumerated().map { way, name in
                Chart.Series(name, .points, x: positions, y: order.map { abs(differences[$0][way]) })
            },
            categories: order.map { terms[$0].name },
            references: [
                Chart.Reference("balanced", threshold), Chart.Reference("severe", severe),
            ])
    }
}
