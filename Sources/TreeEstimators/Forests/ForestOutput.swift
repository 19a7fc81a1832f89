/// What the leaf values of a forest mean, and how their means over the trees become predictions.
enum ForestOutput: Sendable, Equatable {
    /// A mean of the target: prediction = base + scale · v.
    case mean(base: Double, scale: Double)
    /// Σwrt/Σw and Σwr²/Σw of the leaf: prediction = base + scale · v₀/v₁, which weights rows as the forest's
    /// kernel does (Athey, Tibshirani & Wager 2019, equations 2 and 3) rather than averaging ratios.
    case ratio(base: Double, scale: Double)
    /// The shares of classes 1, 2, …; multiples of 2⁻²⁴, so that sums of them are exact and that of class 0 is what
    /// is left of 1.
    case shares(classes: Int)

    /// How many numbers a leaf has.
    var leafWidth: Int {
        switch self {
        case .mean: 1
        case .ratio: 2
        case .shares(let classes): classes - 1
        }
    }

    /// How many numbers a prediction has.
    var outputCount: Int { if case .shares(let classes) = self { classes } else { 1 } }

    var isClassification: Bool { if case .shares = self { true } else { false } }

    /// Writes the prediction that belongs to the mean leaf values `means`.
    func finish(_ means: UnsafePointer<Double>, to predictions: UnsafeMutablePointer<Double>) {
        switch self {
        case .mean(let base, let scale): predictions[0] = base + scale * means[0]
        case .ratio(let base, let scale):
            predictions[0] = means[1] > 0 ? base + scale * (means[0] / means[1]) : base
        case .shares(let classes):
            var rest = 1.0
            for index in 1..<classes {
                predictions[index] = means[index - 1]
                rest -= means[index - 1]
            }
            predictions[0] = max(rest, 0)
        }
    }

    /// Writes how far a tree's leaf values are from the forest's mean ones, as its share in the prediction's error.
    func deviate(
        _ values: UnsafePointer<Double>, from means: UnsafePointer<Double>,
        to deviations: UnsafeMutablePointer<Double>
    ) {
        switch self {
        case .mean(_, let scale): deviations[0] = scale * (values[0] - means[0])
        case .ratio(_, let scale):
            let ratio = means[1] > 0 ? means[0] / means[1] : 0
            deviations[0] = means[1] > 0 ? scale * (values[0] - ratio * values[1]) / means[1] : 0
        case .shares(let classes):
            deviations[0] = 0
            for index in 1..<classes {
                deviations[index] = values[index - 1] - means[index - 1]
                deviations[0] -= deviations[index]
            }
        }
    }

    /// The grid of shares.
    static let shareUnit = 0x1p-24

    /// A share on the grid, not above the share itself.
    static func share(_ part: Double, of total: Double) -> Float {
        Float((part / total / shareUnit).rounded(.down) * shareUnit)
    }
}
