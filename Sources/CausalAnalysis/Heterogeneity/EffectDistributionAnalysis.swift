import MetaLearnersCore

/// How the estimated effects are spread.
public struct EffectDistributionAnalysis: Analysis {
    public static let name = "effect_distribution"
    public static let title = "How estimated effects are spread"
    public static let summary = "Quantiles of the estimated effects and the share above 0, with a histogram"
    public static let topic = AnalysisTopic.heterogeneity
    public static let parameters: [Parameter<EffectDistributionAnalysis>] = [
        .integer("bins", \.bins, in: 2...1000, "bars of the histogram"), .arm(\.arm),
    ]

    /// How many bars the histogram has.
    public var bins = 30
    /// The arm that is asked about; nil for every one but the control.
    public var arm: String?

    private static let quantiles = [0.05, 0.25, 0.5, 0.75, 0.95]

    public init() {}

    public var needs: StudyParts { .effects }

    public func run(_ study: CausalStudy, _ scheduler: Scheduler) throws(MetaLearnersError) -> AnalysisResult
    {
        var result = emptyResult
        var table = ResultTable(
            "distribution", "Estimated effects",
            [
                ResultTable.Column("arm", "arm", .text), ResultTable.Column("rows", "rows", .count),
                ResultTable.Column("mean", "mean", .number),
                ResultTable.Column("std_deviation", "std. deviation", .number),
                ResultTable.Column("min", "least", .number),
            ]
                + Self.quantiles.map {
                    let percent = NumberText.percent($0)
                    return ResultTable.Column("q\(percent)", "\(percent) %", .number)
                }
                + [
                    ResultTable.Column("max", "largest", .number),
                    ResultTable.Column("share_above_zero", "above 0", .share),
                ])
        let weights = study.rowWeights
        let total = weights.reduce(0, +)
        for arm in try study.treatedArms(arm) {
            let effects = try study.effect(arm)
            let sorted = WeightedQuantiles(effects, weights: weights)
            guard let least = sorted.values.first, let largest = sorted.values.last else { continue }
            var mean = 0.0
            var above = 0.0
            for row in effects.indices {
                mean += weights[row] * effects[row] / total
                if effects[row] > 0 { above += weights[row] / total }
            }
            var variance = 0.0
            for row in effects.indices {
                variance += weights[row] * (effects[row] - mean) * (effects[row] - mean) / total
            }
            let points = Self.quantiles.map(sorted.quantile)
            table.append(
                [
                    .string(study.armLabels[arm]), .integer(sorted.values.count), .number(mean),
                    .number(variance.squareRoot()), .number(least),
                ] + points.map { .number($0) } + [.number(largest), .number(above)])
            result.findings.append(
                Self.finding(study, arm, low: points[0], middle: points[2], high: points[4], above: above))
            result.charts.append(
                histogram(effects, weights, from: least, to: largest, mean: mean, study, arm))
        }
        result.tables = [table]
        result.findings.append(
            "Estimates scatter more than the effects themselves do: part of the spread is the error of estimation."
                + (study.origin == .outOfFold
                    ? " These are out of fold, each from models fitted to a part of the rows." : ""))
        return result
    }

    private static func finding(
        _ study: CausalStudy, _ arm: Int, low: Double, middle: Double, high: Double, above: Double
    ) -> String {
        let numbers = [low, middle, high]
        func text(_ number: Double) -> String { Sentence.number(number, with: numbers) }
        return Sentence.arm(study, arm)
            + (low == high
                ? "The estimated effect is \(text(middle)) for nearly everybody."
                : "Nine in ten estimated effects lie between \(text(low)) and \(text(high)), half of them below "
                    + "\(text(middle)); \(Sentence.share(above)) are above 0.")
    }

    private func histogram(
        _ effects: [Double], _ weights: [Double], from least: Double, to largest: Double, mean: Double,
        _ study: CausalStudy, _ arm: Int
    ) -> Chart {
        let count = largest > least ? bins : 1
        // Halves, because the range may be more than the largest number.
        let range = largest / 2 - least / 2
        var shares = [Double](repeating: 0, count: count)
        let total = weights.reduce(0, +)
        for row in effects.indices where weights[row] > 0 {
            let place = range > 0 ? (effects[row] / 2 - least / 2) / range * Double(count) : 0
            shares[min(Int(place), count - 1)] += weights[row] / total
        }
        let label = study.armLabels[arm]
        return Chart(
            "effects_\(label)", "Estimated effects of '\(label)'", x: Chart.Axis("effect"),
            y: Chart.Axis("share of rows", isShare: true),
            series: [
                Chart.Series(
                    "rows", .bars,
                    x: (0..<count).map { bin in
                        let place = (Double(bin) + 0.5) / Double(count)
                        return least * (1 - place) + largest * place
                    }, y: shares)
            ])
    }
}
