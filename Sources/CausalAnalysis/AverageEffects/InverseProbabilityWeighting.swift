import MetaLearnersCore

/// Average effects by inverse probability weighting.
///
/// A population is a tilt h of all rows: 1 for everybody (ate), e_k for the arm (att), e_0 for the control (atc),
/// e_0 e_k/(e_0 + e_k) for the overlap (ato; Li, Morgan & Zaslavsky 2018). Rows of the arm weigh h/e_k, rows of the control h/e_0.
///
/// - Horvitz–Thompson (1952): weighted sums of the outcome over the size of the population, which is known or counted.
/// - Hájek (1971): weighted means, whose weights sum to 1 in each arm. The outcome's origin changes nothing.
///
/// Stabilised weights, P(W=k) h/e_k (Robins, Hernán & Brumback 2000), have a mean of about 1; a factor that is one for all
/// rows of an arm leaves both estimates as they are, so that they are a matter of weights to look at or to take elsewhere.
/// Errors take the propensities as known. Where these are estimated, that is too wide on the average over all rows (Hirano,
/// Imbens & Ridder 2003) and may be either for other populations.
public struct InverseProbabilityWeighting: EffectEstimator {
    /// How weighted outcomes become means.
    public enum Form: String, Sendable, CaseIterable {
        /// Weighted means.
        case hajek
        /// Weighted sums over the size of the population.
        case horvitzThompson = "horvitz_thompson"
    }

    public static let name = "ipw"
    public static let title = "Inverse probability weighting (IPW)"
    public static let summary =
        "The average effect of each arm from rows weighted by how improbable their arm was, with the weights"
    public static let topic = AnalysisTopic.averageEffects
    public static let runsByDefault = false
    public static let parameters: [Parameter<InverseProbabilityWeighting>] =
        Parameter.question + [
            .choice(
                "form", \.form,
                "weighted means (hajek) or weighted sums over the size of the population (horvitz_thompson)"),
            .number(
                "clip", \.clip, in: 0...0.4999,
                "propensities are clipped to between this and 1 minus this; 0 leaves them as they are"),
            .boolean(
                "stabilized", \.stabilized,
                "multiply weights by the share of the row's arm: no estimate changes, the weights do"),
        ]
    static let estimands = Estimand.allCases

    /// What is asked.
    public var question = EffectQuestion()
    /// How weighted outcomes become means.
    public var form = Form.hajek
    /// The least propensity; its complement is the largest.
    public var clip = 0.0
    /// Whether weights are multiplied by the share of the row's arm.
    public var stabilized = false

    public init() {}

    init(_ question: EffectQuestion, form: Form, clip: Double = 0) {
        self.question = question
        self.form = form
        self.clip = clip
    }

    public var needs: StudyParts { .propensities }

    /// The column to group by.
    public var dataColumns: [String] { question.by.map { [$0] } ?? [] }

    var key: String { "ipw_\(form.rawValue)" + (clip > 0 ? "_clipped" : "") }

    var assumptions: [String] {
        [
            Assumption.noConfounding, Assumption.overlap,
            "The propensities are right; errors take them as known.",
        ]
    }

    public func run(_ study: CausalStudy, _ scheduler: Scheduler) throws(MetaLearnersError) -> AnalysisResult
    {
        var result = try answer(study, scheduler)
        let sample = EffectSample(study)
        var table = ResultTable(
            "weights", "Weights",
            [
                ResultTable.Column("arm", "effect of arm", .text),
                ResultTable.Column("rows_of", "rows of", .text), ResultTable.Column("rows", "rows", .count),
                ResultTable.Column("effective_rows", "effective rows", .count),
                ResultTable.Column("mean_weight", "mean weight", .number),
                ResultTable.Column("max_weight", "max. weight", .number),
                ResultTable.Column("clipped", "clipped", .count),
            ])
        for arm in try study.treatedArms(question.arm) {
            let tilts = try tilts(sample, arm, question.estimand)
            var column = [Double](repeating: 0, count: study.rowCount)
            for index in [0, arm] {
                let rows = sample.rows(of: index)
                let share =
                    rows.reduce(0) { $0 + sample.weights[$1] } / sample.weights.reduce(0, +)
                var total = 0.0
                var squares = 0.0
                for row in rows {
                    column[row] = tilts.weights[row] * (stabilized ? share : 1)
                    let weight = sample.weights[row] * column[row]
                    total += weight
                    squares += weight * weight
                }
                table.append([
                    .string(study.armLabels[arm]), .string(study.armLabels[index]), .integer(rows.count),
                    .number(squares > 0 ? total * total / squares : 0),
                    .number(total / max(rows.reduce(0) { $0 + sample.weights[$1] }, .leastNonzeroMagnitude)),
                    .number(rows.map { column[$0] }.max() ?? 0),
                    .integer(rows.count { tilts.isClipped[$0] }),
                ])
            }
            let suffix = study.armCount > 2 ? "_\(study.armLabels[arm])" : ""
            result.rowColumns.append(RowColumn("ipw_weight" + suffix, column))
        }
        result.tables.append(table)
        return result
    }

    func estimation(_ sample: EffectSample) throws(MetaLearnersError) -> EffectEstimation {
        { estimand, arm throws(MetaLearnersError) in
            try sample.requireComparison(arm)
            let tilts = try tilts(sample, arm, estimand)
            let clipped = sample.rows.count { tilts.isClipped[$0] }
            return EffectEstimate(
                value: estimate(sample, arm, estimand, tilts),
                rows: AIPWAnalysis.rowCount(sample, arm, estimand),
                note: clipped > 0 ? "\(NumberText.grouped(clipped)) rows clipped" : nil)
        }
    }

    /// The weight of each row of the arm and the control, 0 for others, and h.
    private struct Tilts {
        var weights: [Double]
        var populations: [Double]
        var isClipped: [Bool]
    }

    private func tilts(_ sample: EffectSample, _ arm: Int, _ estimand: Estimand) throws(MetaLearnersError)
        -> Tilts
    {
        let (ofControl, ofArm) = try sample.propensities(arm)
        let arms = sample.study.arms
        var tilts = Tilts(
            weights: [Double](repeating: 0, count: arms.count),
            populations: [Double](repeating: 0, count: arms.count),
            isClipped: [Bool](repeating: false, count: arms.count))
        for row in arms.indices {
            let control = min(max(ofControl[row], clip), 1 - clip)
            let treated = min(max(ofArm[row], clip), 1 - clip)
            tilts.isClipped[row] = control != ofControl[row] || treated != ofArm[row]
            let isTreated = arms[row] == arm
            let isControl = arms[row] == 0
            let tilt: Double
            switch estimand {
            case .ate: (tilt, tilts.populations[row]) = (1, 1)
            case .att: (tilt, tilts.populations[row]) = (treated, isTreated ? 1 : 0)
            case .atc: (tilt, tilts.populations[row]) = (control, isControl ? 1 : 0)
            case .ato:
                tilt = treated * control / (treated + control)
                tilts.populations[row] = tilt
            }
            tilts.weights[row] = isTreated ? tilt / treated : isControl ? tilt / control : 0
        }
        return tilts
    }

    private func estimate(_ sample: EffectSample, _ arm: Int, _ estimand: Estimand, _ tilts: Tilts)
        -> NormalEstimate
    {
        let (outcome, arms) = (sample.study.outcome, sample.study.arms)
        func sign(_ row: Int) -> Double { arms[row] == arm ? 1 : -1 }
        switch form {
        case .horvitzThompson:
            return NormalEstimate(
                scores: outcome.indices.map { sign($0) * tilts.weights[$0] * outcome[$0] },
                shares: tilts.populations, weights: sample.weights, clusters: sample.study.clusters)
        case .hajek:
            var means: [Double] = []
            var totals: [Double] = []
            for index in [0, arm] {
                var (sum, total) = (0.0, 0.0)
                for row in sample.rows(of: index) {
                    sum += sample.weights[row] * tilts.weights[row] * outcome[row]
                    total += sample.weights[row] * tilts.weights[row]
                }
                means.append(sum / total)
                totals.append(total)
            }
            // θ + influence of each row times the sum of weights: a mean of these has the estimate's error.
            let total = sample.weights.reduce(0, +)
            let theta = means[1] - means[0]
            let scores = outcome.indices.map { row -> Double in
                let index = arms[row] == arm ? 1 : 0
                guard tilts.weights[row] > 0 else { return theta }
                return theta + sign(row) * tilts.weights[row] * (outcome[row] - means[index]) * total
                    / totals[index]
            }
            return NormalEstimate(
                scores: scores, shares: [Double](repeating: 1, count: scores.count), weights: sample.weights,
                clusters: sample.study.clusters)
        }
    }
}
