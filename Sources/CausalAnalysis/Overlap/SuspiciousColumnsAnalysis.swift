#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif
import MetaLearnersCore

/// Columns that should not be covariates as they are.
public struct SuspiciousColumnsAnalysis: Analysis {
    public static let name = "suspicious_columns"
    public static let title = "Suspicious columns"
    public static let summary =
        "Which covariates give away the treatment or the outcome, name rows, are constant or often missing?"
    public static let topic = AnalysisTopic.checks
    public static let parameters: [Parameter<SuspiciousColumnsAnalysis>] = [
        .number(
            "treatment_auc", \.treatmentArea, in: 0.5...1,
            "the AUC from which on a column alone decides the treatment"),
        .number(
            "outcome_signal", \.outcomeSignal, in: 0...1,
            "the share of the outcome's variance (for a binary outcome 2 AUC − 1) from which on a column gives it away"
        ),
        .number("missing", \.missing, in: 0...1, "the share of missing values that is too much"),
        .number(
            "missing_difference", \.missingDifference, in: 0...1,
            "the difference between arms of these shares that is too much"),
    ]

    /// The AUC from which on a column alone decides the treatment.
    public var treatmentArea = 0.98
    /// The share of the outcome's variance from which on a column gives it away.
    public var outcomeSignal = 0.9
    /// The share of missing values that is too much.
    public var missing = 0.5
    /// The difference between arms of these shares that is too much.
    public var missingDifference = 0.1

    public init() {}

    public var needs: StudyParts { .covariates }

    private struct Suspicion {
        let problem: String
        let measure: Double
        let text: String
        let remedy: String
    }

    public func run(_ study: CausalStudy, _ scheduler: Scheduler) throws(MetaLearnersError) -> AnalysisResult
    {
        var result = emptyResult
        var table = ResultTable(
            "columns", "What to look at",
            [
                .init("column", "column", .text), .init("problem", "problem", .text),
                .init("measure", "measure", .number), .init("remedy", "what to do", .text),
            ])
        let signal = ColumnSignal(study)
        // Columns of identifiers are left out of the covariates already; they are told as well.
        let columns = (study.fitting?.dataset.everyColumn ?? study.covariates).columns
        for column in columns {
            try scheduler.context.checkCancellation()
            for suspicion in suspicions(column, study, signal) {
                table.append([
                    .string(column.name), .string(suspicion.problem), .number(suspicion.measure),
                    .string(suspicion.remedy),
                ])
                result.findings.append("'\(column.name)' \(suspicion.text).")
            }
        }
        let count = Set(table.column("column").compactMap(\.stringValue)).count
        result.findings.insert(
            count == 0
                ? "None of the \(columns.count) columns is suspicious."
                : "\(count) of \(columns.count) columns \(count == 1 ? "is" : "are") suspicious.", at: 0)
        result.values["suspicious"] = .integer(count)
        result.tables = [table]
        result.assumptions = [
            "Each column is looked at by itself, out of fold: what several say together, the overlap check sees."
        ]
        return result
    }

    private func suspicions(_ column: Column, _ study: CausalStudy, _ signal: ColumnSignal) -> [Suspicion] {
        let values = column.values.doubles()
        let isMissing = column.levels == nil ? values.map(\.isNaN) : values.map { !($0 >= 0) }
        var found: [Suspicion] = []
        let count = isMissing.count { !$0 }
        let distinct = Set(values.indices.lazy.filter { !isMissing[$0] }.map { values[$0] }).count
        if distinct <= 1, count == study.rowCount || count == 0 {
            return [
                Suspicion(
                    problem: "constant", measure: Double(distinct), text: "has one value in every row",
                    remedy: "leave it out: data.exclude")
            ]
        }
        if let reason = identifier(column, values, distinct: distinct, count: count) {
            found.append(reason)
        }
        found += missingness(isMissing, study)
        let bins = ColumnBins(column)
        if !found.contains(where: { $0.problem == "identifier" }) {
            found += treatment(bins, study, signal)
            found += outcome(column, bins, values, isMissing, study, signal)
        }
        return found
    }

    private func identifier(_ column: Column, _ values: [Double], distinct: Int, count: Int) -> Suspicion? {
        guard distinct > 20 else { return nil }
        let share = Double(distinct) / Double(count)
        let isName = column.levels != nil && share > 0.5
        // Numbers with fractions are measured; whole ones that never repeat are given.
        let isNumber =
            column.levels == nil && distinct == count
            && values.allSatisfy { $0.isNaN || $0 == $0.rounded(.towardZero) }
        guard isName || isNumber else { return nil }
        return Suspicion(
            problem: "identifier", measure: share,
            text: "looks like an identifier: \(distinct) different values in \(count) rows",
            remedy: "leave it out: data.exclude; where rows belong together: data.cluster")
    }

    private func missingness(_ isMissing: [Bool], _ study: CausalStudy) -> [Suspicion] {
        let weights = study.weights ?? [Double](repeating: 1, count: study.rowCount)
        var moments = [WeightedMoments](repeating: WeightedMoments(), count: study.armCount)
        var all = WeightedMoments()
        for row in isMissing.indices {
            moments[Int(study.arms[row])].add(isMissing[row] ? 1 : 0, weight: weights[row])
            all.add(isMissing[row] ? 1 : 0, weight: weights[row])
        }
        var found: [Suspicion] = []
        if all.mean > missing {
            found.append(
                Suspicion(
                    problem: "mostly_missing", measure: all.mean,
                    text: "is missing in \(Self.percent(all.mean)) of the rows",
                    remedy: "leave it out, or use whether it is there instead"))
        }
        for arm in 1..<study.armCount {
            let difference = moments[arm].mean - moments[0].mean
            let error =
                (all.mean * (1 - all.mean)
                * (1 / moments[arm].effectiveSize + 1 / moments[0].effectiveSize)).squareRoot()
            guard abs(difference) > missingDifference, abs(difference) > 3 * error else { continue }
            found.append(
                Suspicion(
                    problem: "missing_by_arm", measure: difference,
                    text:
                        "is missing in \(Self.percent(moments[arm].mean)) of '\(study.armLabels[arm])' and in \(Self.percent(moments[0].mean)) of the control",
                    remedy: "find out why: it may have been measured after the treatment, or in one arm alone"
                ))
        }
        return found
    }

    private func treatment(_ bins: ColumnBins, _ study: CausalStudy, _ signal: ColumnSignal) -> [Suspicion] {
        var found: [Suspicion] = []
        for arm in 1..<study.armCount {
            let area = signal.area(
                bins, study.arms.map { $0 == arm }, among: study.arms.map { $0 == arm || $0 == 0 })
            guard area >= treatmentArea else { continue }
            found.append(
                Suspicion(
                    problem: "predicts_treatment", measure: area,
                    text:
                        "alone tells '\(study.armLabels[arm])' from the control (AUC \(OverlapAnalysis.rounded(area)))",
                    remedy:
                        "leave it out if it records the treatment; if it decided it, there is no overlap to compare in"
                ))
        }
        return found
    }

    private func outcome(
        _ column: Column, _ bins: ColumnBins, _ values: [Double], _ isMissing: [Bool], _ study: CausalStudy,
        _ signal: ColumnSignal
    ) -> [Suspicion] {
        if column.levels == nil, !isMissing.contains(true), Self.isMultiple(values, of: study.outcome) {
            return [
                Suspicion(
                    problem: "equals_outcome", measure: 1,
                    text: "is the outcome '\(study.names.outcome)' in other units",
                    remedy: "leave it out: data.exclude")
            ]
        }
        let measure =
            study.isBinary
            ? 2 * signal.area(bins, study.outcome.map { $0 == 1 }, among: study.arms.map { _ in true }) - 1
            : signal.explained(bins, study.outcome)
        guard measure >= outcomeSignal else { return [] }
        return [
            Suspicion(
                problem: "predicts_outcome", measure: measure,
                text:
                    "gives away the outcome '\(study.names.outcome)' (\(study.isBinary ? "2 AUC − 1" : "R²") = \(OverlapAnalysis.rounded(measure)))",
                remedy: "leave it out if it was measured after the treatment, as it then takes up the effect")
        ]
    }

    /// Whether the values are a + b y.
    private static func isMultiple(_ values: [Double], of outcome: [Double]) -> Bool {
        guard let first = outcome.first, let other = outcome.firstIndex(where: { $0 != first }) else {
            return false
        }
        let slope = (values[other] - values[0]) / (outcome[other] - first)
        guard slope != 0, slope.isFinite else { return false }
        let scale = values.reduce(0) { max($0, abs($1)) }
        return values.indices.allSatisfy {
            abs(values[$0] - (values[0] + slope * (outcome[$0] - first))) <= 1e-9 * scale
        }
    }

    private static func percent(_ share: Double) -> String {
        SpecValue.normalized((share * 1000).rounded() / 10).json() + " %"
    }
}
