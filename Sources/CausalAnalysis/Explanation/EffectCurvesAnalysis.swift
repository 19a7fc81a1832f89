import MetaLearners
import MetaLearnersCore

/// How the effect changes with one covariate, all others being as they are.
public struct EffectCurvesAnalysis: Analysis {
    public static let name = "effect_curves"
    public static let title = "How the effect changes with a covariate"
    public static let summary =
        "Partial dependence of the effect on single covariates, with the curves of single rows around it"
    public static let topic = AnalysisTopic.heterogeneity
    public static let parameters: [Parameter<EffectCurvesAnalysis>] = [
        .texts("columns", \.columns, "covariates; those that the effect changes most with where empty"),
        .integer(
            "most_columns", \.mostColumns, in: 1...1000, "covariates that are shown where none are named"),
        .integer("points", \.points, in: 2...1000, "values of a covariate that are asked about"),
        .integer("rows", \.rows, in: 2...1_000_000, "rows that are averaged over, drawn at random"),
        .integer("curves", \.curves, in: 0...1000, "rows that have a curve of their own"),
        .seed(\.seed), .arm(\.arm),
    ]

    /// The covariates; empty for those that the effect changes most with.
    public var columns: [String] = []
    /// How many are shown where none are named.
    public var mostColumns = 4
    /// How many values of a covariate are asked about: quantiles of numbers, levels of categories from the most frequent one on.
    public var points = 15
    /// How many rows are averaged over.
    public var rows = 300
    /// How many of them have a curve of their own.
    public var curves = 20
    /// Decides which rows are drawn.
    public var seed = 0
    /// The arm that is asked about; nil for every one but the control.
    public var arm: String?

    public init() {}

    public var needs: StudyParts { [.effects, .covariates, .model] }

    public func run(_ study: CausalStudy, _ scheduler: Scheduler) throws(MetaLearnersError) -> AnalysisResult
    {
        var result = emptyResult
        let effects = try ModelEffects(study, for: Self.name)
        try effects.requireCovariates(columns)
        let arms = try study.treatedArms(arm)
        let drawn = ModelEffects.sample(study, rows, seed: seed)
        let known = ModelEffects.sample(study, 100_000, seed: seed)
        let context = scheduler.context
        func curve(_ name: String, points: Int, rows: [Int32], curves: Int) throws(MetaLearnersError)
            -> EffectCurve?
        {
            let column = try effects.data.requiredColumn(name, for: "columns")
            guard let grid = EffectGrid(column, of: known, points: points) else { return nil }
            return try EffectCurve(
                effects, effects.data.selecting(rows: rows), grid, arms,
                weights: rows.map { study.rowWeights[Int($0)] }, curves: curves, context)
        }
        // A few points of a few rows show which curves are worth the others.
        var chosen = arms.map { _ in columns }
        if columns.isEmpty {
            let few = Array(drawn.prefix(60))
            var coarse: [EffectCurve] = []
            for name in effects.names {
                if let found = try curve(name, points: 5, rows: few, curves: 0) { coarse.append(found) }
            }
            for place in arms.indices {
                let order = coarse.indices.sorted {
                    (coarse[$1].spread(place), $0) < (coarse[$0].spread(place), $1)
                }
                chosen[place] = order.prefix(mostColumns).map { coarse[$0].grid.column.name }
            }
        }
        var found: [String: EffectCurve] = [:]
        for name in Set(chosen.joined()).sorted() {
            found[name] = try curve(name, points: points, rows: drawn, curves: curves)
        }
        var table = ResultTable(
            "curves", "The mean effect if the covariate were so for everybody",
            [
                ResultTable.Column("arm", "arm", .text), ResultTable.Column("covariate", "covariate", .text),
                ResultTable.Column("value", "value", .text),
                ResultTable.Column("effect", "mean effect", .number),
                ResultTable.Column("lower", "5 % of rows", .number),
                ResultTable.Column("upper", "95 % of rows", .number),
            ], isDetail: true)
        for (place, arm) in arms.enumerated() {
            var shown = chosen[place].compactMap { found[$0] }
            if columns.isEmpty {
                let spreads = shown.map { $0.spread(place) }
                shown = shown.indices.sorted { (spreads[$1], $0) < (spreads[$0], $1) }.map { shown[$0] }
            }
            for curve in shown {
                for (point, value) in curve.grid.texts.enumerated() {
                    table.append([
                        .string(study.armLabels[arm]), .string(curve.grid.column.name), .string(value),
                        .number(curve.means[place][point]), .number(curve.lower[place][point]),
                        .number(curve.upper[place][point]),
                    ])
                }
                result.charts.append(curve.chart(place, label: study.armLabels[arm]))
            }
            result.findings.append(finding(study, arm, place, shown))
        }
        result.tables = [table]
        result.values["rows"] = .integer(drawn.count)
        result.assumptions = [Assumption.shiftedRows]
        return result
    }

    private func finding(_ study: CausalStudy, _ arm: Int, _ place: Int, _ curves: [EffectCurve]) -> String {
        let start = Sentence.arm(study, arm)
        guard let first = curves.max(by: { $0.spread(place) < $1.spread(place) }), first.spread(place) > 0
        else {
            return start + "The mean effect changes with no covariate."
        }
        let means = first.means[place]
        let low = means.indices.min { means[$0] < means[$1] } ?? 0
        let high = means.indices.max { means[$0] < means[$1] } ?? 0
        func text(_ number: Double) -> String { Sentence.number(number, with: means) }
        return start
            + "The mean effect changes most with \(first.grid.column.name): from \(text(means[low])) at \(first.grid.label(low)) to \(text(means[high])) at \(first.grid.label(high)), all else being as it is."
    }
}

/// The values of a covariate that are asked about.
struct EffectGrid: Sendable {
    let column: Column
    /// Numbers, or codes of levels.
    let values: [Double]
    let texts: [String]

    /// The quantiles of a number that differ, or the most frequent levels; nil where there are fewer than two.
    init?(_ column: Column, of rows: [Int32], points: Int) {
        self.column = column
        let known = column.selecting(rows)
        if let levels = column.levels, let codes = known.codes() {
            var counts = [Int](repeating: 0, count: levels.count)
            for code in codes where code >= 0 { counts[Int(code)] += 1 }
            let frequent = levels.indices.filter { counts[$0] > 0 }.sorted {
                (counts[$1], $0) < (counts[$0], $1)
            }
            let kept = frequent.prefix(points).sorted()
            values = kept.map { Double($0) }
            texts = kept.map { levels[$0] }
        } else {
            let sorted = known.values.doubles().filter(\.isFinite).sorted()
            guard sorted.count > 1 else { return nil }
            // From the 2.5th to the 97.5th percentile: beyond, the model knows little.
            var distinct: [Double] = []
            for point in 0..<points {
                let share = 0.025 + 0.95 * Double(point) / Double(points - 1)
                let value = sorted[Int((share * Double(sorted.count - 1)).rounded())]
                if distinct.last != value { distinct.append(value) }
            }
            values = distinct
            texts = distinct.map { NumberText.shortest($0) }
        }
        if values.count < 2 { return nil }
    }

    /// A value as a sentence has it.
    func label(_ point: Int) -> String {
        column.levels == nil ? Sentence.number(values[point], with: values) : texts[point]
    }

    /// The column with one of the values in `count` rows.
    func column(_ point: Int, count: Int) -> Column {
        guard let levels = column.levels else {
            return Column(column.name, [Double](repeating: values[point], count: count))
        }
        return Column(
            column.name, codes: StridedValues(repeating: Int32(values[point]), count: count), levels: levels)
    }
}

/// Partial dependence (Friedman 2001, doi 10.1214/aos/1013203451) and individual conditional expectations (Goldstein et al. 2015,
/// doi 10.1080/10618600.2014.907095) of the effects on one covariate.
struct EffectCurve: Sendable {
    let grid: EffectGrid
    /// For each arm, for each value of the grid: the mean effect, and the quantiles of the rows' effects.
    private(set) var means: [[Double]] = []
    private(set) var lower: [[Double]] = []
    private(set) var upper: [[Double]] = []
    /// For each arm, the effects of a few rows at each value.
    private var rows: [[[Double]]]

    init(
        _ effects: ModelEffects, _ sample: Table, _ grid: EffectGrid, _ arms: [Int], weights: [Double],
        curves: Int, _ context: ExecutionContext
    ) throws(MetaLearnersError) {
        self.grid = grid
        let count = sample.rowCount
        rows = arms.map { _ in [[Double]](repeating: [], count: min(curves, count)) }
        means = arms.map { _ in [] }
        lower = means
        upper = means
        for point in grid.values.indices {
            try context.checkCancellation()
            let found = try effects.effects(sample.replacing(grid.column(point, count: count)), context)
            for (place, arm) in arms.enumerated() {
                let values = found[arm - 1]
                var sum = 0.0
                var total = 0.0
                for row in values.indices {
                    sum += weights[row] * values[row]
                    total += weights[row]
                }
                let sorted = WeightedQuantiles(values, weights: weights)
                means[place].append(sum / total)
                lower[place].append(sorted.quantile(0.05))
                upper[place].append(sorted.quantile(0.95))
                for row in rows[place].indices { rows[place][row].append(values[row]) }
            }
        }
    }

    /// How far the mean effect changes over the grid.
    func spread(_ place: Int) -> Double { (means[place].max() ?? 0) - (means[place].min() ?? 0) }

    /// The picture: the mean with the middle nine tenths of the rows; of numbers also single rows.
    func chart(_ place: Int, label: String) -> Chart {
        let isCategory = grid.column.levels != nil
        let x = isCategory ? grid.values.indices.map { Double($0) } : grid.values
        var series = [
            Chart.Series(
                "mean effect", isCategory ? .points : .line, x: x, y: means[place], lower: lower[place],
                upper: upper[place])
        ]
        if !isCategory, !rows[place].isEmpty {
            // One behind the other, with a gap between.
            series.append(
                Chart.Series(
                    "single rows", .strands, x: rows[place].flatMap { _ in x + [.nan] },
                    y: rows[place].flatMap { $0 + [.nan] }))
        }
        let name = grid.column.name
        return Chart(
            "\(label)_\(name)", "Effect of '\(label)' by \(name)", x: Chart.Axis(name),
            y: Chart.Axis("effect"),
            series: series, categories: isCategory ? grid.texts : [])
    }
}
