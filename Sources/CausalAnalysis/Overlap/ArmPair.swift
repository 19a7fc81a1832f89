import MetaLearnersCore

/// The rows of an arm and of the control, with the probability of the arm among these two.
struct ArmPair {
    /// The arm that is compared with the control.
    let arm: Int
    /// The rows with weight, as indices into the study.
    let rows: [Int]
    /// Whether each of them is in the arm.
    let isTreated: [Bool]
    /// ē = e_k / (e_0 + e_k) for each of them.
    let propensity: [Double]
    /// The weight of each of them.
    let weights: [Double]

    /// Takes the rows of a study, those without overlap as well.
    ///
    /// - Parameter propensities: e_k for each arm, the control first.
    init(_ study: CausalStudy, arm: Int, _ propensities: [[Double]]) {
        let weights = study.weights ?? [Double](repeating: 1, count: study.rowCount)
        let rows = study.arms.indices.filter {
            (study.arms[$0] == arm || study.arms[$0] == 0) && weights[$0] > 0
        }
        self.arm = arm
        self.rows = rows
        isTreated = rows.map { study.arms[$0] == arm }
        propensity = rows.map { propensities[arm][$0] / (propensities[0][$0] + propensities[arm][$0]) }
        self.weights = rows.map { weights[$0] }
    }

    /// The rows that would say as much if all had the same weight, of those in the arm and of those in the control, once each
    /// is weighted by the inverse of the probability of its own arm.
    var effectiveSizes: (treated: Double, control: Double) {
        var treated = WeightedMoments()
        var control = WeightedMoments()
        for index in rows.indices {
            if isTreated[index] {
                treated.add(0, weight: weights[index] / propensity[index])
            } else {
                control.add(0, weight: weights[index] / (1 - propensity[index]))
            }
        }
        return (treated.effectiveSize, control.effectiveSize)
    }

    /// How many rows are in the arm, and how many in the control.
    var counts: (treated: Int, control: Int) {
        let treated = isTreated.count { $0 }
        return (treated, rows.count - treated)
    }

    /// The share of the weight, and the number, of the rows whose propensity lies outside the bounds.
    func outside(_ bounds: ClosedRange<Double>) -> (share: Double, count: Int) {
        var share = 0.0
        var count = 0
        for index in rows.indices where !bounds.contains(propensity[index]) {
            share += weights[index]
            count += 1
        }
        return (share / weights.reduce(0, +), count)
    }

    /// The area under the ROC curve of the propensity; nil where an arm has no rows.
    var area: Double? { ROCArea.area(propensity, positive: isTreated, weights: weights) }
}

/// Crump's optimal trimming (Crump, Hotz, Imbens & Mitnik 2009, Biometrika 96, 187–199): among all sets of rows given by
/// their covariates, the rows with α ≤ e ≤ 1 − α let the average effect be estimated with the least variance, if the
/// outcome varies alike everywhere.
package struct CrumpTrimming {
    /// α; 0 where no row is to be left out.
    package let threshold: Double
    /// The share of the weight that is kept.
    package let keptShare: Double

    /// Finds α for a propensity of each row. O(rows log rows).
    ///
    /// With g = 1/(e(1 − e)) the variance on the rows of the least g is their sum of g over their squared number. At the best
    /// set 1/(α(1 − α)) is twice the mean of g in it.
    package init(_ propensity: [Double], weights: [Double]) {
        let costs = propensity.map { 1 / ($0 * (1 - $0)) }
        let order = costs.indices.filter { weights[$0] > 0 }.sorted { costs[$0] < costs[$1] }
        var total = 0.0
        var sum = 0.0
        var best = (value: Double.infinity, position: -1, mean: 0.0, total: 0.0)
        for (position, index) in order.enumerated() {
            total += weights[index]
            sum += weights[index] * costs[index]
            // Rows with equal costs stay together.
            if position + 1 < order.count, costs[order[position + 1]] == costs[index] { continue }
            let value = sum / (total * total)
            if value <= best.value { best = (value, position, sum / total, total) }
        }
        keptShare = total > 0 ? best.total / total : 0
        let isWhole = best.position == order.count - 1
        threshold = isWhole ? 0 : 0.5 - max(0.25 - 1 / (2 * best.mean), 0).squareRoot()
    }
}
