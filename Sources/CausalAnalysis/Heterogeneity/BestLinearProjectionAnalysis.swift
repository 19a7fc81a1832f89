import MetaLearnersCore

/// The best linear projection of the effect on covariates.
public struct BestLinearProjectionAnalysis: Analysis {
    public static let name = "best_linear_projection"
    public static let title = "Which characteristics go with the effect"
    public static let summary =
        "The best linear projection of the effect on covariates, from doubly robust scores"
    public static let topic = AnalysisTopic.heterogeneity
    public static let parameters: [Parameter<BestLinearProjectionAnalysis>] = [
        .texts("columns", \.columns, "columns to project on; every covariate where empty"),
        .level(\.level), .arm(\.arm),
    ]

    /// The columns to project on; empty for every covariate.
    public var columns: [String] = []
    /// The level of intervals.
    public var level = AverageEffect.standardLevel
    /// The arm that is asked about; nil for every one but the control.
    public var arm: String?

    public init() {}

    public var needs: StudyParts { columns.isEmpty ? [.scores, .covariates] : .scores }

    public func run(_ study: CausalStudy, _ scheduler: Scheduler) throws(MetaLearnersError) -> AnalysisResult
    {
        var result = emptyResult
        let characteristics = try Characteristics(study, columns, dropsFirstLevel: true)
        var table = ResultTable(
            "coefficients", "How the effect changes with each characteristic, the others held",
            [ResultTable.Column("arm", "arm", .text), ResultTable.Column("term", "characteristic", .text)]
                + ResultTable.estimateColumns("coefficient", level: level)
                + [ResultTable.Column("note", "", .text)])
        for arm in try study.treatedArms(arm) {
            let projection = try ScoreProjection(study, study.scores(arm), characteristics)
            var clear: [(name: String, estimate: NormalEstimate)] = []
            for column in projection.names.indices {
                let estimate = projection.coefficient(column)
                table.append(
                    [.string(study.armLabels[arm]), .string(projection.names[column])]
                        + ResultTable.cells(estimate, level: level)
                        + [estimate == nil ? .string("follows from those above") : .null])
                // Of many coefficients some would look clear by chance: Bonferroni's bound.
                if let estimate, column > 0,
                    estimate.pValue * Double(projection.names.count - 1) < 1 - level
                {
                    clear.append((projection.names[column], estimate))
                }
            }
            result.findings.append(finding(study, arm, clear, projection))
            if !projection.incomplete.isEmpty {
                let names = projection.incomplete.prefix(5).joined(separator: ", ")
                let warning =
                    "Missing values count as the mean of their column: \(names)\(projection.incomplete.count > 5 ? ", …" : "")."
                if !result.warnings.contains(warning) { result.warnings.append(warning) }
            }
        }
        result.tables = [table]
        result.assumptions = [Assumption.noConfounding, Assumption.overlap]
        return result
    }

    private func finding(
        _ study: CausalStudy, _ arm: Int, _ clear: [(name: String, estimate: NormalEstimate)],
        _ projection: ScoreProjection
    ) -> String {
        let start = Sentence.arm(study, arm)
        let strongest = clear.sorted { $0.estimate.pValue < $1.estimate.pValue }.prefix(3)
        guard !strongest.isEmpty else {
            let test = projection.slopes.map { " (all together: \(Sentence.pValue($0.pValue)))" } ?? ""
            return start + "No single characteristic clearly goes with the effect\(test)."
        }
        return start + "The effect goes with "
            + strongest.map {
                "\($0.name) (coefficient \(Sentence.number($0.estimate.estimate)), \(Sentence.pValue($0.estimate.pValue)))"
            }.joined(separator: ", ") + "."
    }
}
