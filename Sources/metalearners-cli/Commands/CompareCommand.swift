import ArgumentParser
import CausalAnalysis
import MetaLearners
import MetaLearnersCore

/// `metalearners compare`.
struct CompareCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "compare",
        abstract: "Fit several learners and base learners, and set them side by side.",
        usage: "metalearners compare [<spec-or-model>] <data> [<options>]",
        discussion: """
            Nuisances are fitted once and used by every learner that needs them. Losses are out of fold, on one set of nuisances. \
            An interrupt leaves what is done.
            """)

    @Argument(help: AnalysisCommands.first) var first: String
    @Argument(help: AnalysisCommands.second) var second: String?

    @Option(
        help: ArgumentHelp("The learners, separated by commas (default: s,t,x,r,dr).", valueName: "names"))
    var learners: String?

    @Option(
        help: ArgumentHelp(
            "Base learners of outcomes and effects, separated by commas (default: the spec's models).",
            valueName: "names"))
    var backends: String?

    @OptionGroup var options: AnalysisOptions
    @OptionGroup var specOptions: SpecOptions
    @OptionGroup var dataOptions: DataOptions
    @OptionGroup var runOptions: RunOptions

    mutating func run() throws {
        options.only = [CompareAnalysis.name]
        for (key, names) in [("learners", learners), ("backends", backends)] {
            guard let names else { continue }
            let list = SpecValue.array(
                names.split(separator: ",").map { .string($0.trimmingCharacters(in: " ")) })
            options.settings.append("\(key)=\(list.json())")
        }
        // Losses are those on nuisances of the spec's models, which auto would refuse.
        let inputs = try InputFiles(first, second, of: "compare", takesModel: true)
        if specOptions.learner == nil, inputs.spec.map(InputFiles.isModel) != true {
            specOptions.learner = LearnerKind.dr.rawValue
        }
        try AnalysisRun(
            command: "compare", topics: [.evaluation], options: options, specOptions: specOptions,
            dataOptions: dataOptions, runOptions: runOptions
        ).run(first, second)
    }
}

extension Substring {
    /// Without the blanks at both ends.
    fileprivate func trimmingCharacters(in blank: Character) -> String {
        var text = self
        while text.first == blank { text.removeFirst() }
        while text.last == blank { text.removeLast() }
        return String(text)
    }
}
