import MetaLearnersCore

/// Every estimator of average effects side by side, from one fit of the nuisances.
public struct AverageEffectsAnalysis: Analysis {
    public static let name = "average_effects"
    public static let title = "Average effects"
    public static let summary =
        "The average effect of each arm by every classical estimator and over every population, and whether they agree"
    public static let topic = AnalysisTopic.averageEffects
    public static let parameters: [Parameter<AverageEffectsAnalysis>] = [
        Parameter(
            "estimands",
            "over whom to average: all rows (ate), those in the arm (att), those in the control (atc), all by overlap (ato)",
            range: "list of \(Estimand.allCases.map(\.rawValue).joined(separator: ", "))",
            read: { value, place, spec throws(MetaLearnersError) in
                spec.estimands = try estimands(value, place)
            },
            write: { .array($0.estimands.map { .string($0.rawValue) }) }),
        .number(
            "clip", \.clip, in: 0...0.4999,
            "the least propensity of the row 'ipw_hajek_clipped', whose complement is the largest"),
        .level(\.question.level), .arm(\.question.arm), .by(\.question.by), .groups(\.question.groups),
    ]

    /// Over whom to average.
    public var estimands = Estimand.allCases
    /// The least propensity of weighting with clipped propensities.
    public var clip = 0.05
    /// What is asked; its estimand has no part in this.
    public var question = EffectQuestion()

    public init() {}

    public var needs: StudyParts { .scores }

    /// The column to group by.
    public var dataColumns: [String] { question.by.map { [$0] } ?? [] }

    /// The estimators, in the order of the table: from those that take the most for granted.
    private var estimators: [any EffectEstimator] {
        [
            DifferenceInMeans(), OLSAnalysis(question, .plain), OLSAnalysis(question, .interacted),
            InverseProbabilityWeighting(question, form: .horvitzThompson),
            InverseProbabilityWeighting(question, form: .hajek),
            InverseProbabilityWeighting(question, form: .hajek, clip: clip), MatchingAnalysis(question),
            TMLEAnalysis(question), AIPWAnalysis(),
        ].filter { ($0 as? InverseProbabilityWeighting)?.key.hasSuffix("clipped") != true || clip > 0 }
    }

    public func run(_ study: CausalStudy, _ scheduler: Scheduler) throws(MetaLearnersError) -> AnalysisResult
    {
        var result = emptyResult
        let arms = try study.treatedArms(question.arm)
        var table = EffectTable("estimates", "Average effects", question)
        for estimand in estimands {
            for estimator in estimators {
                try scheduler.context.checkCancellation()
                try Self.append(estimator, estimand, arms, EffectSample(study), [], to: &table)
            }
        }
        result.tables = [table.table]
        let agreement = EstimatorAgreement(study, table.table, arms, estimands, level: question.level)
        result.findings = agreement.findings
        result.warnings = agreement.warnings
        result.charts = charts(study, table.table, arms)
        if let by = question.by {
            do throws(MetaLearnersError) {
                result.tables.append(try groups(study, by, arms, scheduler))
            } catch {
                guard error.kind == .cancelled else { throw error }
                result.isComplete = false
            }
        }
        result.assumptions = [
            Assumption.noConfounding, Assumption.overlap,
            "For 'difference_in_means', chance alone decided who is in which arm; for 'ols', outcomes are linear in the covariates; for "
                + "'ipw' and 'matching', the propensities are right; for 'aipw' and 'tmle', either these or the outcome means are.",
        ]
        return result
    }

    /// The first of the estimands within each group.
    private func groups(_ study: CausalStudy, _ by: String, _ arms: [Int], _ scheduler: Scheduler)
        throws(MetaLearnersError) -> ResultTable
    {
        let groups = try RowGroups(study, by: by, count: question.groups)
        let estimand = estimands[0]
        var table = EffectTable(
            "groups", "Average effects over \(estimand.population), by \(by)", question,
            leading: [ResultTable.Column("group", by, .text)])
        for (index, label) in groups.labels.enumerated() {
            let sample = EffectSample(study, rows: groups.rows(of: index))
            for estimator in estimators {
                try scheduler.context.checkCancellation()
                try Self.append(estimator, estimand, arms, sample, [.string(label)], to: &table)
            }
        }
        return table.table
    }

    private static func append(
        _ estimator: some EffectEstimator, _ estimand: Estimand, _ arms: [Int], _ sample: EffectSample,
        _ leading: [SpecValue], to table: inout EffectTable
    ) throws(MetaLearnersError) {
        guard estimator.tabulated.contains(estimand) else { return }
        try table.append(estimator, [estimand], arms, sample, leading)
    }

    /// For each arm, the estimates with their intervals.
    private func charts(_ study: CausalStudy, _ table: ResultTable, _ arms: [Int]) -> [Chart] {
        let keys = estimators.map(\.key)
        return arms.map { arm in
            let label = study.armLabels[arm]
            let rows = table.rows.indices.filter { table.column("arm")[$0].stringValue == label }
            let series = estimands.compactMap { estimand -> Chart.Series? in
                let own = rows.filter {
                    table.column("estimand")[$0].stringValue == estimand.rawValue
                        && table.numbers("estimate")[$0].isFinite
                }
                guard !own.isEmpty else { return nil }
                func numbers(_ key: String) -> [Double] { own.map { table.numbers(key)[$0] } }
                let places = own.map { row in
                    Double(keys.firstIndex { $0 == table.column("estimator")[row].stringValue } ?? 0)
                }
                return Chart.Series(
                    estimand.rawValue, .points, x: places, y: numbers("estimate"), lower: numbers("lower"),
                    upper: numbers("upper"))
            }
            return Chart(
                arms.count > 1 ? "estimates_\(label)" : "estimates",
                "Average effect of '\(label)' against '\(study.armLabels[0])'", x: Chart.Axis("estimator"),
                y: Chart.Axis("effect on \(study.names.outcome)"), series: series, categories: keys,
                references: [Chart.Reference("no effect", 0)])
        }
    }

    private static func estimands(_ value: SpecValue, _ place: SpecPath) throws(MetaLearnersError)
        -> [Estimand]
    {
        let names = Estimand.allCases.map(\.rawValue).joined(separator: ", ")
        var estimands: [Estimand] = []
        for entry in value.arrayValue ?? [value] {
            guard let text = entry.stringValue, let estimand = Estimand(rawValue: text.lowercased()) else {
                throw place.error("holds \(entry.json()), must be a list of: \(names)")
            }
            if !estimands.contains(estimand) { estimands.append(estimand) }
        }
        guard !estimands.isEmpty else { throw place.error("is empty, must be a list of: \(names)") }
        return estimands
    }
}
