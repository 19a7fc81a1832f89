import MetaLearnersCore

/// The name of a learner, as specs have it: one of those built in, or of one that an app registers.
public struct LearnerKind: RawRepresentable, Sendable, Hashable, ExpressibleByStringLiteral {
    /// The name.
    public let rawValue: String

    /// Takes a name; whether there is such a learner is for a `Registry` to say.
    public init(rawValue: String) { self.rawValue = rawValue }

    public init(stringLiteral value: String) { rawValue = value }

    public static let s: LearnerKind = "s"
    public static let t: LearnerKind = "t"
    public static let f: LearnerKind = "f"
    public static let m: LearnerKind = "m"
    public static let x: LearnerKind = "x"
    public static let u: LearnerKind = "u"
    public static let r: LearnerKind = "r"
    public static let ra: LearnerKind = "ra"
    public static let dr: LearnerKind = "dr"
    public static let auto: LearnerKind = "auto"
    public static let ensemble: LearnerKind = "ensemble"
}

/// What the rest of the library must know of a learner: each learner and each strategy states it in one value, and
/// nothing else asks which learner it has before it.
public struct LearnerTraits: Sendable, Equatable {
    /// How the effect of an arm follows from the fitted models.
    public enum Form: Sendable, Equatable {
        /// The difference of the outcomes that models predict for two arms: no model is fitted to effects.
        case comparison
        /// The prediction of one model that is fitted to effects.
        case regression
        /// Anything else.
        case combination
    }

    /// How the effect follows.
    public var form: Form
    /// Whether it estimates the mean of the outcome in each arm, which arm means and ratios take.
    public var hasArmMeans: Bool
    /// Whether it has effects for an outcome of several classes.
    public var servesClasses: Bool
    /// Whether a linear effect model's robust covariance gives intervals: its target must not depend on errors of the
    /// nuisances in the first order.
    public var hasAnalyticIntervals: Bool
    /// Whether it brings base learners of its own, so that the spec's are not used.
    public var bringsModels: Bool
    /// Whether it weights members by rows that they have not seen. Then it needs folds, has effects of training rows out
    /// of fold alone, and has no intervals.
    public var isComposite: Bool
    /// Whether folds can be drawn anew and again.
    public var allowsRepeats: Bool
    /// Whether a combination can be fitted to rows that several processes hold: what it adds up over rows it adds up over those of
    /// all. Learners of the other forms can.
    public var isCollective: Bool
    /// Whether the target of a row is made of its outcome and of outcome models of other arms alone, which never saw the row whatever was held
    /// out. Then effect models of a fold take targets from nuisances without that fold, so that its rows have no part in their effects.
    public var imputesAcrossArms: Bool

    /// Whether the learner can be fitted to rows that several processes hold.
    var takesPart: Bool { isCollective || form != .combination }

    /// Creates traits; those of a learner that regresses effects and has no model of each arm's outcome by default.
    public init(
        _ form: Form = .regression, hasArmMeans: Bool = false, servesClasses: Bool = false,
        hasAnalyticIntervals: Bool = false, bringsModels: Bool = false, isComposite: Bool = false,
        allowsRepeats: Bool = true, isCollective: Bool = false, imputesAcrossArms: Bool = false
    ) {
        self.form = form
        self.hasArmMeans = hasArmMeans
        self.servesClasses = servesClasses
        self.hasAnalyticIntervals = hasAnalyticIntervals
        self.bringsModels = bringsModels
        self.isComposite = isComposite
        self.allowsRepeats = allowsRepeats
        self.isCollective = isCollective
        self.imputesAcrossArms = imputesAcrossArms
    }
}

/// A learner in the words of the documentation: the table there is made of these.
///
/// For arm k against the control; ē = e_k / (e_0 + e_k), and the pair are the rows of the two arms.
public struct LearnerReference: Sendable, Equatable {
    /// What the effect model is fitted to.
    public let target: String
    /// The weight of a row, times its sample weight.
    public let weight: String
    /// How the effect follows.
    public let effect: String
    /// Where it is from.
    public let citation: String

    /// Creates a reference.
    public init(target: String, weight: String, effect: String, citation: String) {
        self.target = target
        self.weight = weight
        self.effect = effect
        self.citation = citation
    }
}

/// What every learner says of itself, whether it is one method or a strategy of its own.
public protocol DescribedLearner: Sendable {
    /// The name in specs.
    static var kind: LearnerKind { get }

    /// Other names that specs may use.
    static var aliases: [String] { get }

    /// What the rest of the library must know of it.
    static var traits: LearnerTraits { get }

    /// The formula and where it is from, as the documentation has them.
    static var reference: LearnerReference { get }
}

extension DescribedLearner {
    public static var aliases: [String] { [] }
}
