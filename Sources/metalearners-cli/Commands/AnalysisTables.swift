import CausalAnalysis
import MetaLearnersCore
import Reporting

/// The analyses as people read them.
enum AnalysisTables {
    /// The command that runs an analysis.
    static func command(_ type: any Analysis.Type) -> String {
        if type.name == CompareAnalysis.name { return "compare" }
        return switch type.topic {
        case .checks: "check"
        case .averageEffects: "effects"
        case .heterogeneity, .ranking, .evaluation: "evaluate"
        case .policy: "policy"
        case .refutation: "refute"
        }
    }

    /// Each analysis with its question, its command and its options.
    static func text(_ types: [any Analysis.Type]) -> String {
        types.map { type in
            var text = "\(type.name): \(type.title) (metalearners \(command(type)))\n"
            for line in TextTable.wrapped(type.summary, to: 94) { text += "  \(line)\n" }
            let options = type.init().parameterDescriptions
            guard !options.isEmpty else { return text }
            var table = TextTable([
                ("option", .left), ("default", .left), ("values", .left), ("meaning", .left),
            ])
            for option in options {
                table.append([option.name, option.defaultValue.json(), option.range, option.summary])
            }
            return text + table.text(indent: 2, width: 120)
        }.joined(separator: "\n")
    }
}
