import MetaLearners
import MetaLearnersKit

extension LearnerKind {
    /// The learners that are not made of others.
    static let single = allCases.filter { $0 != .auto && $0 != .ensemble }
}
