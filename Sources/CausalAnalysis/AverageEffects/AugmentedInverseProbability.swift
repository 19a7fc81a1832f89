import MetaLearnersCore

/// Average effects by augmented inverse probability weighting (AIPW), from given nuisances.
///
/// The estimate is right where either the outcome means or the propensities are, and its standard error needs no
/// account of how they were estimated where that was done out of fold (Robins, Rotnitzky & Zhao 1994; Chernozhukov
/// et al. 2018, arXiv 1608.00060).
///
/// - ATE: the mean of μ_k − μ_0 + 1{W=k}(Y − μ_k)/e_k − 1{W=0}(Y − μ_0)/e_0.
/// - ATT: the sum of 1{W=k}(Y − μ_0) − 1{W=0}(e_k/e_0)(Y − μ_0) over that of 1{W=k}.
/// - ATC: the sum of 1{W=k}(e_0/e_k)(Y − μ_k) − 1{W=0}(Y − μ_k) over that of 1{W=0}.
/// - ATO: with ē = e_k/(e_0 + e_k) and m = ē μ_k + (1 − ē) μ_0, over the rows of the arm and the control, the sum of
///   (1{W=k} − ē)(Y − m) over that of (1{W=k} − ē)². This is the efficient score of the average weighted by overlap (Crump,
///   Hotz, Imbens & Mitnik 2006; Li, Morgan & Zaslavsky 2018) and Robinson's (1988) regression of residuals on residuals:
///   it takes e as right, and is indifferent to small errors of all nuisances.
enum AugmentedInverseProbability {
    /// The average effect of an arm against control.
    ///
    /// - Parameters:
    ///   - propensities: e_0 and e_k for each row.
    ///   - means: μ_0 and μ_k for each row.
    ///   - weights: of each row; 0 for rows that take no part.
    static func estimate(
        _ estimand: Estimand, of arm: Int, outcome: [Double], arms: RowCodes,
        propensities: (control: [Double], arm: [Double]), means: (control: [Double], arm: [Double]),
        weights: [Double], clusters: [Int32]?
    ) -> NormalEstimate {
        let (scores, shares) = scores(
            estimand, of: arm, outcome: outcome, arms: arms, propensities: propensities, means: means)
        return NormalEstimate(scores: scores, shares: shares, weights: weights, clusters: clusters)
    }

    /// The scores whose sum over that of the shares is the estimate.
    static func scores(
        _ estimand: Estimand, of arm: Int, outcome: [Double], arms: RowCodes,
        propensities: (control: [Double], arm: [Double]), means: (control: [Double], arm: [Double])
    ) -> (scores: [Double], shares: [Double]) {
        var scores = [Double](repeating: 0, count: outcome.count)
        var shares = scores
        for row in outcome.indices {
            let isTreated = arms[row] == arm
            let isControl = arms[row] == 0
            let (ofControl, ofArm) = (propensities.control[row], propensities.arm[row])
            let belowControl = outcome[row] - means.control[row]
            let belowArm = outcome[row] - means.arm[row]
            switch estimand {
            case .ate:
                shares[row] = 1
                scores[row] = means.arm[row] - means.control[row]
                if isTreated { scores[row] += belowArm / ofArm }
                if isControl { scores[row] -= belowControl / ofControl }
            case .att:
                shares[row] = isTreated ? 1 : 0
                scores[row] = isTreated ? belowControl : isControl ? -ofArm / ofControl * belowControl : 0
            case .atc:
                shares[row] = isControl ? 1 : 0
                scores[row] = isTreated ? ofControl / ofArm * belowArm : isControl ? -belowArm : 0
            case .ato:
                guard isTreated || isControl else { continue }
                let share = ofArm / (ofControl + ofArm)
                let distance = (isTreated ? 1 : 0) - share
                shares[row] = distance * distance
                scores[row] = distance * (share * belowArm + (1 - share) * belowControl)
            }
        }
        return (scores, shares)
    }
}
