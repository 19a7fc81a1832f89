import MetaLearnersCore

/// The bounds of an average effect in the marginal sensitivity model.
///
/// **Free** (Zhao, Small & Bhattacharya 2019). Of an arm the mean is that of the outcome model plus Σ v r / Σ v over the arm's rows, with v = w (1 + z (1 − e)/e) for any z
/// in [1/Λ, Λ] of each row. At an extreme z is Λ above some r and 1/Λ below it, so that a pass over sorted rows finds it:
/// O(rows log rows). By the envelope theorem the error is that of the weights found.
///
/// **Quantile-balanced** (Dorn & Guo 2023). The z also keep Σ a z = Σ a and Σ a z h = Σ a h, a = w (1 − e)/e (`QuantileBalance`): the
/// mean is that of the outcome model plus Σ (w/e r + a ρ) / Σ w/e, whose error again takes the solution as given.
struct MarginalSensitivityBounds {
    /// Which odds of treatment are thought possible.
    enum Kind: String {
        /// Any within the factor.
        case free
        /// Those under which the weighted arms also balance the covariates.
        case quantileBalanced = "quantile_balanced"
    }

    /// The share of the weight of the rows that the bounds are of.
    let share: Double
    private let weights: [Double]
    private let clusters: [Int32]?
    /// The difference of the arm means; 0 without an outcome model.
    private let base: [Double]
    private let treated: ArmResiduals
    private let control: ArmResiduals
    private let spread: ResidualSpread?

    /// The kinds of bounds that can be had.
    var kinds: [Kind] { spread == nil ? [.free] : [.free, .quantileBalanced] }

    /// The rows of an arm: what is weighted, and the part of their weights that is certain and that is not.
    private struct ArmResiduals {
        let arm: Int
        /// Rows in ascending order of their residuals.
        let rows: [Int]
        let residuals: [Double]
        let certain: [Double]
        let uncertain: [Double]

        /// The parts of the rows in the extreme mean of residuals.
        func free(_ lambda: Double, _ isUpper: Bool) -> [Part] {
            // For the upper end the rows from `cut` on have the large factor, for the lower end those before it.
            let (before, after) = isUpper ? (1 / lambda, lambda) : (lambda, 1 / lambda)
            var sum = 0.0
            var total = 0.0
            for index in rows.indices {
                let weight = certain[index] + after * uncertain[index]
                sum += weight * residuals[index]
                total += weight
            }
            var best = (cut: 0, mean: sum / total)
            for index in rows.indices {
                let change = (before - after) * uncertain[index]
                sum += change * residuals[index]
                total += change
                let mean = sum / total
                if isUpper ? mean > best.mean : mean < best.mean { best = (index + 1, mean) }
            }
            return rows.indices.map {
                let weight = certain[$0] + ($0 < best.cut ? before : after) * uncertain[$0]
                return Part(value: weight * residuals[$0], weight: weight)
            }
        }
    }

    /// - Parameters:
    ///   - spread: what quantile-balanced bounds balance; nil for none of these.
    ///   - chosen: the rows that the effect is averaged over; nil for all.
    /// - Throws: `unsupported` where the study lacks what the method needs; `invalidData` where an arm has no rows.
    init(
        _ study: CausalStudy, arm: Int, _ method: MarginalSensitivityAnalysis.Method,
        _ spread: ResidualSpread? = nil, among chosen: [Bool]? = nil
    ) throws(MetaLearnersError) {
        let all = study.rowWeights
        let weights = all.indices.map { chosen?[$0] ?? true ? all[$0] : 0 }
        let zeros = [Double](repeating: 0, count: study.rowCount)
        func residuals(_ arm: Int) throws(MetaLearnersError) -> ArmResiduals {
            let mean = method == .aipw ? try study.armMean(arm) : zeros
            let propensity = try study.propensity(arm)
            let rows = study.arms.indices.filter { study.arms[$0] == arm && weights[$0] > 0 }
                .sorted { (study.outcome[$0] - mean[$0], $0) < (study.outcome[$1] - mean[$1], $1) }
            guard !rows.isEmpty || chosen != nil else {
                throw MetaLearnersError(
                    .invalidData, at: "arm", "no row of '\(study.armLabels[arm])' has weight")
            }
            return ArmResiduals(
                arm: arm, rows: rows, residuals: rows.map { study.outcome[$0] - mean[$0] },
                certain: rows.map { weights[$0] },
                uncertain: rows.map { weights[$0] * (1 - propensity[$0]) / propensity[$0] })
        }
        treated = try residuals(arm)
        control = try residuals(0)
        base =
            method == .aipw
            ? zip(try study.armMean(arm), try study.armMean(0)).map { $0 - $1 } : zeros
        let isPossible = !treated.rows.isEmpty && !control.rows.isEmpty
        share = isPossible ? weights.reduce(0, +) / all.reduce(0, +) : 0
        self.weights = weights
        clusters = study.clusters
        self.spread = spread
    }

    /// The lowest and the highest effect where the odds may be off by `lambda`.
    func bounds(_ lambda: Double, _ kind: Kind = .free) -> (lower: NormalEstimate, upper: NormalEstimate) {
        (end(lambda, kind, isUpper: false), end(lambda, kind, isUpper: true))
    }

    /// One of the two.
    func end(_ lambda: Double, _ kind: Kind, isUpper: Bool) -> NormalEstimate {
        var scores = base
        let total = weights.reduce(0, +)
        for (arm, sign, isUpper) in [(treated, 1.0, isUpper), (control, -1.0, !isUpper)] {
            // Each row's part in the sum and in what it is divided by.
            let parts = kind == .free ? arm.free(lambda, isUpper) : balanced(arm, lambda, isUpper)
            let (sum, divisor) = parts.reduce((0, 0)) { ($0.0 + $1.value, $0.1 + $1.weight) }
            let mean = sum / divisor
            for row in scores.indices { scores[row] += sign * mean }
            for (part, row) in zip(parts, arm.rows) {
                scores[row] += sign * total / weights[row] * (part.value - mean * part.weight) / divisor
            }
        }
        return NormalEstimate(
            scores: scores, shares: [Double](repeating: 1, count: scores.count), weights: weights,
            clusters: clusters)
    }

    private func balanced(_ arm: ArmResiduals, _ lambda: Double, _ isUpper: Bool) -> [Part] {
        let quantile = isUpper ? lambda / (lambda + 1) : 1 / (lambda + 1)
        let feature = spread?.feature(arm.arm, quantile: quantile)
        let balance = QuantileBalance(
            residuals: arm.residuals, feature: arm.rows.map { feature?[$0] ?? 0 }, weights: arm.uncertain)
        let penalties = balance.penalties(lambda, isUpper: isUpper)
        return arm.rows.indices.map { index in
            let weight = arm.certain[index] + arm.uncertain[index]
            return Part(
                value: weight * arm.residuals[index] + arm.uncertain[index] * penalties[index], weight: weight
            )
        }
    }

    /// What a row of an arm adds to the sum of residuals and to the weight that it is divided by.
    private struct Part {
        let value: Double
        let weight: Double
    }
}
