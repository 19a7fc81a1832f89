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
        for arm in try study.treatedArms(arm) {
            try scheduler.context.checkCancellation()
            let label = study.armLabels[arm]
            let bounds = try MarginalSensitivityBounds(study, arm: arm, method)
            for lambda in lambdas { append(bounds.bounds(lambda), lambda, [.string(label)], to: &table) }
            result.findings.append(finding(bounds, label))
            result.charts.append(chart(label, table))
            if let effects = study.effects?[arm - 1] {
                let chosen = effects.map { $0 > 0 }
                let own = try MarginalSensitivityBounds(study, arm: arm, method, among: chosen)
                for lambda in lambdas where own.share > 0 {
                    append(
                        own.bounds(lambda), lambda, [.string(label)], share: own.share, to: &policy)
                }
            }
        }
        result.tables = [table, policy]
        result.assumptions = [
            "The true odds of treatment, with all confounders, are within a factor of Λ of those estimated (Tan 2006); bounds by Zhao, Small & Bhattacharya (2019, JRSS B 81, 735–761).",
            "Intervals are those of the bounds' ends for given propensities and arm means. Bounds that also balance the covariates would be narrower (Dorn & Guo 2023).",
        ]
        return result
    }

    private static func table(_ name: String, _ title: String, _ extra: [ResultTable.Column]) -> ResultTable {
        ResultTable(
            name, title,
            [.init("arm", "arm", .text), .init("lambda", "Λ", .number)] + extra + [
                .init("lower_bound", "lowest", .number), .init("upper_bound", "highest", .number),
                .init("lower", "interval from", .number), .init("upper", "to", .number),
                .init("excludes_zero", "without 0", .text),
            ])
    }

    private func append(
        _ bounds: (lower: NormalEstimate, upper: NormalEstimate), _ lambda: Double, _ start: [SpecValue],
        share: Double? = nil, to table: inout ResultTable
    ) {
        let factor = share ?? 1
        let lower = bounds.lower.interval(level: level).lower * factor
        let upper = bounds.upper.interval(level: level).upper * factor
        table.append(
            start + [.number(lambda)] + (share.map { [.number($0)] } ?? []) + [
                .number(bounds.lower.estimate * factor), .number(bounds.upper.estimate * factor),
                .number(lower), .number(upper), .boolean(lower > 0 || upper < 0),
            ])
    }

    private func finding(_ bounds: MarginalSensitivityBounds, _ label: String) -> String {
        let estimate = bounds.bounds(1).lower.estimate
        func excludes(_ lambda: Double) -> Bool {
            let ends = bounds.bounds(lambda)
            return estimate > 0
                ? ends.lower.interval(level: level).lower > 0 : ends.upper.interval(level: level).upper < 0
        }
        guard excludes(1) else {
            return
                "The interval of the effect of '\(label)' (\(Sentence.number(estimate))) contains 0 without any hidden confounding."
        }
        var low = 1.0
        var high = 2.0
        while excludes(high), high < 1e6 { (low, high) = (high, high * 2) }
        for _ in 0..<40 {
            let middle = (low + high) / 2
            if excludes(middle) { low = middle } else { high = middle }
        }
        return
            "The effect of '\(label)' (\(Sentence.number(estimate))) can be told from 0 as long as hidden confounding changes nobody's odds of treatment by more than a factor of Λ = \(Sentence.number(low))."
    }

    private func chart(_ label: String, _ table: ResultTable) -> Chart {
        let rows = table.column("arm").indices.filter { table.column("arm")[$0] == .string(label) }
        func numbers(_ key: String) -> [Double] { rows.map { table.numbers(key)[$0] } }
        return Chart(
            "bounds_\(label)", "Bounds of the effect of '\(label)'", x: Chart.Axis("Λ"),
            y: Chart.Axis("average effect"),
            series: [
                Chart.Series(
                    "bounds", .line, x: numbers("lambda"),
                    y: zip(numbers("lower_bound"), numbers("upper_bound")).map { ($0 + $1) / 2 },
                    lower: numbers("lower_bound"), upper: numbers("upper_bound")),
                Chart.Series(
                    "intervals", .line, x: numbers("lambda"),
                    y: zip(numbers("lower"), numbers("upper")).map { ($0 + $1) / 2 },
                    lower: numbers("lower"), upper: numbers("upper")),
            ], references: [Chart.Reference("no effect", 0)])
    }
}

/// The bounds of an average effect in the marginal sensitivity model.
///
/// Of an arm the mean is that of the outcome model plus Σ v r / Σ v over the arm's rows, with v = w (1 + z (1 − e)/e) for any z
/// in [1/Λ, Λ] of each row. At an extreme z is Λ above some r and 1/Λ below it, so that a pass over sorted rows finds it:
/// O(rows log rows). By the envelope theorem the error is that of the weights found.
struct MarginalSensitivityBounds {
    /// The share of the weight of the rows that the bounds are of.
    let share: Double
    private let weights: [Double]
    private let clusters: [Int32]?
    /// The difference of the arm means; 0 without an outcome model.
    private let base: [Double]
    private let treated: ArmResiduals
    private let control: ArmResiduals

    /// The rows of an arm: what is weighted, and the part of their weights that is certain and that is not.
    private struct ArmResiduals {
        /// Rows in ascending order of their residuals.
        let rows: [Int]
        let residuals: [Double]
        let certain: [Double]
        let uncertain: [Double]

        /// The extreme mean and the weights it has.
        func extreme(_ lambda: Double, isUpper: Bool) -> (mean: Double, weights: [Double]) {
            // For the upper end the rows from `cut` on have the large factor, for the lower end those before it.
            let (before, after) = isUpper ? (1 / lambda, lambda) : (lambda, 1 / lambda)
            var sum = 0.0
            var total = 0.0
            for index in rows.indices {
                let weight = certain[index] + after * uncertain[index]
                sum += weight * residuals[index]
                total += weight
            }
            var best = (cut: 0, mean: sum / total)
            for index in rows.indices {
                let change = (before - after) * uncertain[index]
                sum += change * residuals[index]
                total += change
                let mean = sum / total
                if isUpper ? mean > best.mean : mean < best.mean { best = (index + 1, mean) }
            }
            let weights = rows.indices.map {
                certain[$0] + ($0 < best.cut ? before : after) * uncertain[$0]
            }
            // Summed anew: what running sums lose is gained back.
            var exact = (sum: 0.0, total: 0.0)
            for index in rows.indices {
                exact.sum += weights[index] * residuals[index]
                exact.total += weights[index]
            }
            return (exact.sum / exact.total, weights)
        }
    }

    /// - Parameter chosen: the rows that the effect is averaged over; nil for all.
    /// - Throws: `unsupported` where the study lacks what the method needs; `invalidData` where an arm has no rows.
    init(
        _ study: CausalStudy, arm: Int, _ method: MarginalSensitivityAnalysis.Method,
        among chosen: [Bool]? = nil
    ) throws(MetaLearnersError) {
        let all = study.rowWeights
        let weights = all.indices.map { chosen?[$0] ?? true ? all[$0] : 0 }
        let zeros = [Double](repeating: 0, count: study.rowCount)
        func residuals(_ arm: Int) throws(MetaLearnersError) -> ArmResiduals {
            let mean = method == .aipw ? try study.armMean(arm) : zeros
            let propensity = try study.propensity(arm)
            let rows = study.arms.indices.filter { study.arms[$0] == arm && weights[$0] > 0 }
                .sorted { (study.outcome[$0] - mean[$0], $0) < (study.outcome[$1] - mean[$1], $1) }
            guard !rows.isEmpty || chosen != nil else {
                throw MetaLearnersError(
                    .invalidData, at: "arm", "no row of '\(study.armLabels[arm])' has weight")
            }
            return ArmResiduals(
                rows: rows, residuals: rows.map { study.outcome[$0] - mean[$0] },
                certain: rows.map { weights[$0] },
                uncertain: rows.map { weights[$0] * (1 - propensity[$0]) / propensity[$0] })
        }
        treated = try residuals(arm)
        control = try residuals(0)
        base =
            method == .aipw
            ? zip(try study.armMean(arm), try study.armMean(0)).map { $0 - $1 } : zeros
        let isPossible = !treated.rows.isEmpty && !control.rows.isEmpty
        share = isPossible ? weights.reduce(0, +) / all.reduce(0, +) : 0
        self.weights = weights
        clusters = study.clusters
    }

    /// The lowest and the highest effect where the odds may be off by `lambda`.
    func bounds(_ lambda: Double) -> (lower: NormalEstimate, upper: NormalEstimate) {
        (end(lambda, isUpper: false), end(lambda, isUpper: true))
    }

    private func end(_ lambda: Double, isUpper: Bool) -> NormalEstimate {
        var scores = base
        let total = weights.reduce(0, +)
        for (arm, sign, isUpper) in [(treated, 1.0, isUpper), (control, -1.0, !isUpper)] {
            let (mean, own) = arm.extreme(lambda, isUpper: isUpper)
            let sum = own.reduce(0, +)
            for row in scores.indices { scores[row] += sign * mean }
            for (index, row) in arm.rows.enumerated() {
                scores[row] += sign * total / weights[row] * own[index] * (arm.residuals[index] - mean) / sum
            }
        }
        return NormalEstimate(
            scores: scores, shares: [Double](repeating: 1, count: scores.count), weights: weights,
            clusters: clusters)
    }
}
