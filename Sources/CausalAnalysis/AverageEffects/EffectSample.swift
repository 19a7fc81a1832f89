import MetaLearnersCore

/// The rows of a study that an average effect is estimated from: all of them, or those of a group.
struct EffectSample: Sendable {
    let study: CausalStudy
    /// The weight of each row of the study; 0 for those without overlap and those of other groups.
    let weights: [Double]

    /// The rows of a study, or those of them that are named.
    init(_ study: CausalStudy, rows: [Int]? = nil) {
        self.study = study
        let all = study.rowWeights
        guard let rows else {
            weights = all
            return
        }
        var weights = [Double](repeating: 0, count: all.count)
        for row in rows { weights[row] = all[row] }
        self.weights = weights
    }

    /// The rows that take part, ascending.
    var rows: [Int] { weights.indices.filter { weights[$0] > 0 } }

    /// The rows of one arm that take part, ascending.
    func rows(of arm: Int) -> [Int] { weights.indices.filter { weights[$0] > 0 && study.arms[$0] == arm } }

    /// How many rows of an arm and of the control take part.
    func counts(_ arm: Int) -> (control: Int, arm: Int) { (rows(of: 0).count, rows(of: arm).count) }

    /// Refuses to go on where an arm or the control has fewer than two rows, or all rows are of one cluster.
    ///
    /// - Throws: `invalidData`, with what is missing.
    func requireComparison(_ arm: Int) throws(MetaLearnersError) {
        for index in [0, arm] {
            let count = rows(of: index).count
            guard count < 2 else { continue }
            throw MetaLearnersError(
                .invalidData, at: "arm '\(study.armLabels[index])'",
                count == 0
                    ? "it has no row here: there is nothing to compare"
                    : "it has one row here: no error can be known")
        }
        if let clusters = study.clusters {
            guard Set(rows.map { clusters[$0] }).count > 1 else {
                throw MetaLearnersError(
                    .invalidData, at: "clusters", "all rows are of one cluster: no error can be known")
            }
        }
    }

    /// e_0 and e_k for each row.
    func propensities(_ arm: Int) throws(MetaLearnersError) -> (control: [Double], arm: [Double]) {
        (try study.propensity(0), try study.propensity(arm))
    }

    /// μ_0 and μ_k for each row.
    func means(_ arm: Int) throws(MetaLearnersError) -> (control: [Double], arm: [Double]) {
        (try study.armMean(0), try study.armMean(arm))
    }

    /// The weighted mean of the outcome over rows.
    func mean(_ rows: [Int]) -> Double {
        var sum = 0.0
        var total = 0.0
        for row in rows {
            sum += weights[row] * study.outcome[row]
            total += weights[row]
        }
        return sum / total
    }
}
