import MetaLearnersCore

/// Tests of the hypothesis that the effect is the same for everybody.
public struct HomogeneityTestAnalysis: Analysis {
    public static let name = "homogeneity_test"
    public static let title = "Is the effect the same for everybody?"
    public static let summary =
        "Tests of no heterogeneity: along the covariates, and between groups sorted by estimated effect"
    public static let topic = AnalysisTopic.heterogeneity
    public static let parameters: [Parameter<HomogeneityTestAnalysis>] = [
        .integer("groups", \.groups, in: 2...100, "sorted groups whose effects are compared"),
        .texts("columns", \.columns, "columns to test along; every covariate where empty"),
        .level(\.level), .arm(\.arm),
    ]

    /// How many sorted groups are compared.
    public var groups = 5
    /// The columns to test along; empty for every covariate.
    public var columns: [String] = []
    /// One minus the level of the tests.
    public var level = AverageEffect.standardLevel
    /// The arm that is asked about; nil for every one but the control.
    public var arm: String?

    public init() {}

    public var needs: StudyParts { .scores }

    public func run(_ study: CausalStudy, _ scheduler: Scheduler) throws(MetaLearnersError) -> AnalysisResult
    {
        var result = emptyResult
        var table = ResultTable(
            "tests", "Tests of no heterogeneity",
            [
                ResultTable.Column("arm", "arm", .text), ResultTable.Column("test", "test", .text),
                ResultTable.Column("statistic", "Wald", .number),
                ResultTable.Column("degrees_of_freedom", "df", .count),
                ResultTable.Column("denominator_df", "df of the variance", .number),
                ResultTable.Column("p_value", "p-value", .pValue), ResultTable.Column("note", "", .text),
            ])
        let weights = study.rowWeights
        for arm in try study.treatedArms(arm) {
            let scores = try study.scores(arm)
            var tests: [(key: String, test: WaldTest?, note: String)] = []
            if !columns.isEmpty || study.parts.contains(.covariates) {
                tests.append(try covariateTest(study, scores))
            }
            if study.effects != nil {
                let cut = WeightedQuantiles.groups(
                    try study.orderingEffect(arm), weights: weights, count: groups)
                let means = GroupMeans(
                    scores, groups: cut.codes, count: cut.count, weights: weights, clusters: study.clusters)
                tests.append(
                    (
                        "sorted_groups", means.equality(errorFactor: study.orderingErrorFactor),
                        "needs two groups of enough rows"
                    ))
            }
            for (key, test, note) in tests {
                table.append([
                    .string(study.armLabels[arm]), .string(key), test.map { .number($0.statistic) } ?? .null,
                    test.map { .integer($0.degreesOfFreedom) } ?? .null,
                    test.map { .number($0.denominator) } ?? .null,
                    test.map { .number($0.pValue) } ?? .null, test == nil ? .string(note) : .null,
                ])
            }
            result.findings.append(finding(study, arm, tests.compactMap(\.test)))
        }
        result.tables = [table]
        result.assumptions = [Assumption.noConfounding, Assumption.overlap]
        if study.effects != nil { result.assumptions.append(Assumption.foreignEffects) }
        return result
    }

    /// Wald's test of all slopes of the projection on covariates.
    private func covariateTest(_ study: CausalStudy, _ scores: [Double]) throws(MetaLearnersError) -> (
        key: String, test: WaldTest?, note: String
    ) {
        let characteristics = try Characteristics(study, columns, dropsFirstLevel: true)
        let weights = study.rowWeights
        let units =
            study.clusters.map { clusters in
                Set(clusters.indices.lazy.filter { weights[$0] > 0 }.map { clusters[$0] }).count
            } ?? weights.count { $0 > 0 }
        // With fewer rows for each slope the test rejects too often.
        guard units >= 10 * characteristics.items.count else {
            return (
                "covariates", nil,
                "\(units) \(study.clusters == nil ? "rows" : "clusters") for \(characteristics.items.count) slopes are too few: name some columns"
            )
        }
        return (
            "covariates", try ScoreProjection(study, scores, characteristics).slopes, "no column varies"
        )
    }

    private func finding(_ study: CausalStudy, _ arm: Int, _ tests: [WaldTest]) -> String {
        let start = Sentence.arm(study, arm)
        guard let least = tests.map(\.pValue).min() else {
            return start + "No test could be made."
        }
        // Of several tests the least p-value counts as many times.
        let pValue = min(1, least * Double(tests.count))
        return start
            + (pValue < 1 - level
                ? "The effect is not the same for everybody (\(Sentence.pValue(pValue)))."
                : "Nothing here contradicts that the effect is the same for everybody (\(Sentence.pValue(pValue)));"
                    + " that is no proof that it is.")
    }
}
