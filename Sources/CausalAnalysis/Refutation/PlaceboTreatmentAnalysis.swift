import MetaLearnersCore

/// Does the method find an effect of a treatment that nobody got?
public struct PlaceboTreatmentAnalysis: Analysis {
    public static let name = "placebo_treatment"
    public static let title = "Placebo treatment"
    public static let summary = "With the treatment permuted at random the effect must vanish"
    public static let topic = AnalysisTopic.refutation
    // No part of reports: it fits models many times.
    public static let isPartOfReports = false
    public static let parameters: [Parameter<PlaceboTreatmentAnalysis>] = [
        .repeats(\.repeats), .level(\.level), .arm(\.arm), .seed(\.seed),
    ]

    /// How often it is repeated.
    public var repeats = 20
    /// The level of intervals.
    public var level = 0.95
    /// The arm that is asked about; nil for every one but the control.
    public var arm: String?
    /// The seed of the permutations.
    public var seed = 1

    public init() {}

    public var needs: StudyParts { [.scores, .fitting] }

    public func run(_ study: CausalStudy, _ scheduler: Scheduler) throws(MetaLearnersError) -> AnalysisResult
    {
        let arms = try study.treatedArms(arm)
        let fit = try RefutationFit(study)
        let done = try RefutationFit.repeats("placebo treatment", repeats, scheduler) {
            index, options throws(MetaLearnersError) in
            var stream = RandomStream(seed: UInt64(seed), path: 0x504C_4143, UInt64(index))
            return try fit.estimate(Self.placebo(fit.dataset, &stream), options)
        }
        var result = RefutationReport(
            emptyResult, study, arms: arms, level: level, title: "Effects of permuted treatments",
            original: fit.original, done, judge: judge
        ).result
        result.assumptions = [
            "A placebo fails where its mean is more than 3 standard errors from 0, or where more than a quarter of its intervals leave 0 out."
        ]
        return result
    }

    private func judge(_ summary: RefutationSummary) -> RefutationReport.Judgement {
        let count = summary.repeats.count
        let significant = summary.significant(level: level)
        let isBiased = count > 1 && summary.distance(from: 0) > 3
        let passed = !isBiased && 4 * significant <= count
        var text =
            "permuted treatments in place of '\(summary.arm)' have an effect of \(Sentence.number(summary.mean)) on average (standard deviation \(Sentence.number(summary.deviation))), the real one \(Sentence.number(summary.original.estimate)); \(summary.exceeding) of \(count) placebos are as large"
        if !passed {
            text +=
                isBiased
                ? ": the method finds effects where there are none"
                : ", and \(significant) of \(count) intervals leave 0 out: they are too narrow"
        } else if 10 * summary.exceeding > count {
            text += ", so that the real effect cannot be told from none"
        }
        return (passed, text + ".")
    }

    /// The dataset with its arms permuted: between whole clusters where all rows of a cluster are in one arm, else between rows.
    static func placebo(_ dataset: CausalDataset, _ stream: inout RandomStream) throws(MetaLearnersError)
        -> CausalDataset
    {
        let arms = permuted(Array(dataset.treatment.arms), clusters: dataset.clusters, &stream)
        let treatment = try Treatment(arms: arms, labels: dataset.treatment.labels)
        guard dataset.knownPropensities != nil else { return try dataset.replacing(treatment: treatment) }
        // What is known of a design is no more true of permuted arms: their shares are.
        let shares = dataset.treatment.counts.map { Double($0) / Double(dataset.rowCount) }
        return try dataset.replacing(
            treatment: treatment,
            knownPropensities: shares.map { [Double](repeating: $0, count: dataset.rowCount) })
    }

    /// Arms in random order.
    ///
    /// (Where rows of a cluster are in several arms, an order within clusters would be no placebo: a cluster keeps its share of the real treatment, and
    /// of the real effect as much as that share tells.)
    package static func permuted(_ arms: [Int32], clusters: [Int32]?, _ stream: inout RandomStream) -> [Int32]
    {
        var members = [[Int]](repeating: [], count: Int(clusters?.max() ?? -1) + 1)
        for (row, cluster) in (clusters ?? []).enumerated() { members[Int(cluster)].append(row) }
        guard let clusters, members.allSatisfy({ rows in rows.allSatisfy { arms[$0] == arms[rows[0]] } })
        else {
            var shuffled = arms
            stream.shuffle(&shuffled)
            return shuffled
        }
        var ofCluster = members.map { $0.first.map { arms[$0] } ?? 0 }
        stream.shuffle(&ofCluster)
        return clusters.map { ofCluster[Int($0)] }
    }
}

extension Parameter {
    /// The key `repeats` of refutations.
    static func repeats(_ path: any WritableKeyPath<Spec, Int> & Sendable) -> Parameter {
        .integer("repeats", path, in: 1...100_000, "how often everything is drawn and fitted anew")
    }
}
