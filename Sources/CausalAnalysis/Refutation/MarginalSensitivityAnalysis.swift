import MetaLearnersCore

/// Between what bounds does the effect lie if a hidden confounder changes everybody's odds of treatment by up to Λ?
public struct MarginalSensitivityAnalysis: Analysis {
    public static let name = "marginal_sensitivity"
    public static let title = "Marginal sensitivity bounds"
    public static let summary =
        "Between what bounds does the effect lie if hidden confounding changes the odds of treatment by up to a factor?"
    public static let topic = AnalysisTopic.refutation
    public static let parameters: [Parameter<MarginalSensitivityAnalysis>] = [
        .numbers(
            "lambdas", \.lambdas, in: 1...(.infinity), "factors by which the odds of treatment may be off"),
        .choice("method", \.method, "aipw: weighted residuals beside the arm means; ipw: weighted outcomes"),
        .level(\.level), .arm(\.arm),
    ]

    /// What is weighted.
    public enum Method: String, Sendable, CaseIterable {
        /// Residuals, beside the mean of the arm means.
        case aipw
        /// Outcomes.
        case ipw
    }

    /// Factors by which the odds of treatment may be off.
    public var lambdas = [1, 1.1, 1.25, 1.5, 2, 3]
    /// What is weighted.
    public var method = Method.aipw
    /// The level of intervals.
    public var level = 0.95
    /// The arm that is asked about; nil for every one but the control.
    public var arm: String?

    public init() {}

    public var needs: StudyParts { method == .aipw ? .scores : .propensities }

    public func run(_ study: CausalStudy, _ scheduler: Scheduler) throws(MetaLearnersError) -> AnalysisResult
    {
        var result = emptyResult
        var table = Self.table("bounds", "Bounds of the average effect", [])
        var policy = Self.table(
            "policy", "Bounds of the gain per row of treating those alone whose estimated effect is above 0",
            [.init("treated_share", "treated", .share)])
        let spread = method == .aipw ? try ResidualSpread(study, scheduler) : nil
        for arm in try study.treatedArms(arm) {
            let label = study.armLabels[arm]
            let bounds = try MarginalSensitivityBounds(study, arm: arm, method, spread)
            try append(bounds, label, to: &table, scheduler)
            result.findings.append(finding(bounds, label))
            result.charts.append(chart(label, bounds.kinds, table))
            if let effects = study.effects?[arm - 1] {
                let chosen = effects.map { $0 > 0 }
                let own = try MarginalSensitivityBounds(study, arm: arm, method, spread, among: chosen)
                if own.share > 0 { try append(own, label, share: own.share, to: &policy, scheduler) }
            }
        }
        result.tables = [table, policy]
        result.assumptions = [
            "The true odds of treatment, with all confounders, are within a factor of Λ of those estimated (Tan 2006); bounds by Zhao, Small & Bhattacharya (2019, JRSS B 81, 735–761).",
            "Quantile-balanced bounds leave out those odds that the covariates contradict (Dorn & Guo 2023, JASA 118, 2645–2657). They are valid whatever quantiles they balance, and as narrow as can be where these are right.",
            "Intervals are those of the bounds' ends for given propensities and arm means.",
        ]
        if spread?.usesCovariates == false {
            result.warnings.append(
                "Where covariates, a spec or enough rows to fit with are missing, quantile-balanced bounds balance one quantile for all rows: they are valid, but wider than they could be."
            )
        }
        return result
    }

    private static func table(_ name: String, _ title: String, _ extra: [ResultTable.Column]) -> ResultTable {
        ResultTable(
            name, title,
            [
                .init("arm", "arm", .text), .init("kind", "bounds", .text), .init("lambda", "Λ", .number),
            ] + extra + [
                .init("lower_bound", "lowest", .number), .init("upper_bound", "highest", .number),
                .init("lower", "interval from", .number), .init("upper", "to", .number),
                .init("excludes_zero", "without 0", .text),
            ])
    }

    private func append(
        _ bounds: MarginalSensitivityBounds, _ label: String, share: Double? = nil,
        to table: inout ResultTable, _ scheduler: Scheduler
    ) throws(MetaLearnersError) {
        let factor = share ?? 1
        for kind in bounds.kinds {
            for lambda in lambdas {
                try scheduler.context.checkCancellation()
                let ends = bounds.bounds(lambda, kind)
                let lower = ends.lower.interval(level: level).lower * factor
                let upper = ends.upper.interval(level: level).upper * factor
                table.append(
                    [.string(label), .string(kind.rawValue), .number(lambda)]
                        + (share.map { [.number($0)] } ?? []) + [
                            .number(ends.lower.estimate * factor), .number(ends.upper.estimate * factor),
                            .number(lower), .number(upper), .boolean(lower > 0 || upper < 0),
                        ])
            }
        }
    }

    private func finding(_ bounds: MarginalSensitivityBounds, _ label: String) -> String {
        let estimate = bounds.bounds(1).lower.estimate
        // The narrowest bounds that there are.
        let kind = bounds.kinds.last ?? .free
        func excludes(_ lambda: Double) -> Bool {
            let end = bounds.end(lambda, kind, isUpper: estimate < 0).interval(level: level)
            return estimate > 0 ? end.lower > 0 : end.upper < 0
        }
        guard excludes(1) else {
            return
                "The interval of the effect of '\(label)' (\(Sentence.number(estimate))) contains 0 without any hidden confounding."
        }
        var low = 1.0
        var high = 2.0
        while excludes(high), high < 1e6 { (low, high) = (high, high * 2) }
        while high - low > 1e-4 * low {
            let middle = (low + high) / 2
            if excludes(middle) { low = middle } else { high = middle }
        }
        return
            "The effect of '\(label)' (\(Sentence.number(estimate))) can be told from 0 as long as hidden confounding changes nobody's odds of treatment by more than a factor of Λ = \(Sentence.number(low))."
    }

    private func chart(
        _ label: String, _ kinds: [MarginalSensitivityBounds.Kind], _ table: ResultTable
    ) -> Chart {
        // The band is that of the bounds, the line their middle.
        let series = kinds.map { kind in
            let rows = table.rows.indices.filter {
                table.column("arm")[$0] == .string(label)
                    && table.column("kind")[$0] == .string(kind.rawValue)
            }
            let lower = rows.map { table.numbers("lower_bound")[$0] }
            let upper = rows.map { table.numbers("upper_bound")[$0] }
            return Chart.Series(
                kind == .free ? "free" : "quantile-balanced", .line,
                x: rows.map { table.numbers("lambda")[$0] }, y: zip(lower, upper).map { ($0 + $1) / 2 },
                lower: lower, upper: upper)
        }
        return Chart(
            "bounds_\(label)", "Bounds of the effect of '\(label)'", x: Chart.Axis("Λ"),
            y: Chart.Axis("average effect"),
            series: series, references: [Chart.Reference("no effect", 0)])
    }
}
