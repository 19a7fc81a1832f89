import MetaLearnersCore

/// Does the answer hang on some of the rows?
public struct DataSubsetAnalysis: Analysis {
    public static let name = "data_subset"
    public static let title = "Subsets of the data"
    public static let summary = "Random subsets of the rows must give the same effect, but for their size"
    public static let topic = AnalysisTopic.refutation
    // No part of reports: it fits models many times.
    public static let isPartOfReports = false
    public static let parameters: [Parameter<DataSubsetAnalysis>] = [
        .number(
            "share", \.share, in: 0.01...0.99,
            "the share of the rows (of each arm), or of the clusters, that is drawn"
        ),
        .repeats(\.repeats), .level(\.level), .arm(\.arm), .seed(\.seed),
    ]

    /// The share of the rows, or of the clusters, that is drawn.
    public var share = 0.8
    /// How often it is repeated.
    public var repeats = 20
    /// The level of intervals.
    public var level = 0.95
    /// The arm that is asked about; nil for every one but the control.
    public var arm: String?
    /// The seed of the draws.
    public var seed = 1

    public init() {}

    public var needs: StudyParts { [.scores, .fitting] }

    public func run(_ study: CausalStudy, _ scheduler: Scheduler) throws(MetaLearnersError) -> AnalysisResult
    {
        let arms = try study.treatedArms(arm)
        let fit = try RefutationFit(study)
        let done = try RefutationFit.repeats("subsets", repeats, scheduler) {
            index, options throws(MetaLearnersError) in
            var stream = RandomStream(seed: UInt64(seed), path: 0x5355_4253, UInt64(index))
            return try fit.estimate(fit.dataset.selecting(rows: draw(fit.dataset, &stream)), options)
        }
        var result = RefutationReport(
            emptyResult, study, arms: arms, level: level, title: "Effects in subsets of the rows",
            original: fit.original, done, judge: judge
        ).result
        result.assumptions = [
            "It fails where the mean moves by more than one standard error of the estimate, or where subsets scatter more than twice as much as their size explains: the standard error times √(1/share − 1)."
        ]
        return result
    }

    private func judge(_ summary: RefutationSummary) -> RefutationReport.Judgement {
        let expected = summary.original.stdError * (1 / share - 1).squareRoot()
        let passed = summary.shift <= 1 && summary.deviation <= 2 * expected
        return (
            passed,
            "on \(Sentence.number(share * 100)) % of the data the effect of '\(summary.arm)' is \(Sentence.number(summary.mean)) on average, on all \(Sentence.number(summary.original.estimate)); subsets scatter by \(Sentence.number(summary.deviation)), where their size explains \(Sentence.number(expected))"
                + (passed ? "." : ": some rows decide the answer.")
        )
    }

    /// Rows drawn without replacement, of each arm its share; whole clusters where there are any.
    private func draw(_ dataset: CausalDataset, _ stream: inout RandomStream) -> [Int32] {
        func drawn(of count: Int) -> [Bool] {
            var isDrawn = [Bool](repeating: false, count: count)
            stream.select(max(Int((share * Double(count)).rounded()), 1), of: count) { isDrawn[$0] = $1 }
            return isDrawn
        }
        if let clusters = dataset.clusters {
            let isDrawn = drawn(of: Int(clusters.max() ?? -1) + 1)
            return clusters.indices.filter { isDrawn[Int(clusters[$0])] }.map(Int32.init)
        }
        var rows: [Int32] = []
        for arm in 0..<dataset.armCount {
            let own = dataset.treatment.arms.indices.filter { dataset.treatment.arms[$0] == arm }
            let isDrawn = drawn(of: own.count)
            rows += own.indices.filter { isDrawn[$0] }.map { Int32(own[$0]) }
        }
        return rows.sorted()
    }
}
