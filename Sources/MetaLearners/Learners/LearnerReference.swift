import MetaLearnersCore

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

    /// The table of all learners in Markdown; nuisances are those that the types ask for.
    public static var table: String {
        var lines = [
            "| learner | nuisances, out of fold | the effect model is fitted to | weight | effect | from |",
            "|---|---|---|---|---|---|",
        ]
        for kind in LearnerKind.allCases {
            let learner = kind.learner
            let reference = type(of: learner).reference
            let aliases = LearnerKind.aliases.filter { $0.value == kind }.keys.sorted()
            let name = (["`\(kind.rawValue)`"] + aliases.map { "alias `\($0)`" }).joined(separator: ", ")
            let nuisances = learner.nuisanceRoles(armCount: 2).map(\.symbol).joined(separator: ", ")
            lines.append(
                "| \(name) | \(nuisances) | \(reference.target) | \(reference.weight) | \(reference.effect) | "
                    + "\(reference.citation) |")
        }
        return lines.joined(separator: "\n") + "\n"
    }
}

extension NuisanceRole {
    /// The letter that formulas have for it, of two arms 0 and k.
    fileprivate var symbol: String {
        switch self {
        case .propensity: "e"
        case .joint: "μ(x, w)"
        case .armOutcome(let arm): arm == 0 ? "μ_0" : "μ_k"
        case .marginalOutcome: "m"
        }
    }
}
