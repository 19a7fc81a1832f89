import MetaLearnersCore

/// How good the propensities and the expected outcomes are that everything else is made of.
public struct NuisanceMetricsAnalysis: Analysis {
    public static let name = "nuisance_metrics"
    public static let title = "Quality of the nuisance models"
    public static let summary =
        "Errors and calibration of the propensities and of the expected outcomes, by arm and by fold"
    public static let topic = AnalysisTopic.evaluation
    public static let parameters: [Parameter<NuisanceMetricsAnalysis>] = [
        .integer("bins", \.bins, in: 2...1000, "bins of the calibration curve"), .level(\.level),
    ]

    /// How many bins the calibration curve has.
    public var bins = 10
    /// The level of intervals.
    public var level = AverageEffect.standardLevel

    public init() {}

    public var needs: StudyParts { .scores }

    /// What is predicted: whether a row is in the arm, or the outcome of those in the arm.
    private struct Prediction {
        let role: String
        let arm: Int
        let target: [Double]
        let predictions: [Double]
        let isProbability: Bool
        /// 0 for rows that it is not about.
        let weights: [Double]
    }

    public func run(_ study: CausalStudy, _ scheduler: Scheduler) throws(MetaLearnersError) -> AnalysisResult
    {
        var result = emptyResult
        let start = [
            ResultTable.Column("role", "model", .text), ResultTable.Column("arm", "arm", .text),
        ]
        let numbers =
            ResultTable.estimateColumns(level: level).dropLast() + [ResultTable.Column("note", "", .text)]
        var metrics = ResultTable(
            "metrics", "Metrics of each model",
            start + [ResultTable.Column("metric", "metric", .text)] + numbers)
        var folds = ResultTable(
            "folds", "The same by fold",
            start + [
                ResultTable.Column("fold", "fold", .count), ResultTable.Column("metric", "metric", .text),
            ] + numbers, isDetail: true)
        var calibration = ResultTable(
            "calibration", "Predicted and observed shares",
            start + [
                ResultTable.Column("bin", "bin", .count),
                ResultTable.Column("predicted", "predicted", .share),
            ] + ResultTable.estimateColumns("observed", level: level).dropLast(), isDetail: true)
        for prediction in try Self.predictions(study) {
            try scheduler.context.checkCancellation()
            let cells: [SpecValue] = [
                .string(prediction.role), .string(study.armLabels[prediction.arm]),
            ]
            let entries = Self.metrics(prediction, prediction.weights, study.clusters)
            for entry in entries { metrics.append(cells + [.string(entry.key)] + self.cells(entry)) }
            if let assignment = study.folds, assignment.isCrossFitted {
                for fold in 0..<assignment.count {
                    let weights = prediction.weights.indices.map {
                        assignment.folds[$0] == fold ? prediction.weights[$0] : 0
                    }
                    for entry in Self.metrics(prediction, weights, study.clusters) {
                        folds.append(cells + [.integer(fold), .string(entry.key)] + self.cells(entry))
                    }
                }
            }
            if prediction.isProbability {
                result.charts.append(calibrate(prediction, study, cells, &calibration))
            }
            result.findings += finding(prediction, entries, study)
        }
        result.tables = [metrics, folds, calibration]
        if study.propensitiesAreKnown {
            result.findings.append(
                "The propensities are known by design: their metrics say how random the arms are.")
        }
        return result
    }

    private func cells(_ entry: Metric) -> [SpecValue] {
        guard let estimate = entry.estimate else { return [.null, .null, .null, .null, .string(entry.note)] }
        guard entry.hasError else { return [.number(estimate.estimate)] }
        return ResultTable.cells(estimate, level: level).dropLast() + [.null]
    }

    private struct Metric {
        let key: String
        let estimate: NormalEstimate?
        var hasError = true
        var note = "only one kind of row"
    }

    private static func predictions(_ study: CausalStudy) throws(MetaLearnersError) -> [Prediction] {
        let all = study.rowWeights
        var predictions: [Prediction] = []
        // With two arms the control's propensity says the same as the other's.
        for arm in (study.armCount == 2 ? 1 : 0)..<study.armCount {
            predictions.append(
                Prediction(
                    role: "propensity", arm: arm, target: study.arms.map { $0 == arm ? 1 : 0 },
                    predictions: try study.propensity(arm), isProbability: true, weights: all))
        }
        for arm in 0..<study.armCount {
            predictions.append(
                Prediction(
                    role: "outcome", arm: arm, target: study.outcome, predictions: try study.armMean(arm),
                    isProbability: study.isBinary,
                    weights: all.indices.map { study.arms[$0] == arm ? all[$0] : 0 }))
        }
        return predictions
    }

    private static func metrics(_ prediction: Prediction, _ weights: [Double], _ clusters: [Int32]?)
        -> [Metric]
    {
        guard weights.contains(where: { $0 > 0 }) else {
            return [Metric(key: "rmse", estimate: nil, note: "no row of the arm")]
        }
        let regression = RegressionMetrics(
            prediction.target, prediction.predictions, weights: weights, clusters: clusters)
        let errors = [
            Metric(key: "rmse", estimate: regression.rootMeanSquare),
            Metric(
                key: "r_squared",
                estimate: regression.rSquared.isFinite
                    ? NormalEstimate(estimate: regression.rSquared, stdError: 0) : nil, hasError: false,
                note: "the target does not vary"),
        ]
        guard prediction.isProbability else { return errors }
        let metrics = ProbabilityMetrics(
            prediction.target, prediction.predictions, weights: weights, clusters: clusters)
        return [
            Metric(key: "log_loss", estimate: metrics.logLoss), Metric(key: "brier", estimate: metrics.brier),
            Metric(key: "auc", estimate: metrics.areaUnderCurve),
            Metric(
                key: "calibration_slope", estimate: metrics.calibrationSlope,
                note: "predictions do not vary, or separate the events"),
        ] + errors
    }

    /// The calibration curve: bins of equal weight by prediction.
    private func calibrate(
        _ prediction: Prediction, _ study: CausalStudy, _ cells: [SpecValue], _ table: inout ResultTable
    ) -> Chart {
        let cut = WeightedQuantiles.groups(
            prediction.predictions, weights: prediction.weights, count: bins)
        let means = GroupMeans(
            prediction.target, groups: cut.codes, count: cut.count, weights: prediction.weights,
            clusters: study.clusters)
        let predicted = EffectGroupTable.predicted(
            prediction.predictions, cut.codes, cut.count, prediction.weights)
        for bin in 0..<cut.count {
            table.append(
                cells + [.integer(bin + 1), .number(predicted[bin])]
                    + ResultTable.cells(means.estimates[bin], level: level).dropLast())
        }
        let known = (0..<cut.count).filter { means.estimates[$0] != nil }
        let intervals = known.compactMap { means.estimates[$0]?.interval(level: level) }
        let label = study.armLabels[prediction.arm]
        return Chart(
            "calibration_\(prediction.role)_\(label)",
            prediction.role == "propensity"
                ? "Calibration of the propensity of '\(label)'"
                : "Calibration of the expected outcome in '\(label)'",
            x: Chart.Axis("predicted", isShare: true), y: Chart.Axis("observed", isShare: true),
            series: [
                Chart.Series(
                    "rows", .points, x: known.map { predicted[$0] },
                    y: known.compactMap { means.estimates[$0]?.estimate }, lower: intervals.map(\.lower),
                    upper: intervals.map(\.upper)),
                Chart.Series("perfect", .line, x: [0, 1], y: [0, 1]),
            ])
    }

    private func finding(_ prediction: Prediction, _ metrics: [Metric], _ study: CausalStudy) -> [String] {
        func value(_ key: String) -> NormalEstimate? { metrics.first { $0.key == key }?.estimate }
        let label = study.armLabels[prediction.arm]
        if prediction.role == "propensity" {
            guard let area = value("auc") else { return [] }
            var text =
                "The covariates tell with an AUC of \(NumberText.fixed(area.estimate, decimals: 2)) who is in arm '\(label)'"
            if let slope = value("calibration_slope"), !study.propensitiesAreKnown {
                let ends = slope.interval(level: level)
                text +=
                    ends.upper < 1
                    ? "; the propensities are too extreme (calibration slope \(Sentence.number(slope.estimate)))"
                    : ends.lower > 1
                        ? "; the propensities are too even (calibration slope \(Sentence.number(slope.estimate)))"
                        : "; the propensities are calibrated"
            }
            return [text + "."]
        }
        guard let explained = value("r_squared")?.estimate else { return [] }
        return [
            explained > 0
                ? "The model of the outcome in arm '\(label)' explains \(Sentence.share(explained)) of its variance."
                : "The model of the outcome in arm '\(label)' predicts no better than its mean."
        ]
    }
}
