import MetaLearnersCore

/// What the trees of a forest are fitted to, as sums need it, and how leaf values become predictions.
///
/// Targets are centred at the best constant and, like regressors, brought near 1 by powers of two; weights have a
/// mean of 1. So a constant target is predicted as it is, and leaf values have the range and precision of Float.
struct ForestTarget: Sendable {
    /// Of each row of the dataset: (gradient, Hessian), or (class, weight) for more than two classes.
    let rows: AlignedBuffer<SIMD2<Double>>
    /// The weight of each row, where it is not its Hessian.
    let weights: AlignedBuffer<Double>?
    let output: ForestOutput
    let warnings: [String]
    /// Whether no tree could improve on the constant.
    let isHopeless: Bool

    /// The most classes there may be.
    static let maximumClasses = 62

    /// Prepares the targets of `training`.
    ///
    /// - Parameter training: the rows of `learned` to learn from, in the order in which weights are added up.
    /// - Throws: `outOfMemory`, `unsupported` for what `ForestRows.require` refuses.
    init(_ learned: ForestRows, training: [Int32]) throws(MetaLearnersError) {
        rows = try AlignedBuffer(uninitialized: learned.rowCount)
        var total = 0.0
        if let weights = learned.weights { for row in training { total += weights[Int(row)] } }
        let isScaled = total > 0 && total.isFinite
        let mean = isScaled ? total / Double(training.count) : 1
        func weight(_ row: Int) -> Double { learned.weights.map { $0[row] / mean } ?? 1 }
        var warnings: [String] = []
        switch learned.objective {
        case .classification(let classes):
            var seen = [Bool](repeating: false, count: classes)
            let target = learned.numbers
            for row in training {
                let row = Int(row)
                let label = target[row]
                seen[Int(label)] = true
                rows.start[row] = SIMD2(classes == 2 ? label * weight(row) : label, weight(row))
            }
            for (label, isSeen) in seen.enumerated() where !isSeen {
                warnings.append("class \(label) does not occur in the rows to learn from")
            }
            output = .shares(classes: classes)
            weights = nil
            isHopeless = false
        case .coefficient, .multiResidual, .multiRegression, .count, .quantile:
            throw MetaLearnersError(.internalFault, "forests do not have this objective")
        case .regression, .residual:
            let loss = try QuadraticLoss(
                learned.numbers, regressor: learned.regressor, weights: learned.weights, training: training)
            isHopeless = loss.isHopeless
            let isRatio = loss.regressor != nil
            var largestRegressor = 0.0
            if isRatio {
                for row in training {
                    largestRegressor = max(largestRegressor, abs(loss.regressor(Int(row))))
                }
            }
            let regressorScale = isRatio ? Self.powerOfTwo(largestRegressor) : 1
            let scale = Self.powerOfTwo(loss.largestResidual)
            let weights = isRatio ? try AlignedBuffer<Double>(uninitialized: learned.rowCount) : nil
            if !loss.isHopeless {
                for row in training {
                    let row = Int(row)
                    let regressor = loss.regressor(row) / regressorScale
                    let slope = weight(row) * regressor
                    rows.start[row] = SIMD2(slope * (loss.residual(row) / scale), slope * regressor)
                    if let weights { weights.start[row] = weight(row) }
                }
            }
            self.weights = weights
            let outputScale = scale / regressorScale
            output =
                isRatio
                ? .ratio(base: loss.base, scale: outputScale) : .mean(base: loss.base, scale: outputScale)
        }
        self.warnings = warnings
    }

    /// A power of two near `magnitude`, 1 where that is 0.
    private static func powerOfTwo(_ magnitude: Double) -> Double {
        guard magnitude > 0, magnitude.isFinite else { return 1 }
        return Double(
            sign: .plus, exponent: min(max(Int(magnitude.exponent), -500), 500), significand: 1)
    }

    /// The weight of a row, as leaf values are normalised by it.
    @inline(__always)
    func weight(_ row: Int) -> Double { weights?.start[row] ?? rows.start[row].y }
}

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
