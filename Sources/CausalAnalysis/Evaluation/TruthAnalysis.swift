import MetaLearnersCore

/// How far the effects are from the true ones, which simulated data alone have.
public struct TruthAnalysis: Analysis {
    public static let name = "truth"
    public static let title = "Against the true effects"
    public static let summary =
        "Errors of the effects against the true ones of simulated data: PEHE, ATE error, policy risk, rank correlation"
    public static let topic = AnalysisTopic.evaluation
    public static let parameters: [Parameter<TruthAnalysis>] = [.arm(\.arm)]

    /// The arm that is asked about; nil for every one but the control.
    public var arm: String?

    public init() {}

    public var needs: StudyParts { [.effects, .trueEffects] }

    /// The numbers of one arm.
    struct Comparison {
        /// The mean of the true effects.
        let average: Double
        /// The mean of the estimated effects less that of the true ones.
        let averageError: Double
        /// The precision in estimating heterogeneous effects (Hill 2011): the root of the mean squared error.
        let pehe: Double
        /// The root of the mean squared error of the average for everybody: what PEHE is worth comparing with.
        let deviation: Double
        /// What is lost for each row where those with an estimated effect above 0 are treated, and not those with a true one.
        let policyRisk: Double
        /// Pearson's correlation of estimated and true effects; NaN where one does not vary.
        let correlation: Double
        /// Spearman's.
        let rankCorrelation: Double

        init(_ effects: [Double], _ truth: [Double], _ weights: [Double]) {
            let rows = effects.indices.filter { weights[$0] > 0 }
            let total = rows.reduce(0) { $0 + weights[$1] }
            func mean(_ value: (Int) -> Double) -> Double {
                rows.reduce(0) { $0 + weights[$1] * value($1) } / total
            }
            let average = mean { truth[$0] }
            self.average = average
            averageError = mean { effects[$0] } - average
            pehe = mean { (effects[$0] - truth[$0]) * (effects[$0] - truth[$0]) }.squareRoot()
            deviation = mean { (truth[$0] - average) * (truth[$0] - average) }.squareRoot()
            policyRisk = mean { max(truth[$0], 0) } - mean { effects[$0] > 0 ? truth[$0] : 0 }
            correlation = Self.correlation(effects, truth, weights)
            rankCorrelation = Self.correlation(
                Self.ranks(effects, weights), Self.ranks(truth, weights), weights)
        }

        private static func correlation(_ left: [Double], _ right: [Double], _ weights: [Double]) -> Double {
            let means = (Characteristics.mean(left, weights), Characteristics.mean(right, weights))
            var (a, b, c) = (0.0, 0.0, 0.0)
            for row in left.indices where weights[row] > 0 {
                let (x, y) = (left[row] - means.0, right[row] - means.1)
                a += weights[row] * x * x
                b += weights[row] * x * y
                c += weights[row] * y * y
            }
            return a > 0 && c > 0 ? b / (a * c).squareRoot() : .nan
        }

        /// The weight below each number, with half of that at the number itself.
        private static func ranks(_ values: [Double], _ weights: [Double]) -> [Double] {
            let order = values.indices.filter { weights[$0] > 0 }.sorted { values[$0] < values[$1] }
            var ranks = [Double](repeating: 0, count: values.count)
            var below = 0.0
            var start = 0
            while start < order.count {
                var end = start
                var inside = 0.0
                while end < order.count, values[order[end]] == values[order[start]] {
                    inside += weights[order[end]]
                    end += 1
                }
                for row in order[start..<end] { ranks[row] = below + inside / 2 }
                below += inside
                start = end
            }
            return ranks
        }
    }

    public func run(_ study: CausalStudy, _ scheduler: Scheduler) throws(MetaLearnersError) -> AnalysisResult
    {
        var result = emptyResult
        var table = ResultTable(
            "errors", "Estimated against true effects",
            [
                ResultTable.Column("arm", "arm", .text), ResultTable.Column("true_ate", "true ATE", .number),
                ResultTable.Column("ate_error", "ATE error", .number),
                ResultTable.Column("pehe", "PEHE", .number),
                ResultTable.Column("true_std_deviation", "true deviation", .number),
                ResultTable.Column("policy_risk", "policy risk", .number),
                ResultTable.Column("correlation", "correlation", .number),
                ResultTable.Column("rank_correlation", "of ranks", .number),
            ])
        let weights = study.rowWeights
        guard weights.contains(where: { $0 > 0 }) else {
            throw MetaLearnersError(
                .invalidData, at: "rows", "no row has weight: there is nothing to compare")
        }
        for arm in try study.treatedArms(arm) {
            guard let truth = study.trueEffects?[arm - 1] else { continue }
            let numbers = Comparison(try study.effect(arm), truth, weights)
            table.append([
                .string(study.armLabels[arm]), .number(numbers.average), .number(numbers.averageError),
                .number(numbers.pehe), .number(numbers.deviation), .number(numbers.policyRisk),
                .number(numbers.correlation), .number(numbers.rankCorrelation),
            ])
            let sizes = [numbers.pehe, numbers.deviation]
            result.findings.append(
                Sentence.arm(study, arm)
                    + "Effects are off by \(Sentence.number(numbers.pehe, with: sizes)) (PEHE), where true ones deviate by "
                    + "\(Sentence.number(numbers.deviation, with: sizes)) from their mean: "
                    + (numbers.pehe < numbers.deviation
                        ? "better than one effect for everybody."
                        : "no better than one effect for everybody."))
        }
        result.tables = [table]
        return result
    }
}
