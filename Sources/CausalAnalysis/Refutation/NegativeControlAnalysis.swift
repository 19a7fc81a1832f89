import MetaLearnersCore

/// Does the treatment "affect" what it cannot, or does something "affect" the outcome that cannot?
public struct NegativeControlAnalysis: Analysis {
    public static let name = "negative_control"
    public static let title = "Negative controls"
    public static let summary =
        "Outcomes that the treatment cannot change, and treatments that cannot change the outcome, must show no effect"
    public static let topic = AnalysisTopic.refutation
    // No part of reports: it is of use with a control alone.
    public static let isPartOfReports = false
    public static let parameters: [Parameter<NegativeControlAnalysis>] = [
        .texts(
            "outcomes", \.outcomes,
            "columns that the treatment cannot have changed, such as the outcome before it"),
        .texts("treatments", \.treatments, "columns of treatments that cannot have changed the outcome"),
        .level(\.level), .arm(\.arm),
    ]

    /// Columns that the treatment cannot have changed.
    public var outcomes: [String] = []
    /// Columns of treatments that cannot have changed the outcome.
    public var treatments: [String] = []
    /// The level of intervals.
    public var level = 0.95
    /// The arm that is asked about; nil for every one but the control.
    public var arm: String?

    public init() {}

    public var needs: StudyParts { [.scores, .fitting] }

    public var dataColumns: [String] { outcomes + treatments }

    /// A row of the table: what was estimated, and for which arms.
    private struct Control: Sendable {
        let column: String
        let kind: String
        let labels: [String]
        let estimate: RefutationFit.Estimate
    }

    public func run(_ study: CausalStudy, _ scheduler: Scheduler) throws(MetaLearnersError) -> AnalysisResult
    {
        var result = emptyResult
        let arms = try study.treatedArms(arm)
        guard !outcomes.isEmpty || !treatments.isEmpty else {
            result.findings = [
                "Not run: no negative control is named. Name columns that the treatment cannot have changed (option outcomes) or treatments that cannot have changed the outcome (option treatments)."
            ]
            return result
        }
        let fit = try RefutationFit(study)
        for name in outcomes + treatments {
            _ = try study.columns.requiredColumn(
                name, for: "negative_control." + (outcomes.contains(name) ? "outcomes" : "treatments"))
        }
        let done = try RefutationFit.repeats(
            "negative controls", outcomes.count + treatments.count, scheduler
        ) { index, options throws(MetaLearnersError) in
            index < outcomes.count
                ? try outcomeControl(outcomes[index], study, fit, options)
                : try treatmentControl(treatments[index - outcomes.count], study, fit, options)
        }
        var table = ResultTable(
            "controls", "Effects that must be none",
            [
                .init("column", "column", .text), .init("kind", "in place of", .text),
                .init("arm", "arm", .text),
            ] + ResultTable.estimateColumns(level: level) + [.init("verdict", "verdict", .text)])
        var failed: [String] = []
        for control in done.compactMap(\.self) {
            let own = control.kind == "outcome" ? arms : Array(1..<control.labels.count)
            for arm in own {
                let effect = control.estimate.effects[arm - 1]
                let interval = effect.interval(level: level)
                let passed = interval.lower <= 0 && interval.upper >= 0
                if !passed {
                    failed.append(
                        "'\(control.column)' as the \(control.kind) shows \(Sentence.number(effect.estimate)) [\(Sentence.number(interval.lower)), \(Sentence.number(interval.upper))]"
                    )
                }
                table.append([
                    .string(control.column), .string(control.kind), .string(control.labels[arm]),
                    .number(effect.estimate), .number(effect.stdError), .number(interval.lower),
                    .number(interval.upper), .number(effect.pValue), .string(passed ? "passed" : "failed"),
                ])
            }
        }
        result.findings = [
            failed.isEmpty
                ? "Passed: all \(table.rows.count) effects that must be none have intervals with 0."
                : "Failed: \(failed.joined(separator: "; ")). What makes these effects may make that of the treatment as well: confounding that the covariates do not capture."
        ]
        result.values["verdict"] = .string(failed.isEmpty ? "passed" : "failed")
        result.values["fitted_models"] = .integer(done.reduce(0) { $0 + ($1?.estimate.modelCount ?? 0) })
        result.tables = [table]
        result.assumptions = [
            "A negative control shares the confounders of what it stands for; the treatment has no effect on an outcome control, and a treatment control none on the outcome."
        ]
        result.isComplete = !done.contains { $0 == nil }
        return result
    }

    private func outcomeControl(
        _ name: String, _ study: CausalStudy, _ fit: RefutationFit, _ options: ExecutionOptions
    ) throws(MetaLearnersError) -> Control {
        let column = try study.columns.requiredColumn(name, for: "negative_control.outcomes")
        if let levels = column.levels, levels.count > 2 {
            throw MetaLearnersError(
                .invalidArgument, at: "negative_control.outcomes",
                "column '\(name)' has \(levels.count) levels",
                remedy: "use numbers, or a column of two levels")
        }
        let values = column.codes().map { $0.map { $0 < 0 ? .nan : Double($0) } } ?? column.values.doubles()
        let (numbers, weights) = Self.withoutMissing(values, fit.dataset)
        let isBinary = values.allSatisfy { $0.isNaN || $0 == 0 || $0 == 1 }
        let isCovariate = fit.dataset.covariates.column(named: name) != nil
        let dataset = try fit.dataset.replacing(
            covariates: Self.covariates(fit.dataset, without: name),
            outcome: Outcome(numbers, kind: isBinary ? .binary(labels: ["0", "1"]) : .continuous),
            weights: weights)
        // Without a covariate less, who was treated is modelled as before.
        let known = isCovariate ? nil : study.propensities.map { ($0, study.hasOverlap) }
        return Control(
            column: name, kind: "outcome", labels: study.armLabels,
            estimate: try fit.estimate(dataset, known: known, options))
    }

    private func treatmentControl(
        _ name: String, _ study: CausalStudy, _ fit: RefutationFit, _ options: ExecutionOptions
    ) throws(MetaLearnersError) -> Control {
        let column = try study.columns.requiredColumn(name, for: "negative_control.treatments")
            .asCategorical()
        let codes = column.codes() ?? []
        let present = Set(codes.filter { $0 >= 0 }).sorted()
        guard (2...20).contains(present.count) else {
            throw MetaLearnersError(
                .invalidArgument, at: "negative_control.treatments",
                "column '\(name)' has \(present.count) values, and a treatment has 2 to 20 arms",
                remedy: "use a column of few levels")
        }
        let arms = Dictionary(uniqueKeysWithValues: present.enumerated().map { ($1, Int32($0)) })
        let labels = present.map { (column.levels ?? [])[Int($0)] }
        let (_, weights) = Self.withoutMissing(codes.map { $0 < 0 ? .nan : 0 }, fit.dataset)
        // The real treatment is adjusted for: else its effect would show through it.
        let real = Column(
            study.names.treatment, codes: StridedValues(Array(study.arms)), levels: study.armLabels)
        var covariates = Self.covariates(fit.dataset, without: name)
        if covariates.column(named: real.name) == nil { covariates = covariates.appending(real) }
        let dataset = try fit.dataset.replacing(
            covariates: covariates,
            treatment: Treatment(arms: codes.map { arms[$0] ?? 0 }, labels: labels), weights: weights,
            knownPropensities: [])
        return Control(
            column: name, kind: "treatment", labels: labels, estimate: try fit.estimate(dataset, options))
    }

    private static func covariates(_ dataset: CausalDataset, without name: String) -> Table {
        let table = dataset.covariates
        return table.selecting(columns: table.columns.indices.filter { table.columns[$0].name != name })
    }

    /// The values with 0 where they are missing, and weights that leave these rows out; nil where none is missing.
    private static func withoutMissing(_ values: [Double], _ dataset: CausalDataset) -> ([Double], [Double]?)
    {
        guard values.contains(where: \.isNaN) else { return (values, nil) }
        return (
            values.map { $0.isNaN ? 0 : $0 },
            values.indices.map { values[$0].isNaN ? 0 : dataset.weights?[$0] ?? 1 }
        )
    }
}
