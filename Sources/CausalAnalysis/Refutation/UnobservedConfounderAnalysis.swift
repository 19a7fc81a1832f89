#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif
import MetaLearners
import MetaLearnersCore

/// What would the effect be if there were a confounder that nobody observed?
public struct UnobservedConfounderAnalysis: Analysis {
    public static let name = "unobserved_confounder"
    public static let title = "Simulated unobserved confounder"
    public static let summary =
        "How strong must a hidden common cause be to explain the effect away? It is simulated, added and adjusted for"
    public static let topic = AnalysisTopic.refutation
    // No part of reports: it fits models many times.
    public static let isPartOfReports = false
    public static let parameters: [Parameter<UnobservedConfounderAnalysis>] = [
        .numbers(
            "treatment_strengths", \.treatmentStrengths, in: 0...0.9,
            "shares of the treatment's variance left by the covariates that the confounder explains"),
        .numbers(
            "outcome_strengths", \.outcomeStrengths, in: 0...0.9,
            "shares of the outcome's variance left by covariates and treatment that the confounder explains"),
        .repeats(\.repeats), .level(\.level), .arm(\.arm), .seed(\.seed),
    ]

    /// R² of the confounder with the treatment, given the covariates.
    public var treatmentStrengths = [0.01, 0.05, 0.2]
    /// R² of the confounder with the outcome, given covariates and treatment.
    public var outcomeStrengths = [0.01, 0.05, 0.2]
    /// How often each pair of strengths is drawn.
    public var repeats = 5
    /// The level of intervals.
    public var level = 0.95
    /// The arm that is asked about; nil for every one but the control.
    public var arm: String?
    /// The seed of the confounder's noise.
    public var seed = 1

    public init() {}

    public var needs: StudyParts { [.scores, .fitting] }

    public func run(_ study: CausalStudy, _ scheduler: Scheduler) throws(MetaLearnersError) -> AnalysisResult
    {
        let arms = try study.treatedArms(arm)
        let fit = try RefutationFit(study)
        let residuals = try Self.residuals(study)
        let cells = treatmentStrengths.flatMap { treatment in
            outcomeStrengths.map { (treatment: treatment, outcome: $0) }
        }
        // The confounder that pulls the effect of most interest towards 0.
        let sign = fit.original.effects[arms[0] - 1].estimate < 0 ? -1.0 : 1
        let done = try RefutationFit.repeats("unobserved confounder", cells.count * repeats, scheduler) {
            index, options throws(MetaLearnersError) in
            let cell = cells[index / repeats]
            var stream = RandomStream(seed: UInt64(seed), path: 0x554E_4F42, UInt64(index))
            // Of the part that the treatment leaves, the outcome's share is of what is left of it: R² given the treatment (Cinelli & Hazlett 2020).
            let ofOutcome = ((1 - cell.treatment) * cell.outcome).squareRoot()
            let noise = ((1 - cell.treatment) * (1 - cell.outcome)).squareRoot()
            let confounder = residuals.treatment.indices.map { row in
                cell.treatment.squareRoot() * residuals.treatment[row]
                    + sign * ofOutcome * residuals.outcome[row]
                    + noise * stream.standardNormal()
            }
            return try fit.estimate(fit.dataset.adding("unobserved_confounder", confounder), options)
        }
        return report(study, arms, fit.original, cells, done)
    }

    private func report(
        _ study: CausalStudy, _ arms: [Int], _ original: RefutationFit.Estimate,
        _ cells: [(treatment: Double, outcome: Double)], _ done: [RefutationFit.Estimate?]
    ) -> AnalysisResult {
        var result = emptyResult
        var table = ResultTable(
            "strengths", "Effects once the confounder is adjusted for",
            [
                .init("arm", "arm", .text), .init("treatment_strength", "R² with treatment", .number),
                .init("outcome_strength", "R² with outcome", .number),
            ] + ResultTable.estimateColumns(level: level) + [
                .init("std_dev", "between repeats", .number), .init("repeats", "repeats", .count),
                .init("note", "note", .text),
            ])
        for arm in arms {
            let label = study.armLabels[arm]
            let own = original.effects[arm - 1]
            var explained: [(treatment: Double, outcome: Double)] = []
            var averages: [Double] = []
            for (index, cell) in cells.enumerated() {
                let entries = done[index * repeats..<(index + 1) * repeats].compactMap {
                    $0?.effects[arm - 1]
                }
                guard !entries.isEmpty else {
                    table.append(
                        [.string(label), .number(cell.treatment), .number(cell.outcome)]
                            + [SpecValue](repeating: .null, count: 6)
                            + [.integer(0), .string("interrupted")])
                    averages.append(.nan)
                    continue
                }
                let summary = RefutationSummary(label, own, entries)
                let errors = entries.map(\.stdError).reduce(0, +) / Double(entries.count)
                let quantile = StandardNormal.quantile((1 + level) / 2)
                let ends = (summary.mean - quantile * errors, summary.mean + quantile * errors)
                averages.append(summary.mean)
                if ends.0 <= 0, ends.1 >= 0 || summary.mean * own.estimate <= 0 { explained.append(cell) }
                table.append([
                    .string(label), .number(cell.treatment), .number(cell.outcome), .number(summary.mean),
                    .number(errors), .number(ends.0), .number(ends.1),
                    .number(errors > 0 ? erfc(abs(summary.mean) / errors / 2.0.squareRoot()) : .nan),
                    .number(summary.deviation), .integer(entries.count),
                ])
            }
            result.findings.append(finding(label, own, explained, cells))
            result.charts.append(
                Chart(
                    "strengths_\(label)", "Effect of '\(label)' once the confounder is adjusted for",
                    x: Chart.Axis("R² with the treatment"), y: Chart.Axis("average effect"),
                    series: outcomeStrengths.enumerated().map { position, strength in
                        Chart.Series(
                            "R² with the outcome: \(strength)", .line, x: treatmentStrengths,
                            y: treatmentStrengths.indices.map {
                                averages[$0 * outcomeStrengths.count + position]
                            })
                    },
                    references: [
                        Chart.Reference("original", own.estimate), Chart.Reference("no effect", 0),
                    ]))
        }
        result.values["fitted_models"] = .integer(done.reduce(0) { $0 + ($1?.modelCount ?? 0) })
        result.tables = [table]
        result.assumptions = [
            "The confounder is normal noise plus the treatment's and the outcome's residuals, so that it has the stated R² with each of them, and works in the direction that explains the effect.",
            "The p-values and intervals are those of the mean estimate with the mean standard error.",
        ]
        result.isComplete = !done.contains { $0 == nil }
        return result
    }

    private func finding(
        _ label: String, _ original: NormalEstimate, _ explained: [(treatment: Double, outcome: Double)],
        _ cells: [(treatment: Double, outcome: Double)]
    ) -> String {
        let estimate = Sentence.number(original.estimate)
        let interval = original.interval(level: level)
        if interval.lower <= 0, interval.upper >= 0 {
            return
                "The effect of '\(label)' (\(estimate)) cannot be told from 0 to begin with: there is nothing to explain away."
        }
        guard let weakest = explained.min(by: { $0.treatment * $0.outcome < $1.treatment * $1.outcome })
        else {
            let strongest = cells.max { $0.treatment * $0.outcome < $1.treatment * $1.outcome }
            return
                "No confounder that was tried explains the effect of '\(label)' (\(estimate)), up to one with \(Self.percent(strongest?.treatment)) of the treatment's and \(Self.percent(strongest?.outcome)) of the outcome's remaining variance."
        }
        return
            "A confounder that explains \(Self.percent(weakest.treatment)) of the treatment's and \(Self.percent(weakest.outcome)) of the outcome's remaining variance would be enough for the effect of '\(label)' (\(estimate)) to be none; \(explained.count) of the \(cells.count) that were tried are."
    }

    private static func percent(_ share: Double?) -> String { Sentence.number(100 * (share ?? 0)) + " %" }

    /// Whether a row was treated in any arm, and its outcome, less what propensities and arm means expect; each with a mean
    /// of 0 and a variance of 1.
    private static func residuals(_ study: CausalStudy) throws(MetaLearnersError) -> (
        treatment: [Double], outcome: [Double]
    ) {
        let ofControl = try study.propensity(0)
        var means: [[Double]] = []
        for arm in 0..<study.armCount { means.append(try study.armMean(arm)) }
        func standardized(_ values: [Double]) -> [Double] {
            var moments = WeightedMoments()
            for (row, value) in values.enumerated() { moments.add(value, weight: study.weights?[row] ?? 1) }
            let deviation = (moments.variance ?? 0).squareRoot()
            return values.map { deviation > 0 ? ($0 - moments.mean) / deviation : 0 }
        }
        return (
            standardized(study.arms.indices.map { (study.arms[$0] == 0 ? 0 : 1) - (1 - ofControl[$0]) }),
            standardized(study.outcome.indices.map { study.outcome[$0] - means[Int(study.arms[$0])][$0] })
        )
    }
}

extension Parameter {
    /// A list of numbers within `range`.
    static func numbers(
        _ name: String, _ path: any WritableKeyPath<Spec, [Double]> & Sendable, in range: ClosedRange<Double>,
        _ summary: String
    ) -> Parameter {
        let low = SpecValue.normalized(range.lowerBound).json()
        let text =
            range.upperBound == .infinity
            ? "list of numbers ≥ \(low)"
            : "list of numbers, \(low) ≤ x ≤ \(SpecValue.normalized(range.upperBound).json())"
        return Parameter(name, summary, range: text) { value, place, spec throws(MetaLearnersError) in
            let elements = value.arrayValue ?? [value]
            let numbers = elements.compactMap(\.doubleValue)
            guard numbers.count == elements.count, !numbers.isEmpty,
                numbers.allSatisfy({ $0.isFinite && range.contains($0) })
            else { throw place.error("is \(value.json()), must be: \(text)") }
            spec[keyPath: path] = numbers
        } write: {
            .array($0[keyPath: path].map { .number($0) })
        }
    }
}
