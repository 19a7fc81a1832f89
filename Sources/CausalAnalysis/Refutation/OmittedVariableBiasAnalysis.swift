import MetaLearnersCore

/// How strong must a confounder be that nobody observed, compared with those that were?
public struct OmittedVariableBiasAnalysis: Analysis {
    public static let name = "omitted_variable_bias"
    public static let title = "Omitted-variable bias"
    public static let summary =
        "How much of treatment and outcome must a hidden confounder explain to change the answer, compared with the covariates?"
    public static let topic = AnalysisTopic.refutation
    public static let parameters: [Parameter<OmittedVariableBiasAnalysis>] = [
        .texts(
            "benchmarks", \.benchmarks,
            "covariates that a confounder is compared with; where empty, those that explain most"),
        .numbers(
            "multiples", \.multiples, in: 0.01...1000,
            "how many times as strong as a benchmark a confounder is"),
        .numbers(
            "strengths", \.strengths, in: 0...0.99,
            "shares of treatment and outcome that the confounder explains, for the bounds of the doubly robust effect"
        ),
        .number(
            "correlation", \.correlation, in: 0...1, exclusiveLower: true,
            "how the confounder's parts in treatment and outcome go together; 1 is the worst case"),
        .level(\.level), .arm(\.arm),
    ]

    /// Covariates that a confounder is compared with.
    public var benchmarks: [String] = []
    /// How many times as strong as a benchmark.
    public var multiples = [1.0, 2, 3]
    /// Shares of treatment and outcome that the confounder explains.
    public var strengths = [0.01, 0.03, 0.1]
    /// ρ.
    public var correlation = 1.0
    /// The level of intervals.
    public var level = 0.95
    /// The arm that is asked about; nil for every one but the control.
    public var arm: String?

    public init() {}

    public var needs: StudyParts { [.covariates, .scores] }

    /// So many covariates are benchmarks where none is named.
    private static let standardCount = 3

    public func run(_ study: CausalStudy, _ scheduler: Scheduler) throws(MetaLearnersError) -> AnalysisResult
    {
        for name in benchmarks {
            _ = try study.covariates.requiredColumn(name, for: "omitted_variable_bias.benchmarks")
        }
        var result = emptyResult
        var values = ResultTable("robustness", "Robustness values", Self.robustnessColumns(level))
        var table = ResultTable(
            "benchmarks", "A confounder as strong as a covariate", Self.benchmarkColumns(level))
        var bounds = ResultTable("bounds", "Bounds of the doubly robust effect", Self.boundColumns(level))
        let (columns, groups) = Self.design(study)
        for arm in try study.treatedArms(arm) {
            try scheduler.context.checkCancellation()
            let linear = LinearSensitivity(study, arm, columns)
            let robustness = append(linear, study.armLabels[arm], to: &values)
            append(linear, groups, study.armLabels[arm], to: &table)
            let robust = try append(study, arm, to: &bounds, &values)
            result.findings.append(finding(study, arm, robust ?? robustness, isLinear: robust == nil))
        }
        result.tables = [values, table, bounds]
        result.assumptions = [
            "Linear model: the effect is the treatment's coefficient in a least-squares fit with all covariates, and errors scatter alike (Cinelli & Hazlett 2020).",
            "Doubly robust: outcome and treatment depend on the covariates in any way; shares are of the variance that they leave (Chernozhukov et al. 2022).",
        ]
        if study.clusters != nil {
            result.warnings.append(
                "The errors of the linear model take rows for independent; those of the doubly robust bounds are cluster-robust."
            )
        }
        return result
    }

    private static func robustnessColumns(_ level: Double) -> [ResultTable.Column] {
        [
            .init("arm", "arm", .text), .init("model", "effect by", .text),
            .init("estimate", "estimate", .number), .init("std_error", "std. error", .number),
            .init("partial_r2", "R² of the treatment", .number),
            .init("robustness_value", "robustness value", .share),
            .init("robustness_value_interval", "with its interval", .share),
        ]
    }

    private static func benchmarkColumns(_ level: Double) -> [ResultTable.Column] {
        [
            .init("arm", "arm", .text), .init("benchmark", "confounder", .text),
            .init("multiple", "times", .number),
            .init("treatment_r2", "R² with treatment", .number),
            .init("outcome_r2", "R² with outcome", .number),
        ] + ResultTable.estimateColumns(level: level) + [.init("note", "note", .text)]
    }

    private static func boundColumns(_ level: Double) -> [ResultTable.Column] {
        [
            .init("arm", "arm", .text), .init("strength", "of both explained", .share),
            .init("lower_bound", "lowest effect", .number), .init("upper_bound", "highest effect", .number),
            .init("lower", "interval from", .number), .init("upper", "to", .number),
        ]
    }

    /// The covariates as columns of numbers, a level less than a category has, and which columns belong to which covariate.
    private static func design(_ study: CausalStudy) -> (
        columns: [[Double]], groups: [(name: String, columns: [Int])]
    ) {
        var columns: [[Double]] = []
        var groups: [(name: String, columns: [Int])] = []
        let weights = study.rowWeights
        for column in study.covariates.columns {
            var own: [Int] = []
            let terms = BalanceTerm.terms(Table.withoutColumns(rowCount: study.rowCount).appending(column))
            for term in column.levels == nil ? terms : Array(terms.dropFirst()) {
                var moments = WeightedMoments()
                for (row, value) in term.values.enumerated() { moments.add(value, weight: weights[row]) }
                let mean = moments.mean
                own.append(columns.count)
                columns.append(term.values.map { $0.isNaN ? mean : $0 })
            }
            groups.append((column.name, own))
        }
        return (columns, groups)
    }

    /// The linear model of an arm: treatments of other arms are covariates in it.
    private struct LinearSensitivity {
        let estimate: Double
        let stdError: Double
        let degreesOfFreedom: Double
        let outcome: PartialRegression
        let treatment: PartialRegression
        /// Where the covariates' columns begin in each regression.
        let offset: (outcome: Int, treatment: Int)

        init(_ study: CausalStudy, _ arm: Int, _ columns: [[Double]]) {
            func indicator(_ arm: Int) -> [Double] { study.arms.map { $0 == arm ? 1 : 0 } }
            let others = (1..<study.armCount).filter { $0 != arm }.map(indicator)
            let treated = indicator(arm)
            let weights = study.rowWeights
            outcome = PartialRegression([treated] + others + columns, study.outcome, weights: weights)
            treatment = PartialRegression(others + columns, treated, weights: weights)
            offset = (1 + others.count, others.count)
            estimate = outcome.coefficients[0]
            stdError = outcome.standardError(0)
            degreesOfFreedom = outcome.degreesOfFreedom
        }
    }

    private func append(_ linear: LinearSensitivity, _ label: String, to table: inout ResultTable) -> (
        value: Double, interval: Double
    ) {
        let statistic = linear.estimate / linear.stdError
        let critical = StudentDistribution(linear.degreesOfFreedom - 1).quantile((1 + level) / 2)
        let value = OmittedVariableFormulas.robustnessValue(
            statistic: statistic, degreesOfFreedom: linear.degreesOfFreedom)
        let interval = OmittedVariableFormulas.robustnessValue(
            statistic: statistic, degreesOfFreedom: linear.degreesOfFreedom, critical: critical)
        table.append([
            .string(label), .string("linear model"), .number(linear.estimate), .number(linear.stdError),
            .number(linear.outcome.partialRSquared([0])), .number(value), .number(interval),
        ])
        return (value, interval)
    }

    private func append(
        _ linear: LinearSensitivity, _ groups: [(name: String, columns: [Int])], _ label: String,
        to table: inout ResultTable
    ) {
        let strengths = groups.map { group in
            (
                name: group.name,
                treatment: linear.treatment.partialRSquared(
                    group.columns.map { $0 + linear.offset.treatment }),
                outcome: linear.outcome.partialRSquared(group.columns.map { $0 + linear.offset.outcome })
            )
        }
        let chosen =
            benchmarks.isEmpty
            ? Array(
                strengths.sorted { $0.treatment * $0.outcome > $1.treatment * $1.outcome }
                    .prefix(Self.standardCount))
            : benchmarks.compactMap { name in strengths.first { $0.name == name } }
        for benchmark in chosen {
            for multiple in multiples {
                let start: [SpecValue] = [.string(label), .string(benchmark.name), .number(multiple)]
                guard
                    let strength = OmittedVariableFormulas.strength(
                        treatment: benchmark.treatment, outcome: benchmark.outcome, multiple: multiple)
                else {
                    table.append(
                        start + [SpecValue](repeating: .null, count: 7)
                            + [.string("no confounder can be as strong")])
                    continue
                }
                let adjusted = OmittedVariableFormulas.adjusted(
                    estimate: linear.estimate, stdError: linear.stdError,
                    degreesOfFreedom: linear.degreesOfFreedom, strength: strength)
                let student = StudentDistribution(linear.degreesOfFreedom)
                let half = student.quantile((1 + level) / 2) * adjusted.stdError
                table.append(
                    start + [
                        .number(strength.treatment), .number(strength.outcome), .number(adjusted.estimate),
                        .number(adjusted.stdError), .number(adjusted.estimate - half),
                        .number(adjusted.estimate + half),
                        .number(
                            adjusted.stdError > 0
                                ? 2 * student.upperTail(abs(adjusted.estimate) / adjusted.stdError) : .nan),
                        strength.outcome < 1
                            ? .null : .string("explains all that is left of the outcome"),
                    ])
            }
        }
    }

    private func append(
        _ study: CausalStudy, _ arm: Int, to table: inout ResultTable, _ values: inout ResultTable
    ) throws(MetaLearnersError) -> (value: Double, interval: Double)? {
        let label = study.armLabels[arm]
        guard let bounds = try DoublyRobustBounds(study, arm: arm) else { return nil }
        let value = bounds.robustnessValue(correlation: correlation)
        let interval = bounds.robustnessValue(correlation: correlation, level: level)
        values.append([
            .string(label), .string("doubly robust"), .number(bounds.estimate.estimate),
            .number(bounds.estimate.stdError), .null, .number(value), .number(interval),
        ])
        for strength in strengths {
            let factor = DoublyRobustBounds.factor(
                outcome: strength, treatment: strength, correlation: correlation)
            let lower = bounds.end(-1, factor: factor)
            let upper = bounds.end(1, factor: factor)
            table.append([
                .string(label), .number(strength), .number(lower.estimate), .number(upper.estimate),
                .number(lower.interval(level: level).lower), .number(upper.interval(level: level).upper),
            ])
        }
        return (value, interval)
    }

    private func finding(
        _ study: CausalStudy, _ arm: Int, _ robustness: (value: Double, interval: Double), isLinear: Bool
    ) -> String {
        let label = study.armLabels[arm]
        func percent(_ share: Double) -> String { Sentence.number(share * 100) + " %" }
        if robustness.interval == 0 {
            return
                "The interval of the effect of '\(label)' contains 0 without any confounder; its estimate would become 0 by one that explains \(percent(robustness.value)) of what the covariates leave of treatment and outcome."
        }
        return
            "A hidden confounder must explain \(percent(robustness.value)) of what the covariates leave of both treatment and outcome to make the effect of '\(label)' 0 (\(isLinear ? "linear model" : "doubly robust")), and \(percent(robustness.interval)) for its interval to contain 0. The table says how strong the covariates are."
    }
}
