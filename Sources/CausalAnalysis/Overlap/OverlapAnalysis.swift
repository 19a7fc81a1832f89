import MetaLearners
import MetaLearnersCore

/// Whether people in one arm have counterparts in the other.
public struct OverlapAnalysis: Analysis {
    public static let name = "overlap"
    public static let title = "Overlap of the arms"
    public static let summary =
        "Does everybody have counterparts in the other arm? Judged by boosted trees beside the model that was chosen"
    public static let topic = AnalysisTopic.checks
    public static let parameters: [Parameter<OverlapAnalysis>] = [
        .number(
            "lower", \.lower, in: 0...0.5, exclusiveLower: true,
            "the lowest propensity that counts as overlap; the highest is 1 less this"),
        .integer("bins", \.bins, in: 2...200, "how many bars the histogram has"),
        .integer(
            "columns", \.columns, in: 0...1000, "how many of the columns that separate the arms are named"),
        .arm(\.arm),
    ]

    /// The lowest propensity that counts as overlap.
    public var lower = 0.01
    /// How many bars the histogram has.
    public var bins = 20
    /// How many columns are named.
    public var columns = 5
    /// The arm that is asked about; nil for every one but the control.
    public var arm: String?

    public init() {}

    public var needs: StudyParts { [.covariates, .propensities] }

    /// From these on overlap is limited, and poor.
    private static let limitedShare = 0.01
    private static let poorShare = 0.1
    private static let limitedSize = 0.5
    private static let poorSize = 0.1
    /// Trees that tell the arms apart no better than this, out of fold, see chance: in small trials they do.
    private static let chanceArea = 0.6

    /// How far an arm is from overlap: rows outside the bounds, and the share of an arm's rows that weighting leaves.
    private struct Outside {
        let share: Double
        let count: Int
        let rows: Int
        let left: Double
    }

    private enum Verdict: Int, Comparable {
        case good
        case limited
        case poor

        static func < (left: Verdict, right: Verdict) -> Bool { left.rawValue < right.rawValue }
        var text: String { ["good", "limited", "poor"][rawValue] }
    }

    public func run(_ study: CausalStudy, _ scheduler: Scheduler) throws(MetaLearnersError) -> AnalysisResult
    {
        var result = emptyResult
        let flexible = try FlexiblePropensity.estimate(study, scheduler)
        let own = study.propensities ?? []
        let sources =
            [(study.propensitiesAreKnown ? "known by design" : "the model's", own)]
            + (flexible.map { [(FlexiblePropensity.name, $0)] } ?? [])
        var table = ResultTable(
            "overlap", "Propensities: the probability of the arm against the control", Self.columns)
        var histogram = ResultTable(
            "histogram", "Propensities by arm",
            [
                .init("arm", "arm", .text), .init("propensity", "propensity", .text),
                .init("lower", "from", .number), .init("upper", "to", .number),
                .init("treated_share", "of the arm", .share),
                .init("control_share", "of the control", .share),
            ])
        histogram.isDetail = true
        var worst = Verdict.good
        for arm in try study.treatedArms(arm) {
            var verdicts: [Verdict] = []
            var outside: [Outside] = []
            for (name, propensities) in sources {
                let pair = ArmPair(study, arm: arm, propensities)
                let (verdict, row, share) = judge(pair, study.armLabels[arm], name)
                table.append(row)
                verdicts.append(verdict)
                outside.append(share)
                append(pair, study.armLabels[arm], name, to: &histogram)
            }
            // Those of a trial are right by design; the trees then only ask whether the design was kept.
            let verdict = study.propensitiesAreKnown ? verdicts[0] : verdicts[verdicts.count - 1]
            worst = max(worst, verdict)
            result.findings.append(finding(verdict, study, arm, outside, isFlexible: flexible != nil))
            if let last = sources.last {
                result.charts.append(
                    chart(
                        study, arm, last.0,
                        histogram.rows.filter {
                            $0[0] == .string(study.armLabels[arm]) && $0[1] == .string(last.0)
                        }))
            }
        }
        let separating = separatingColumns(study)
        if worst > .good || flexible == nil { result.findings += advice(worst, separating, study) }
        result.findings.append(
            "Thresholds: limited from \(Self.percent(Self.limitedShare)) of the rows outside [\(lower), \(1 - lower)] or where weighting leaves less than \(Self.percent(Self.limitedSize)) of an arm's rows, poor from \(Self.percent(Self.poorShare)) outside or below \(Self.percent(Self.poorSize)) left; trees with an AUC below \(Self.chanceArea) see chance."
        )
        result.values["verdict"] = .string(worst.text)
        result.values["bounds"] = [.number(lower), .number(1 - lower)]
        result.tables = [table, separating, histogram]
        result.assumptions = [
            "Overlap is judged on the covariates given: one that is missing cannot be seen."
        ]
        if flexible == nil {
            result.warnings.append(
                "There is no spec to fit with, so overlap is judged by the propensities given alone: a smooth model, such as a logistic one, can hide that arms do not overlap."
            )
        } else if let flexible {
            result.rowColumns = (1..<study.armCount).map {
                RowColumn("flexible_propensity_\(study.armLabels[$0])", flexible[$0])
            }
        }
        return result
    }

    private static let columns: [ResultTable.Column] = [
        .init("arm", "arm", .text), .init("propensity", "propensity", .text),
        .init("minimum", "lowest", .number), .init("maximum", "highest", .number),
        .init("outside_share", "outside", .share), .init("outside", "rows outside", .count),
        .init("auc", "AUC", .number), .init("effective_treated", "effective rows, arm", .count),
        .init("effective_control", "control", .count), .init("crump_threshold", "Crump's α", .number),
        .init("crump_kept", "kept by it", .share), .init("verdict", "overlap", .text),
    ]

    private static func percent(_ share: Double) -> String { SpecValue.normalized(share * 100).json() + " %" }

    private func judge(_ pair: ArmPair, _ label: String, _ name: String) -> (
        Verdict, [SpecValue], Outside
    ) {
        let outside = pair.outside(lower...(1 - lower))
        let sizes = pair.effectiveSizes
        let counts = pair.counts
        let left = min(
            sizes.treated / Double(max(counts.treated, 1)), sizes.control / Double(max(counts.control, 1)))
        let crump = CrumpTrimming(pair.propensity, weights: pair.weights)
        let isChance = name == FlexiblePropensity.name && (pair.area ?? 1) < Self.chanceArea
        let verdict: Verdict =
            isChance
            ? .good
            : outside.share >= Self.poorShare || left < Self.poorSize
                ? .poor : outside.share >= Self.limitedShare || left < Self.limitedSize ? .limited : .good
        let row: [SpecValue] = [
            .string(label), .string(name), .number(pair.propensity.min() ?? .nan),
            .number(pair.propensity.max() ?? .nan), .number(outside.share), .integer(outside.count),
            .number(pair.area ?? .nan), .integer(Int(sizes.treated.rounded())),
            .integer(Int(sizes.control.rounded())), .number(crump.threshold), .number(crump.keptShare),
            .string(verdict.text),
        ]
        return (
            verdict, row,
            Outside(share: outside.share, count: outside.count, rows: pair.rows.count, left: left)
        )
    }

    private func append(_ pair: ArmPair, _ label: String, _ name: String, to table: inout ResultTable) {
        var shares = [(treated: Double, control: Double)](repeating: (0, 0), count: bins)
        var totals = (treated: 0.0, control: 0.0)
        for index in pair.rows.indices {
            let bin = min(Int(pair.propensity[index] * Double(bins)), bins - 1)
            if pair.isTreated[index] {
                shares[bin].treated += pair.weights[index]
                totals.treated += pair.weights[index]
            } else {
                shares[bin].control += pair.weights[index]
                totals.control += pair.weights[index]
            }
        }
        for (bin, share) in shares.enumerated() {
            table.append([
                .string(label), .string(name), .number(Double(bin) / Double(bins)),
                .number(Double(bin + 1) / Double(bins)), .number(share.treated / totals.treated),
                .number(share.control / totals.control),
            ])
        }
    }

    private func chart(_ study: CausalStudy, _ arm: Int, _ name: String, _ rows: [[SpecValue]]) -> Chart {
        func numbers(_ column: Int) -> [Double] { rows.map { $0[column].doubleValue ?? .nan } }
        let middles = zip(numbers(2), numbers(3)).map { ($0 + $1) / 2 }
        return Chart(
            "propensities_\(study.armLabels[arm])",
            "Propensity of '\(study.armLabels[arm])' by \(name): bars of one arm alone have no counterpart",
            x: Chart.Axis("propensity"), y: Chart.Axis("rows", isShare: true),
            series: [
                Chart.Series(study.armLabels[arm], .bars, x: middles, y: numbers(4)),
                Chart.Series(study.armLabels[0] + " (control)", .bars, x: middles, y: numbers(5)),
            ])
    }

    /// How well each column alone tells the arms apart: the best first.
    private func separatingColumns(_ study: CausalStudy) -> ResultTable {
        var table = ResultTable(
            "separating_columns", "Columns that separate the arms most, each by itself",
            [.init("column", "column", .text), .init("arm", "arm", .text), .init("auc", "AUC", .number)])
        let signal = ColumnSignal(study)
        var found: [(column: String, arm: Int, area: Double)] = []
        for column in study.covariates.columns {
            let bins = ColumnBins(column)
            let areas = (1..<study.armCount).map { arm in
                signal.area(
                    bins, study.arms.map { $0 == arm }, among: study.arms.map { $0 == arm || $0 == 0 })
            }
            guard let area = areas.max(), let arm = areas.firstIndex(of: area) else { continue }
            found.append((column.name, arm + 1, area))
        }
        for entry in found.sorted(by: { $0.area > $1.area }).prefix(columns) {
            table.append([.string(entry.column), .string(study.armLabels[entry.arm]), .number(entry.area)])
        }
        return table
    }

    private func finding(
        _ verdict: Verdict, _ study: CausalStudy, _ arm: Int,
        _ outside: [Outside], isFlexible: Bool
    ) -> String {
        let label = study.armLabels[arm]
        guard let last = outside.last else { return "" }
        let judged = study.propensitiesAreKnown ? outside[0] : last
        let start =
            "Overlap of '\(label)' with the control '\(study.armLabels[0])' is \(verdict.text): "
            + (verdict > .good && judged.share < Self.limitedShare
                ? "weighting leaves as much information as \(Sentence.share(judged.left)) of an arm's rows have; "
                : "")
        func counted(_ entry: Outside) -> String {
            "\(NumberText.grouped(entry.count)) of \(NumberText.grouped(entry.rows)) rows have a propensity outside [\(lower), \(1 - lower)]"
        }
        if study.propensitiesAreKnown {
            return start + "by design \(counted(outside[0]))."
        }
        guard isFlexible else { return start + "\(counted(last)) by the propensities given." }
        return start
            + "\(counted(last)) by \(FlexiblePropensity.name) on all covariates, \(NumberText.grouped(outside[0].count)) by the model's own propensities"
            + (study.fitting.flatMap(Self.clipped).map {
                ", which the overlap policy touched in \(NumberText.grouped($0)) rows."
            } ?? ".")
    }

    /// How many rows the overlap policy of the fit touched; nil where it touched none.
    private static func clipped(_ fitting: StudyFitting) -> Int? {
        let report = fitting.model?.overlap ?? fitting.nuisances?.overlap
        return report.flatMap { $0.touched > 0 ? $0.touched : nil }
    }

    private func advice(_ verdict: Verdict, _ separating: ResultTable, _ study: CausalStudy) -> [String] {
        guard verdict > .good else { return [] }
        var names: [String] = []
        for (name, area) in zip(separating.column("column"), separating.numbers("auc")) where area > 0.6 {
            if let name = name.stringValue { names.append("\(name) (AUC \(Self.rounded(area)))") }
        }
        var texts: [String] = []
        if verdict == .poor {
            texts.append(
                "Averages over all rows are therefore extrapolation by the outcome model, and their intervals do not cover that."
            )
        }
        texts.append(
            "What can be compared: keep to the rows with overlap (overlap.policy: trim, or Crump's α in the table as overlap.bounds), or average with overlap weights, which count people by how well both arms could have got them."
        )
        texts.append(
            names.isEmpty
                ? "No column by itself separates the arms: it is their combination."
                : "What separates the arms: \(names.joined(separator: ", ")). Ask whether these decided who was treated."
        )
        return texts
    }

    static func rounded(_ number: Double) -> String {
        SpecValue.normalized((number * 1000).rounded() / 1000).json()
    }
}
