import MetaLearners
import MetaLearnersCore

/// Which covariates the effects depend on.
public struct ImportancesAnalysis: Analysis {
    public static let name = "importances"
    public static let title = "What the effects depend on"
    public static let summary =
        "For each covariate: SHAP values of the effect, its share of the effects' variance, and what shuffling it costs in R-loss"
    public static let topic = AnalysisTopic.heterogeneity
    public static let parameters: [Parameter<ImportancesAnalysis>] = [
        .integer("rows", \.rows, in: 1...10_000_000, "rows that are explained, drawn at random"),
        .integer(
            "background_rows", \.backgroundRows, in: 1...100_000,
            "rows that absent covariates take their values from"),
        .integer("repeats", \.repeats, in: 0...1000, "how often each covariate is shuffled"),
        .integer(
            "shuffled_rows", \.shuffledRows, in: 2...10_000_000, "rows that are shuffled, drawn at random"),
        .seed(\.seed), .level(\.level), .arm(\.arm),
    ]

    /// How many rows are explained; a fifth of them where values have to be estimated.
    public var rows = 1000
    /// How many rows absent covariates take their values from.
    public var backgroundRows = 50
    /// How often each covariate is shuffled; 0 for not at all.
    public var repeats = 2
    /// How many rows are shuffled.
    public var shuffledRows = 5000
    /// Decides what is drawn.
    public var seed = 0
    /// The level of intervals.
    public var level = AverageEffect.standardLevel
    /// The arm that is asked about; nil for every one but the control.
    public var arm: String?

    /// Where values are estimated, so many predictions of single rows at most, about.
    private static let evaluationLimit = 4_000_000
    /// So many covariates are shuffled at most: those that the effects depend on most.
    private static let shuffledLimit = 60

    public init() {}

    public var needs: StudyParts { [.effects, .covariates, .model] }

    public func run(_ study: CausalStudy, _ scheduler: Scheduler) throws(MetaLearnersError) -> AnalysisResult
    {
        var result = emptyResult
        let context = scheduler.context
        let effects = try ModelEffects(study, for: Self.name)
        let arms = try study.treatedArms(arm)
        let (explanation, weights) = try explained(study, effects, scheduler)
        let hasScores = study.parts.isSuperset(of: .scores)
        let outputs = arms.map { ($0 - 1) * effects.model.outcomeKind.effectCount + effects.outcomeClass }
        let sizes = outputs.map { Self.sizes(explanation, $0, weights) }
        let increases =
            repeats > 0 && hasScores
            ? try lossIncreases(study, effects, arms, Self.largest(sizes), context) : [:]
        var table = ResultTable(
            "importances", "The covariates by the effects' dependence on them",
            [
                ResultTable.Column("arm", "arm", .text), ResultTable.Column("covariate", "covariate", .text),
                ResultTable.Column("mean_absolute_value", "mean |SHAP|", .number),
                ResultTable.Column("variance_share", "share of variance", .share),
            ] + ResultTable.estimateColumns("R-loss added", level: level))
        for (place, arm) in arms.enumerated() {
            let sizes = sizes[place]
            let shares = Self.varianceShares(explanation, outputs[place], weights)
            let order = sizes.indices.sorted { (sizes[$1], $0) < (sizes[$0], $1) }
            for feature in order {
                table.append(
                    [
                        .string(study.armLabels[arm]), .string(explanation.featureNames[feature]),
                        .number(sizes[feature]), .number(shares[feature]),
                    ] + ResultTable.cells(increases[arm]?[feature], level: level))
            }
            result.findings.append(
                finding(study, arm, explanation.featureNames, order, sizes, shares, increases[arm]))
            result.charts.append(chart(study, arm, explanation.featureNames, order, sizes))
        }
        result.tables = [table]
        if let splits = try splitTable(effects.model) { result.tables.append(splits) }
        result.values["method"] = .string(explanation.method.rawValue)
        result.values["rows"] = .integer(explanation.rowCount)
        result.findings.append(
            "SHAP values of \(NumberText.counted(explanation.rowCount, "row")): \(explanation.note).")
        if effects.folds == nil, [.outOfFold, .inSample].contains(study.origin), !increases.isEmpty {
            result.warnings.append(
                "The model that is shuffled saw these rows: there are no models of folds to ask.")
        }
        if repeats > 0, !hasScores {
            result.warnings.append("There are no arm means, so that nothing is shuffled: R-loss takes them.")
        }
        result.assumptions = [
            "A covariate that the effects depend on need not be their cause: it may stand for others that go along with it."
        ]
        return result
    }

    // MARK: SHAP values

    private func explained(_ study: CausalStudy, _ effects: ModelEffects, _ scheduler: Scheduler)
        throws(MetaLearnersError) -> (Explanation, weights: [Double])
    {
        var request = ExplanationRequest()
        request.backgroundRows = backgroundRows
        request.permutations = 1
        request.seed = seed
        // Differences, whatever the scale of the spec: what a study has.
        request.scale = EffectScale.difference.rawValue
        let options = scheduler.innerOptions
        let explainer = try effects.model.explainer(request, background: effects.data, options)
        var count = rows
        if explainer.method == .permutation {
            let perRow = 2 * min(backgroundRows, effects.data.rowCount) * effects.names.count
            count = max(1, min(rows / 5, max(Self.evaluationLimit / max(perRow, 1), 20)))
        }
        let drawn = ModelEffects.sample(study, count, seed: seed)
        let weights = study.rowWeights
        return (
            try explainer.explain(effects.data.selecting(rows: drawn), options),
            drawn.map { weights[Int($0)] }
        )
    }

    /// The weighted mean of the absolute values of each covariate.
    private static func sizes(_ explanation: Explanation, _ output: Int, _ weights: [Double]) -> [Double] {
        let total = weights.reduce(0, +)
        return explanation.featureNames.indices.map { feature in
            weights.indices.reduce(0) {
                $0 + weights[$1] * abs(explanation.value(row: $1, output: output, feature: feature)) / total
            }
        }
    }

    /// Cov(φ_j, τ)/Var(τ): they add up to 1, since the values add up to the effect.
    private static func varianceShares(_ explanation: Explanation, _ output: Int, _ weights: [Double])
        -> [Double]
    {
        let total = weights.reduce(0, +)
        let effects = explanation.effects[output]
        let mean = weights.indices.reduce(0) { $0 + weights[$1] * effects[$1] / total }
        let variance = weights.indices.reduce(0) {
            $0 + weights[$1] * (effects[$1] - mean) * (effects[$1] - mean) / total
        }
        return explanation.featureNames.indices.map { feature in
            guard variance > 0 else { return .nan }
            return weights.indices.reduce(0) {
                $0 + weights[$1] * explanation.value(row: $1, output: output, feature: feature)
                    * (effects[$1] - mean) / (total * variance)
            }
        }
    }

    // MARK: Shuffling

    /// The covariates that the effects of any arm depend on most, ascending.
    private static func largest(_ sizes: [[Double]]) -> [Int] {
        let totals = (sizes.first ?? []).indices.map { feature in
            sizes.reduce(0) { max($0, $1[feature] / max($1.reduce(0, +), .leastNormalMagnitude)) }
        }
        let order = totals.indices.sorted { (totals[$1], $0) < (totals[$0], $1) }
        return order.prefix(shuffledLimit).sorted()
    }

    /// For each arm and covariate, how much the R-loss ((Y − m) − (W − ē) τ)² grows where the covariate is shuffled among the
    /// rows.
    private func lossIncreases(
        _ study: CausalStudy, _ effects: ModelEffects, _ arms: [Int], _ features: [Int],
        _ context: ExecutionContext
    ) throws(MetaLearnersError) -> [Int: [Int: NormalEstimate]] {
        let drawn = ModelEffects.sample(study, shuffledRows, seed: seed)
        let table = effects.data.selecting(rows: drawn)
        let plain = try effects.outOfFold(table, of: drawn, context)
        var pairs: [Int: PairResiduals] = [:]
        for arm in arms { pairs[arm] = try PairResiduals(study, arm) }
        var results: [Int: [Int: NormalEstimate]] = [:]
        let clusters = study.clusters.map { clusters in drawn.map { clusters[Int($0)] } }
        let ones = [Double](repeating: 1, count: drawn.count)
        for feature in features {
            let name = effects.names[feature]
            var added = arms.map { _ in [Double](repeating: 0, count: drawn.count) }
            let column = try table.requiredColumn(name, for: "covariates")
            var stream = RandomStream(
                seed: UInt64(truncatingIfNeeded: seed), path: 0x5348_5546, UInt64(feature))
            var order = drawn.indices.map { Int32($0) }
            for _ in 0..<repeats {
                try context.checkCancellation()
                stream.shuffle(&order)
                let shuffled = try effects.outOfFold(
                    table.replacing(column.selecting(order)), of: drawn, context)
                for (place, arm) in arms.enumerated() {
                    guard let pair = pairs[arm] else { continue }
                    for (index, row) in drawn.enumerated() {
                        let (outcome, treatment) = (pair.outcome[Int(row)], pair.treatment[Int(row)])
                        let before = outcome - treatment * plain[arm - 1][index]
                        let after = outcome - treatment * shuffled[arm - 1][index]
                        added[place][index] += (after * after - before * before) / Double(repeats)
                    }
                }
            }
            for (place, arm) in arms.enumerated() {
                let weights = drawn.map { pairs[arm]?.weights[Int($0)] ?? 0 }
                results[arm, default: [:]][feature] = NormalEstimate(
                    scores: added[place], shares: ones, weights: weights, clusters: clusters)
            }
        }
        return results
    }

    // MARK: Splits

    /// Gain, cover and splits of every model of trees; nil where there is none.
    private func splitTable(_ model: CATEModel) throws(MetaLearnersError) -> ResultTable? {
        let parts = try model.splitImportances()
        guard !parts.isEmpty else { return nil }
        var table = ResultTable(
            "splits", "What the models of trees within make of the covariates",
            [
                ResultTable.Column("model", "model", .text),
                ResultTable.Column("covariate", "covariate", .text),
                ResultTable.Column("gain", "gain", .number), ResultTable.Column("cover", "cover", .number),
                ResultTable.Column("splits", "splits", .number),
            ], isDetail: true)
        for part in parts {
            for (feature, field) in model.schema.fields.enumerated() {
                table.append(
                    [.string("\(part.name) (\(part.backend))"), .string(field.name)]
                        + [ImportanceKind.gain, .cover, .splits].map {
                            .number(part.values[$0]?[feature] ?? .nan)
                        })
            }
        }
        return table
    }

    // MARK: Words and pictures

    private func finding(
        _ study: CausalStudy, _ arm: Int, _ names: [String], _ order: [Int], _ sizes: [Double],
        _ shares: [Double], _ increases: [Int: NormalEstimate]?
    ) -> String {
        let start = Sentence.arm(study, arm)
        guard let first = order.first, sizes[first] > 0 else {
            return start + "The estimated effect is the same for everybody: it depends on no covariate."
        }
        let leading = order.prefix(3).filter { sizes[$0] > 0 }.map { feature in
            "\(names[feature]) (\(Sentence.share(max(shares[feature], 0))) of the variance)"
        }
        var text = start + "The estimated effects depend most on " + leading.joined(separator: ", ") + "."
        if let increases {
            // Of many covariates each p-value counts as many times as there are.
            let clear = order.filter { feature in
                increases[feature].map {
                    $0.estimate > 0 && $0.pValue * Double(increases.count) < 1 - level
                } ?? false
            }
            text +=
                clear.isEmpty
                ? " Shuffling makes no covariate's R-loss demonstrably larger."
                : " Shuffling demonstrably costs R-loss for "
                    + clear.prefix(6).map { names[$0] }.joined(separator: ", ")
                    + (clear.count > 6 ? " and \(clear.count - 6) more." : ".")
        }
        return text
    }

    private func chart(
        _ study: CausalStudy, _ arm: Int, _ names: [String], _ order: [Int], _ sizes: [Double]
    ) -> Chart {
        let shown = Array(order.prefix(20))
        let label = study.armLabels[arm]
        return Chart(
            "importances_\(label)", "How far covariates move the effect of '\(label)'",
            x: Chart.Axis("covariate"),
            y: Chart.Axis("mean |SHAP value|"),
            series: [
                Chart.Series(
                    "mean |SHAP value|", .bars, x: shown.indices.map { Double($0) },
                    y: shown.map { sizes[$0] })
            ], categories: shown.map { names[$0] })
    }
}
