import MetaLearnersCore

/// Average effects by matching on the propensity score (Rosenbaum & Rubin 1983), with the errors of Abadie & Imbens (2006).
///
/// The score of an arm k against the control is ē = e_k/(e_0 + e_k), or its logit; the rows of other arms take no part. A target's
/// missing outcome is the mean outcome of its matches. Targets are the rows of the arm (att), those of the control (atc), or both (ate);
/// K_i is the sum of row i's shares in the matches of targets.
///
/// - With replacement: the variance is (Σ w_i²(d_i − θ)² + Σ ((w_i + K_i)² − w_i² − K'_i) σ²_i) / (Σ w)², the first sum over
///   targets with their differences d_i, the second over rows that serve as matches, where w_i is 0 for rows that are no targets, K'_i
///   is the sum of squares of the shares and σ²_i the variance given score and arm.
/// - Without replacement: the scatter of d_i, as pairs are independent (Abadie & Spiess 2022).
/// - With clusters: the cluster-robust error of the difference of means weighted by w_i + K_i.
///
/// The score counts as known; where it is estimated, these errors are too wide for ate and may be either for att and atc (Abadie &
/// Imbens 2016).
public struct MatchingAnalysis: EffectEstimator {
    /// What is matched on.
    public enum Score: String, Sendable, CaseIterable {
        /// The propensity.
        case propensity
        /// Its logit.
        case logit
    }

    public static let name = "matching"
    public static let title = "Propensity-score matching"
    public static let summary =
        "The average effect of each arm from rows matched with the nearest propensity of the other arm"
    public static let topic = AnalysisTopic.averageEffects
    public static let runsByDefault = false
    public static let parameters: [Parameter<MatchingAnalysis>] =
        Parameter.question + [
            .choice("score", \.score, "match on the propensity or on its logit"),
            .boolean("replacement", \.replacement, "whether a row may be the match of several"),
            .integer("ratio", \.ratio, in: 1...1000, "how many matches each row gets"),
            .number(
                "caliper", \.caliper, in: 0...Double.greatestFiniteMagnitude,
                "the largest difference of scores of a match, in standard deviations of the score; 0 for no limit"
            ),
            .integer(
                "error_neighbours", \.errorNeighbours, in: 1...1000,
                "how many neighbours of the same arm estimate the variance of the outcome at a row"),
        ]
    static let estimands = [Estimand.ate, .att, .atc]

    /// What is asked.
    public var question = EffectQuestion()
    /// What is matched on.
    public var score = Score.propensity
    /// Whether a row may be the match of several.
    public var replacement = true
    /// How many matches each row gets.
    public var ratio = 1
    /// The largest difference of scores of a match, in standard deviations; 0 for no limit.
    public var caliper = 0.0
    /// How many neighbours estimate the variance of the outcome at a row.
    public var errorNeighbours = 2

    public init() {
        question.estimand = .att
    }

    init(_ question: EffectQuestion) { self.question = question }

    public var needs: StudyParts { .propensities }

    /// The column to group by.
    public var dataColumns: [String] { question.by.map { [$0] } ?? [] }

    public func check(at place: SpecPath) throws(MetaLearnersError) {
        guard replacement || question.estimand != .ate else {
            throw place.appending("replacement").error(
                "is false, and the average over all rows (ate) matches either arm with the other",
                remedy: "ask for att or atc, or match with replacement")
        }
    }

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
            "matches", "Matches",
            [
                ResultTable.Column("arm", "effect of arm", .text),
                ResultTable.Column("matched_rows", "rows matched", .count),
                ResultTable.Column("unmatched_rows", "without a match", .count),
                ResultTable.Column("rows_used", "rows used as matches", .count),
                ResultTable.Column("max_uses", "most uses of one", .number),
                ResultTable.Column("caliper_width", "caliper", .number),
            ])
        for arm in try study.treatedArms(question.arm) {
            let matches = try Matches(self, sample, arm, question.estimand)
            let uses = matches.uses
            table.append([
                .string(study.armLabels[arm]), .integer(matches.targets.count),
                .integer(matches.unmatched),
                .integer(uses.count { $0 > 0 }), .number(uses.max() ?? 0), .number(matches.caliper),
            ])
            if matches.unmatched > 0 {
                result.warnings.append(
                    "\(NumberText.grouped(matches.unmatched)) of \(NumberText.grouped(matches.unmatched + matches.targets.count)) "
                        + "rows found no match: the effect is that of the others.")
            }
            let suffix = study.armCount > 2 ? "_\(study.armLabels[arm])" : ""
            result.rowColumns.append(RowColumn("matching_weight" + suffix, matches.weights))
        }
        result.tables.append(table)
        return result
    }

    /// The weight of each row in the matched sample of an arm and the control, 0 for rows that take no part: means weighted by
    /// it differ by the estimate, and balance after matching is that of means weighted by it.
    func weights(_ study: CausalStudy, _ arm: Int) throws(MetaLearnersError) -> [Double] {
        try Matches(self, EffectSample(study), arm, question.estimand).weights
    }

    func estimation(_ sample: EffectSample) throws(MetaLearnersError) -> EffectEstimation {
        { estimand, arm throws(MetaLearnersError) in
            try sample.requireComparison(arm)
            let matches = try Matches(self, sample, arm, estimand)
            let counts = sample.counts(arm)
            return EffectEstimate(
                value: try matches.estimate(), rows: counts.control + counts.arm,
                note: matches.unmatched > 0
                    ? "\(NumberText.grouped(matches.unmatched)) rows without a match left out" : nil)
        }
    }
}

/// The matches of one or of both arms, and what they say of the effect.
private struct Matches {
    let targets: [PropensityMatching.Target]
    let unmatched: Int
    let uses: [Double]
    /// w_i of targets plus K_i.
    let weights: [Double]
    /// The largest difference of scores of a match.
    let caliper: Double

    private let squaredUses: [Double]
    private let scores: [Double]
    private let sample: EffectSample
    private let arm: Int
    private let settings: MatchingAnalysis

    init(_ settings: MatchingAnalysis, _ sample: EffectSample, _ arm: Int, _ estimand: Estimand)
        throws(MetaLearnersError)
    {
        let treated = sample.rows(of: arm)
        let control = sample.rows(of: 0)
        let (ofControl, ofArm) = try sample.propensities(arm)
        let scores = ofArm.indices.map { row in
            settings.score == .logit
                ? Double.log(ofArm[row] / ofControl[row]) : ofArm[row] / (ofControl[row] + ofArm[row])
        }
        let caliper =
            settings.caliper > 0
            ? settings.caliper * Self.deviation((treated + control).map { scores[$0] }) : .infinity
        let matching = PropensityMatching.Settings(
            replacement: settings.replacement, ratio: settings.ratio, caliper: caliper)
        var parts: [PropensityMatching] = []
        func match(_ targets: [Int], _ pool: [Int], high: Bool) {
            parts.append(
                PropensityMatching(
                    targets, among: pool, scores: scores, outcome: sample.study.outcome,
                    weights: sample.weights, targetsHigh: high, matching))
        }
        if estimand != .atc { match(treated, control, high: true) }
        if estimand != .att { match(control, treated, high: false) }
        targets = parts.flatMap(\.targets)
        unmatched = parts.reduce(0) { $0 + $1.unmatched }
        // The rows that serve in one part are the targets of the other.
        uses = scores.indices.map { row in parts.reduce(0) { $0 + $1.uses[row] } }
        squaredUses = scores.indices.map { row in parts.reduce(0) { $0 + $1.squaredUses[row] } }
        var weights = uses
        for target in targets { weights[target.row] += sample.weights[target.row] }
        self.weights = weights
        self.caliper = caliper
        self.scores = scores
        self.sample = sample
        self.arm = arm
        self.settings = settings
        guard targets.count > 1 else {
            throw MetaLearnersError(
                .invalidData, at: "matching",
                targets.isEmpty
                    ? "no row found a match" : "one row alone found a match: no error can be known",
                remedy: "raise the caliper")
        }
    }

    func estimate() throws(MetaLearnersError) -> NormalEstimate {
        let study = sample.study
        var (sum, total) = (0.0, 0.0)
        var differences = [Double](repeating: 0, count: scores.count)
        var isTarget = differences
        for target in targets {
            let sign: Double = study.arms[target.row] == arm ? 1 : -1
            differences[target.row] = sign * (study.outcome[target.row] - target.imputed)
            isTarget[target.row] = 1
            sum += sample.weights[target.row] * differences[target.row]
            total += sample.weights[target.row]
        }
        let theta = sum / total
        if study.clusters != nil {
            // Both arms' weights sum to those of the targets.
            var means: [Double] = []
            for index in [0, arm] {
                means.append(
                    sample.rows(of: index).reduce(0) { $0 + weights[$1] * study.outcome[$1] } / total)
            }
            let all = sample.weights.reduce(0, +)
            let scores = scores.indices.map { row -> Double in
                guard weights[row] > 0, sample.weights[row] > 0 else { return theta }
                let isTreated = study.arms[row] == arm
                let distance = study.outcome[row] - means[isTreated ? 1 : 0]
                return theta + (isTreated ? 1 : -1) * weights[row] / sample.weights[row] * distance * all
                    / total
            }
            return NormalEstimate(
                scores: scores, shares: [Double](repeating: 1, count: scores.count),
                weights: sample.weights, clusters: study.clusters)
        }
        guard settings.replacement else {
            return NormalEstimate(
                scores: differences, shares: isTarget, weights: sample.weights, clusters: nil)
        }
        var squares = 0.0
        for target in targets {
            let distance = sample.weights[target.row] * (differences[target.row] - theta)
            squares += distance * distance
        }
        for index in [0, arm] {
            let rows = sample.rows(of: index)
            guard rows.contains(where: { uses[$0] > 0 }) else { continue }
            let variances = PropensityMatching.conditionalVariances(
                rows, scores: scores, outcome: study.outcome, neighbours: settings.errorNeighbours)
            for row in rows where uses[row] > 0 {
                let own = isTarget[row] * sample.weights[row]
                squares +=
                    ((own + uses[row]) * (own + uses[row]) - own * own - squaredUses[row]) * variances[row]
            }
        }
        return NormalEstimate(estimate: theta, stdError: max(squares, 0).squareRoot() / total)
    }

    /// The standard deviation of numbers; 0 for fewer than two.
    private static func deviation(_ numbers: [Double]) -> Double {
        guard numbers.count > 1 else { return 0 }
        let mean = numbers.reduce(0, +) / Double(numbers.count)
        let squares = numbers.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
        return (squares / Double(numbers.count - 1)).squareRoot()
    }
}
