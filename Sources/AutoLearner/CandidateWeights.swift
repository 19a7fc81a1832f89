import MetaLearners
import MetaLearnersCore

/// The weights of candidates for the effect, by their out-of-fold R-loss on some rows.
///
/// The first candidate is a constant, whose value these rows decide as well.
struct CandidateWeights: Sendable {
    /// Σ w(W−e)(Y−m) / Σ w(W−e)².
    let constant: Double
    /// One for each candidate, adding up to one.
    let weights: [Double]
    /// What is added to the weighted candidates: a part of their mean residual.
    let shift: Double

    /// What the candidates are multiplied by, the first of them being 1.
    var factors: [Double] { [weights[0] * constant] + weights.dropFirst() }

    /// Weighs candidates by the sums of rows.
    ///
    /// - Parameters:
    ///   - sums: of (Y − m) against (W − e)·τ_j, where τ of the first candidate is 1.
    ///   - unit: what turns a sum of weights into as many rows as say as much.
    init(_ sums: StackSums.Group, unit: Double, _ settings: AutoSettings) {
        let count = sums.moments.count
        let slopes = sums.product(0, 0)
        let constant = slopes > 0 ? sums.moments[0] / slopes : 0
        let losses = Self.losses(sums, constant: constant, unit: unit)
        let scaled = sums.scalingFirst(by: constant)
        let mixture = ConvexStack(scaled, .sumToOne, count: count).weights
        let weights = settings.weights.weights(
            losses: losses, mixture: mixture, mixtureLoss: scaled.loss(of: mixture) * unit,
            penalty: settings.mixturePenalty, rowCount: sums.weight * unit)
        let explained = (1..<count).reduce(weights[0] * constant * slopes) {
            $0 + weights[$1] * sums.product(0, $1)
        }
        self.init(
            constant: constant, weights: weights,
            shift: slopes > 0 ? settings.residualShare * (sums.moments[0] - explained) / slopes : 0)
    }

    private init(constant: Double, weights: [Double], shift: Double) {
        self.constant = constant
        self.weights = weights
        self.shift = shift
    }

    /// The R-loss of each candidate, the first being the constant.
    static func losses(_ sums: StackSums.Group, constant: Double, unit: Double) -> [Double] {
        sums.moments.indices.map { candidate in
            var alone = [Double](repeating: 0, count: sums.moments.count)
            alone[candidate] = candidate == 0 ? constant : 1
            return sums.loss(of: alone) * unit
        }
    }

    /// The very same numbers in every process of a collective fit: processors may round differently.
    static func agreed(_ all: [CandidateWeights], _ distribution: DistributedRows?)
        throws(MetaLearnersError) -> [CandidateWeights]
    {
        var rest = try distribution.agreed(all.flatMap { [$0.constant, $0.shift] + $0.weights })[...]
        return all.map { weights in
            let numbers = Array(rest.prefix(2 + weights.weights.count))
            rest = rest.dropFirst(numbers.count)
            return CandidateWeights(constant: numbers[0], weights: Array(numbers[2...]), shift: numbers[1])
        }
    }
}
