import MetaLearnersCore

/// The calibration test: are the estimated effects right on average, and do they differ as the true ones do?
public struct CalibrationTestAnalysis: Analysis {
    public static let name = "calibration_test"
    public static let title = "Calibration of the effects"
    public static let summary =
        "Whether the mean of the estimated effects is right, and whether their differences are real"
    public static let topic = AnalysisTopic.heterogeneity
    public static let parameters: [Parameter<CalibrationTestAnalysis>] = [.level(\.level), .arm(\.arm)]

    /// The level of intervals.
    public var level = AverageEffect.standardLevel
    /// The arm that is asked about; nil for every one but the control.
    public var arm: String?

    public init() {}

    public var needs: StudyParts { [.scores, .effects] }

    public func run(_ study: CausalStudy, _ scheduler: Scheduler) throws(MetaLearnersError) -> AnalysisResult
    {
        var result = emptyResult
        var table = ResultTable(
            "calibration",
            "Both coefficients are 1 where effects are calibrated; p-values are one-sided, of 0",
            [ResultTable.Column("arm", "arm", .text), ResultTable.Column("term", "term", .text)]
                + ResultTable.estimateColumns("coefficient", level: level)
                + [ResultTable.Column("note", "", .text)])
        for arm in try study.treatedArms(arm) {
            let (mean, differential) = try Self.coefficients(study, arm)
            for (term, estimate) in [
                ("mean_prediction", mean), ("differential_prediction", differential),
            ] {
                var cells = ResultTable.cells(estimate, level: level)
                if let estimate { cells[4] = .number(Self.upperPValue(estimate)) }
                table.append(
                    [.string(study.armLabels[arm]), .string(term)] + cells
                        + [
                            estimate == nil
                                ? .string(
                                    term == "mean_prediction"
                                        ? "the estimated effects are 0 on average"
                                        : "the estimated effects do not differ")
                                : .null
                        ])
            }
            result.findings.append(finding(study, arm, mean, differential))
        }
        result.tables = [table]
        result.assumptions = [
            Assumption.noConfounding, Assumption.overlap, Assumption.foreignEffects,
        ]
        return result
    }

    private func finding(
        _ study: CausalStudy, _ arm: Int, _ mean: NormalEstimate?, _ differential: NormalEstimate?
    ) -> String {
        let start = Sentence.arm(study, arm)
        guard let differential else { return Sentence.sameForEverybody(study, arm) }
        let slope = Sentence.number(differential.estimate, with: [differential.stdError])
        let error = Sentence.number(differential.stdError, with: [differential.estimate])
        let ends = differential.interval(level: level)
        guard Self.upperPValue(differential) < 1 - level else {
            return start
                + "The differences between estimated effects do not demonstrably show in the outcomes: coefficient \(slope) (\(error))."
        }
        let size =
            ends.upper < 1
            ? "they are exaggerated, true ones being about \(slope) times as large"
            : ends.lower > 1 ? "true ones are even larger" : "their size agrees with the outcomes"
        return start
            + "The differences between estimated effects are real; \(size): coefficient \(slope) (\(error)), "
            + "where 1 is perfect."
    }

    private static func upperPValue(_ estimate: NormalEstimate) -> Double {
        guard estimate.stdError > 0 else { return estimate.estimate > 0 ? 0 : 1 }
        let statistic = estimate.estimate / estimate.stdError
        return estimate.degreesOfFreedom.map { StudentDistribution($0).upperTail(statistic) }
            ?? NormalDistribution().upperTail(statistic)
    }

    /// The coefficients of (Y − m) = β₁ (W − ē) τ̄ + β₂ (W − ē)(τ − τ̄), by weighted least squares over the rows of the arm and of
    /// the control (Chernozhukov, Demirer, Duflo & Fernández-Val 2018; `test_calibration` in grf); nil for one that the data do
    /// not have.
    static func coefficients(_ study: CausalStudy, _ arm: Int) throws(MetaLearnersError) -> (
        mean: NormalEstimate?, differential: NormalEstimate?
    ) {
        let pair = try PairResiduals(study, arm)
        let effects = try study.orderingEffect(arm)
        let rows = pair.rows
        var mean = 0.0
        var total = 0.0
        for row in rows {
            mean += pair.weights[row] * effects[row]
            total += pair.weights[row]
        }
        guard total > 0 else { return (nil, nil) }
        mean /= total
        let varies = rows.contains { effects[$0] != effects[rows[0]] }
        let regressors = rows.map { row -> SIMD2<Double> in
            pair.treatment[row] * SIMD2(mean, varies ? effects[row] - mean : 0)
        }
        let fit = TwoRegressorFit(
            rows.map { pair.outcome[$0] }, regressors, weights: rows.map { pair.weights[$0] },
            clusters: study.clusters.map { clusters in rows.map { clusters[$0] } })
        return (fit.estimates[0], fit.estimates[1]?.withError(times: study.orderingErrorFactor))
    }
}

/// What is left of outcome and treatment, among the rows of an arm and of the control, once the covariates have explained their
/// part: Y − m and W − ē, with m = ē μ_k + (1 − ē) μ_0 and ē = e_k/(e_0 + e_k).
struct PairResiduals {
    /// Y − m for each row of the study; 0 for rows of other arms.
    let outcome: [Double]
    /// W − ē for each row; 0 for rows of other arms.
    let treatment: [Double]
    /// The weight of each row; 0 for rows of other arms.
    let weights: [Double]
    /// The rows that take part, ascending.
    let rows: [Int]

    init(_ study: CausalStudy, _ arm: Int) throws(MetaLearnersError) {
        let (ofArm, ofControl) = (try study.propensity(arm), try study.propensity(0))
        let (mean, control) = (try study.armMean(arm), try study.armMean(0))
        var outcome = [Double](repeating: 0, count: study.rowCount)
        var treatment = outcome
        var weights = outcome
        var rows: [Int] = []
        for (row, weight) in study.rowWeights.enumerated() where weight > 0 {
            let isTreated = study.arms[row] == arm
            guard isTreated || study.arms[row] == 0 else { continue }
            let share = ofArm[row] / (ofArm[row] + ofControl[row])
            outcome[row] = study.outcome[row] - share * mean[row] - (1 - share) * control[row]
            treatment[row] = (isTreated ? 1 : 0) - share
            weights[row] = weight
            rows.append(row)
        }
        self.outcome = outcome
        self.treatment = treatment
        self.weights = weights
        self.rows = rows
    }
}

/// A weighted regression on two numbers without a constant, with HC3 errors or, where there are clusters, cluster-robust ones
/// (CR1). In closed form.
private struct TwoRegressorFit {
    /// nil where the regressor is 0 throughout or follows from the other.
    var estimates: [NormalEstimate?] = [nil, nil]

    init(_ outcome: [Double], _ regressors: [SIMD2<Double>], weights: [Double], clusters: [Int32]?) {
        var (a, b, d) = (0.0, 0.0, 0.0)
        var right = SIMD2<Double>.zero
        for row in outcome.indices {
            let x = regressors[row]
            a += weights[row] * x[0] * x[0]
            b += weights[row] * x[0] * x[1]
            d += weights[row] * x[1] * x[1]
            right += weights[row] * outcome[row] * x
        }
        // The inverse of [[a, b], [b, d]], or of what is left of it.
        let determinant = a * d - b * b
        var inverse = (SIMD2<Double>.zero, SIMD2<Double>.zero)
        var known: [Int]
        if determinant > 1e-12 * a * d, determinant > 0 {
            inverse = (SIMD2(d, -b) / determinant, SIMD2(-b, a) / determinant)
            known = [0, 1]
        } else if a > 0 {
            inverse.0 = SIMD2(1 / a, 0)
            known = [0]
        } else if d > 0 {
            inverse.1 = SIMD2(0, 1 / d)
            known = [1]
        } else {
            return
        }
        func solved(_ vector: SIMD2<Double>) -> SIMD2<Double> {
            SIMD2((inverse.0 * vector).sum(), (inverse.1 * vector).sum())
        }
        let beta = solved(right)
        var squares = SIMD2<Double>.zero
        let freedom: Double
        if let clusters {
            var sums: [Int32: SIMD2<Double>] = [:]
            for row in outcome.indices {
                let residual = outcome[row] - (regressors[row] * beta).sum()
                sums[clusters[row], default: .zero] += weights[row] * residual * regressors[row]
            }
            // In the order of the codes, so that rounding is the same every time.
            for cluster in sums.keys.sorted() {
                let influence = solved(sums[cluster] ?? .zero)
                squares += influence * influence
            }
            let count = Double(sums.count)
            guard count > 1, outcome.count > known.count else { return }
            squares *= count / (count - 1) * Double(outcome.count - 1) / Double(outcome.count - known.count)
            freedom = count - 1
        } else {
            guard outcome.count > known.count else { return }
            for row in outcome.indices {
                let x = regressors[row]
                let left = 1 - weights[row] * (x * solved(x)).sum()
                guard left > 1e-10 else { continue }
                let influence = solved(weights[row] * (outcome[row] - (x * beta).sum()) / left * x)
                squares += influence * influence
            }
            freedom = Double(outcome.count - known.count)
        }
        for index in known {
            estimates[index] = NormalEstimate(
                estimate: beta[index], stdError: squares[index].squareRoot(), degreesOfFreedom: freedom)
        }
    }
}
