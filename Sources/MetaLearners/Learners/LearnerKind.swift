import MetaLearnersCore

/// The meta-learners by name.
public enum LearnerKind: String, Sendable, CaseIterable {
    case s
    case t
    case f
    case m
    case x
    case u
    case r
    case ra
    case dr
    case auto
    case ensemble

    /// The learner.
    public var learner: any MetaLearner {
        switch self {
        case .s: SLearner()
        case .t: TLearner()
        case .f: FLearner()
        case .m: MLearner()
        case .x: XLearner()
        case .u: ULearner()
        case .r: RLearner()
        case .ra: RALearner()
        case .dr: DRLearner()
        case .auto: AutoLearner()
        case .ensemble: EnsembleLearner()
        }
    }

    /// Those that are one method each: all but `auto` and `ensemble`, which combine others.
    package static let single: [LearnerKind] = [.s, .t, .f, .m, .x, .u, .r, .ra, .dr]

    /// Other names of learners.
    public static let aliases: [String: LearnerKind] = ["pw": .m]
}
