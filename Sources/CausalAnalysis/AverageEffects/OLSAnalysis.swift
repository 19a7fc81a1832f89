import MetaLearnersCore

/// Average effects by a linear regression of the outcome on arms and covariates.
///
/// - `none`: on the arms alone.
/// - `plain`: Y = α + Σ_k τ_k 1{W=k} + xᵀβ: one effect for all rows.
/// - `interacted`: Y = α + Σ_k 1{W=k}(τ_k + (x − x̄)ᵀδ_k) + (x − x̄)ᵀβ (Lin 2013): in a randomised trial never less precise than
///   the difference in means in large samples, whatever the outcome's true form. The effect over a population is
///   τ_k + (x̄_population − x̄)ᵀδ_k.
///
/// Effects over a population have one more source of error, that its mean of x is one of a sample: the row's influence
/// on it, (x_i − x̄)ᵀδ_k, is added to that on the coefficients (Negi & Wooldridge 2021). The coefficient table is that of the
/// regression alone, with the errors that other software gives.
public struct OLSAnalysis: EffectEstimator {
    /// What the outcome is regressed on beside the arms.
    public enum Adjustment: String, Sendable, CaseIterable {
        /// Nothing.
        case none
        /// The covariates.
        case plain
        /// The covariates, centred, and their products with the arms.
        case interacted
    }

    public static let name = "ols"
    public static let title = "Linear regression (OLS)"
    public static let summary =
        "The average effect of each arm after linear adjustment for covariates, with every coefficient"
    public static let topic = AnalysisTopic.averageEffects
    public static let runsByDefault = false
    public static let parameters: [Parameter<OLSAnalysis>] =
        Parameter.question + [
            .choice(
                "adjustment", \.adjustment,
                "what the outcome is regressed on beside the arms: none, the covariates (plain), or the centred covariates and their products with the arms (interacted)"
            ),
            .choice(
                "errors", \.errors,
                "heteroskedasticity-robust errors; with clusters, errors are cluster-robust (CR1) instead"),
        ]
    static let estimands = [Estimand.ate, .att, .atc]

    /// What is asked.
    public var question = EffectQuestion()
    /// What the outcome is regressed on beside the arms.
    public var adjustment = Adjustment.interacted
    /// How errors are estimated.
    public var errors = CoefficientErrors.hc3

    public init() {}

    init(_ question: EffectQuestion, _ adjustment: Adjustment) {
        self.question = question
        self.adjustment = adjustment
    }

    public var needs: StudyParts { adjustment == .none ? [] : .covariates }

    /// The column to group by.
    public var dataColumns: [String] { question.by.map { [$0] } ?? [] }

    var key: String { "ols_\(adjustment.rawValue)" }

    /// One effect for all rows needs one row.
    var tabulated: [Estimand] { adjustment == .interacted ? Self.estimands : [.ate] }

    var assumptions: [String] {
        switch adjustment {
        case .none:
            ["Chance alone decided who is in which arm, as in a randomised trial: nothing is adjusted for."]
        case .plain:
            [
                Assumption.noConfounding,
                "The mean outcome is linear in the covariates, and the effect is the same for everybody.",
            ]
        case .interacted:
            [Assumption.noConfounding, "The mean outcome of each arm is linear in the covariates."]
        }
    }

    public func run(_ study: CausalStudy, _ scheduler: Scheduler) throws(MetaLearnersError) -> AnalysisResult
    {
        var result = try answer(study, scheduler)
        let regression = try LinearAdjustment(EffectSample(study), adjustment, errors)
        result.tables.insert(regression.coefficientTable(level: question.level), at: 1)
        let rSquared = regression.fit.rSquared
        result.values["r_squared"] = rSquared.isFinite ? .number(rSquared) : .null
        result.values["degrees_of_freedom"] = .number(regression.fit.degreesOfFreedom)
        result.values["errors"] = .string(study.clusters == nil ? errors.rawValue : "cluster")
        result.warnings = regression.notes
        if let strongest = regression.strongest {
            result.findings.append(strongest)
        }
        return result
    }

    func estimation(_ sample: EffectSample) throws(MetaLearnersError) -> EffectEstimation {
        try sample.study.require(needs, for: key)
        let regression = try LinearAdjustment(sample, adjustment, errors)
        return { estimand, arm throws(MetaLearnersError) in
            try sample.requireComparison(arm)
            return EffectEstimate(
                value: try regression.effect(arm, estimand), rows: regression.rows.count,
                note: adjustment == .interacted || estimand == .ate
                    ? nil : "one effect for all rows: the same for every estimand")
        }
    }
}

/// The regression of an outcome on arms and covariates.
struct LinearAdjustment {
    /// The fit.
    let fit: LeastSquaresFit
    /// The rows of the study that took part.
    let rows: [Int]
    /// What was done to columns, and which of them have no coefficient.
    private(set) var notes: [String]

    private let sample: EffectSample
    private let names: [String]
    /// The covariates, not centred; in the order of their interactions.
    private let covariates: [[Double]]
    private let means: [Double]
    private let isInteracted: Bool

    init(
        _ sample: EffectSample, _ adjustment: OLSAnalysis.Adjustment, _ errors: CoefficientErrors
    ) throws(MetaLearnersError) {
        let study = sample.study
        let rows = sample.rows
        let weights = rows.map { sample.weights[$0] }
        let none = Table.withoutColumns(rowCount: study.rowCount)
        let design = CovariateDesign(
            adjustment == .none ? none : study.covariates, rows: rows, weights: weights)
        let total = weights.reduce(0, +)
        let means = design.columns.map { column in
            zip(column, weights).reduce(0) { $0 + $1.0 * $1.1 } / total
        }
        let isInteracted = adjustment == .interacted
        let treated = Array(1..<study.armCount)
        let armNames = treated.map { "\(study.names.treatment) = \(study.armLabels[$0])" }
        var names = ["(constant)"] + armNames + design.names
        if isInteracted {
            for arm in armNames { names += design.names.map { "\(arm) × \($0)" } }
        }
        let width = names.count
        let (size, overflow) = width.multipliedReportingOverflow(by: rows.count)
        guard !overflow, width <= 5000 else {
            throw MetaLearnersError(
                .invalidData, at: "covariates", "they make \(width) columns, more than 5000",
                remedy: "leave columns out by data.exclude")
        }
        var matrix = DesignMatrix(names: names, values: [])
        matrix.values.reserveCapacity(size)
        for (index, row) in rows.enumerated() {
            matrix.values.append(1)
            for arm in treated { matrix.values.append(study.arms[row] == arm ? 1 : 0) }
            // Without interactions centring changes the constant alone.
            let own = design.columns.indices.map { column in
                design.columns[column][index] - (isInteracted ? means[column] : 0)
            }
            matrix.values += own
            guard isInteracted else { continue }
            for arm in treated {
                if study.arms[row] == arm {
                    matrix.values += own
                } else {
                    for _ in own { matrix.values.append(0) }
                }
            }
        }
        fit = try LeastSquaresFit(
            matrix, rows.map { study.outcome[$0] }, weights: weights,
            clusters: study.clusters.map { clusters in rows.map { clusters[$0] } }, errors: errors)
        self.sample = sample
        self.rows = rows
        self.names = names
        covariates = design.columns
        self.means = means
        self.isInteracted = isInteracted
        notes = design.notes
        let aliased = names.indices.filter { fit.isAliased[$0] }
        if !aliased.isEmpty {
            let first = aliased.prefix(5).map { "'\(names[$0])'" }.joined(separator: ", ")
            notes.append(
                "\(first)\(aliased.count > 5 ? " and \(aliased.count - 5) more" : "") follow from the terms before "
                    + "them and have no coefficient.")
        }
    }

    /// The average effect of an arm over a population.
    func effect(_ arm: Int, _ estimand: Estimand) throws(MetaLearnersError) -> NormalEstimate {
        guard !fit.isAliased[arm] else {
            throw MetaLearnersError(
                .invalidData, at: "arm '\(sample.study.armLabels[arm])'",
                "the covariates tell the arms apart completely, so that its effect cannot be told from theirs"
            )
        }
        var combination = [Double](repeating: 0, count: names.count)
        combination[arm] = 1
        guard isInteracted, !covariates.isEmpty else { return fit.estimate(combination) }
        let first = sample.study.armCount + covariates.count * arm
        // 1 for the rows of the population.
        let members = rows.map { row -> Double in
            switch estimand {
            case .ate, .ato: 1
            case .att: sample.study.arms[row] == arm ? 1 : 0
            case .atc: sample.study.arms[row] == 0 ? 1 : 0
            }
        }
        let weights = rows.indices.map { sample.weights[rows[$0]] * members[$0] }
        let total = weights.reduce(0, +)
        var extra = [Double](repeating: 0, count: rows.count)
        for (column, values) in covariates.enumerated() {
            let mean = zip(values, weights).reduce(0) { $0 + $1.0 * $1.1 } / total
            combination[first + column] = mean - means[column]
            let slope = fit.coefficients[first + column]
            if slope == 0 { continue }
            for row in rows.indices { extra[row] += weights[row] * (values[row] - mean) * slope / total }
        }
        if fit.isAliased[first..<first + covariates.count].contains(true), estimand != .ate {
            throw MetaLearnersError(
                .invalidData, at: "covariates",
                "some covariates do not vary within an arm, so that the effect over its rows is not known")
        }
        return fit.estimate(combination, extra: extra)
    }

    /// The coefficients with their errors.
    func coefficientTable(level: Double) -> ResultTable {
        var table = ResultTable(
            "coefficients", "Coefficients",
            [ResultTable.Column("term", "term", .text)]
                + ResultTable.estimateColumns("coefficient", level: level)
                + [ResultTable.Column("t", "t", .number), ResultTable.Column("note", "note", .text)])
        let covariance = fit.covariance()
        for (index, name) in names.enumerated() {
            guard !fit.isAliased[index] else {
                table.append([
                    .string(name), .null, .null, .null, .null, .null, .null,
                    .string("follows from the terms before it"),
                ])
                continue
            }
            let estimate = NormalEstimate(
                estimate: fit.coefficients[index],
                stdError: max(covariance[index * names.count + index], 0).squareRoot(),
                degreesOfFreedom: fit.degreesOfFreedom)
            table.append(
                [.string(name)] + ResultTable.cells(estimate, level: level) + [
                    .number(estimate.estimate / estimate.stdError),
                    estimate.stdError > 0 ? .null : .string("fits without any error"),
                ])
        }
        return table
    }

    /// Which covariates the outcome goes with most, by the size of their t statistic; nil where there are none.
    var strongest: String? {
        let covariance = fit.covariance()
        let first = sample.study.armCount
        let terms = (first..<first + covariates.count).compactMap { index -> (String, Double)? in
            let error = max(covariance[index * names.count + index], 0).squareRoot()
            guard !fit.isAliased[index], error > 0 else { return nil }
            return (names[index], fit.coefficients[index] / error)
        }.sorted { abs($0.1) > abs($1.1) }
        guard !terms.isEmpty else { return nil }
        let list = terms.prefix(3).map { "'\($0.0)' (t = \(Sentence.number($0.1)))" }
        return "'\(sample.study.names.outcome)' goes most with \(list.joined(separator: ", "))"
            + (isInteracted ? " in the control." : ".")
    }
}
