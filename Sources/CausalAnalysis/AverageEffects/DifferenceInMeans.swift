import MetaLearnersCore

/// The difference of the mean outcomes of two arms, with Welch's test.
///
/// Without weights: the error √(s_k²/n_k + s_0²/n_0), and Student's t distribution with the degrees of freedom of Welch (1947) and
/// Satterthwaite. With weights the variance of a weighted mean is n/(n − 1) Σ w²(y − ȳ)² / (Σ w)², which is the same where all
/// weights are. With clusters: the cluster-robust error of the regression on the arm (CR1), with clusters − 1 degrees of freedom.
public struct DifferenceInMeans: EffectEstimator {
    public static let name = "difference_in_means"
    public static let title = "Difference in means"
    public static let summary = "By how much the mean outcomes of the arms differ, with Welch's test"
    public static let topic = AnalysisTopic.averageEffects
    public static let runsByDefault = false
    public static let parameters: [Parameter<DifferenceInMeans>] = Parameter.question
    static let estimands = [Estimand.ate]

    /// What is asked.
    public var question = EffectQuestion()

    public init() {}

    public var needs: StudyParts { [] }

    /// The column to group by.
    public var dataColumns: [String] { question.by.map { [$0] } ?? [] }

    var assumptions: [String] {
        ["Chance alone decided who is in which arm, as in a randomised trial: nothing is adjusted for."]
    }

    public func run(_ study: CausalStudy, _ scheduler: Scheduler) throws(MetaLearnersError) -> AnalysisResult
    {
        var result = try answer(study, scheduler)
        let sample = EffectSample(study)
        var means = ResultTable(
            "means", "Mean outcomes",
            [
                ResultTable.Column("arm", "arm", .text), ResultTable.Column("rows", "rows", .count),
                ResultTable.Column("mean", "mean of \(study.names.outcome)", .number),
                ResultTable.Column("std_dev", "std. deviation", .number),
            ])
        for arm in 0..<study.armCount {
            let rows = sample.rows(of: arm)
            let moments = Moments(sample, rows)
            means.append([
                .string(study.armLabels[arm]), .integer(rows.count),
                rows.isEmpty ? .null : .number(moments.mean),
                rows.count < 2 ? .null : .number(moments.variance.squareRoot()),
            ])
        }
        result.tables.append(means)
        return result
    }

    func estimation(_ sample: EffectSample) throws(MetaLearnersError) -> EffectEstimation {
        { _, arm throws(MetaLearnersError) in
            try sample.requireComparison(arm)
            let counts = sample.counts(arm)
            return EffectEstimate(
                value: try Self.estimate(sample, arm), rows: counts.control + counts.arm)
        }
    }

    static func estimate(_ sample: EffectSample, _ arm: Int) throws(MetaLearnersError) -> NormalEstimate {
        let groups = [sample.rows(of: arm), sample.rows(of: 0)]
        if let clusters = sample.study.clusters {
            let rows = groups.joined().sorted()
            let design = DesignMatrix(
                names: ["constant", "arm"],
                values: rows.flatMap { [1, sample.study.arms[$0] == arm ? 1 : 0] }
            )
            return try LeastSquaresFit(
                design, rows.map { sample.study.outcome[$0] }, weights: rows.map { sample.weights[$0] },
                clusters: rows.map { clusters[$0] }, errors: .hc1
            ).estimate([0, 1])
        }
        let moments = groups.map { Moments(sample, $0) }
        let variance = moments.reduce(0) { $0 + $1.varianceOfMean }
        let squares = moments.reduce(0) { $0 + $1.varianceOfMean * $1.varianceOfMean / Double($1.count - 1) }
        return NormalEstimate(
            estimate: moments[0].mean - moments[1].mean, stdError: variance.squareRoot(),
            degreesOfFreedom: squares > 0 ? variance * variance / squares : nil)
    }

    /// Mean and variance of the outcome over rows.
    private struct Moments {
        let count: Int
        let mean: Double
        let variance: Double
        let varianceOfMean: Double

        init(_ sample: EffectSample, _ rows: [Int]) {
            count = rows.count
            let mean = sample.mean(rows)
            var total = 0.0
            var squares = 0.0
            var ofMean = 0.0
            for row in rows {
                let weight = sample.weights[row]
                let distance = sample.study.outcome[row] - mean
                total += weight
                squares += weight * distance * distance
                ofMean += weight * weight * distance * distance
            }
            let correction = Double(count) / Double(count - 1)
            self.mean = mean
            variance = squares / total * correction
            varianceOfMean = ofMean / (total * total) * correction
        }
    }
}
