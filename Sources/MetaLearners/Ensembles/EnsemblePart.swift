import LinearEstimators

/// A function of the covariates as members of `auto` have it: a linear function of a design matrix and a weighted sum of
/// trees. Parts can be added and multiplied by numbers, so that a combination of members is one part again.
struct EnsemblePart: Sendable, Equatable {
    /// The boosted trees of a fold that a part may refer to.
    enum Source: UInt8, Sendable, CaseIterable, Comparable {
        /// E[Y | W = 0, X] from the control's rows.
        case control = 0
        /// E[Y | W = 1, X] from the arm's rows.
        case arm = 1
        /// E[Y | W, X], asked for the control.
        case jointControl = 2
        /// E[Y | W, X], asked for the arm.
        case jointArm = 3
        /// The effect by the R-loss.
        case effect = 4
        /// The effect imputed in the control's rows.
        case imputedControl = 5
        /// The effect imputed in the arm's rows.
        case imputedArm = 6

        static func < (left: Source, right: Source) -> Bool { left.rawValue < right.rawValue }
    }

    /// The linear function.
    var linear: LinearFunction
    /// What the trees count.
    var trees: [Source: Double] = [:]

    /// The function that is `constant` everywhere, of a design matrix of so many columns.
    init(constant: Double = 0, width: Int) { linear = LinearFunction(intercept: constant, width: width) }

    /// A linear function.
    init(_ function: LinearFunction) { linear = function }

    /// Trees.
    init(_ source: Source, width: Int) {
        self.init(width: width)
        trees[source] = 1
    }

    /// Adds `factor` times another part.
    mutating func add(_ other: EnsemblePart, times factor: Double) {
        guard factor != 0 else { return }
        linear.add(other.linear, times: factor)
        for (source, weight) in other.trees { trees[source, default: 0] += factor * weight }
    }
}

/// A function that may depend on the propensity as well: level(x) + e(x)·share(x).
struct EnsembleFormula: Sendable, Equatable {
    var level: EnsemblePart
    /// What the propensity is multiplied by; nil for nothing.
    var share: EnsemblePart?

    init(_ level: EnsemblePart, share: EnsemblePart? = nil) {
        self.level = level
        self.share = share
    }

    /// Adds `factor` times another formula.
    mutating func add(_ other: EnsembleFormula, times factor: Double) {
        guard factor != 0 else { return }
        level.add(other.level, times: factor)
        guard let added = other.share else { return }
        var sum = share ?? EnsemblePart(width: added.linear.coefficients.count)
        sum.add(added, times: factor)
        share = sum
    }

    /// The weighted sum of formulas, plus a constant.
    static func sum(_ formulas: [EnsembleFormula], weights: [Double], constant: Double, width: Int)
        -> EnsembleFormula
    {
        var sum = EnsembleFormula(EnsemblePart(constant: constant, width: width))
        for (formula, weight) in zip(formulas, weights) { sum.add(formula, times: weight) }
        return sum
    }
}
