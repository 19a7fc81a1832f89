import ArgumentParser
import CausalAnalysis
import MetaLearnersCore

/// `metalearners check`.
struct CheckCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check", abstract: "Check overlap and balance, before any effect is believed.",
        usage: "metalearners check [<spec-or-model>] <data> [<options>]",
        discussion: AnalysisCommands.discussion)

    @Argument(help: AnalysisCommands.first) var first: String
    @Argument(help: AnalysisCommands.second) var second: String?
    @OptionGroup var options: AnalysisOptions
    @OptionGroup var specOptions: SpecOptions
    @OptionGroup var dataOptions: DataOptions
    @OptionGroup var runOptions: RunOptions

    mutating func run() throws {
        try AnalysisRun(
            command: "check", topics: [.checks], options: options, specOptions: specOptions,
            dataOptions: dataOptions, runOptions: runOptions
        ).run(first, second)
    }
}

/// `metalearners effects`.
struct EffectsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "effects",
        abstract: "Estimate average effects by the classical estimators, side by side.",
        usage: "metalearners effects [<spec-or-model>] <data> [<options>]",
        discussion: AnalysisCommands.discussion)

    @Argument(help: AnalysisCommands.first) var first: String
    @Argument(help: AnalysisCommands.second) var second: String?
    @OptionGroup var options: AnalysisOptions
    @OptionGroup var specOptions: SpecOptions
    @OptionGroup var dataOptions: DataOptions
    @OptionGroup var runOptions: RunOptions

    mutating func run() throws {
        try AnalysisRun(
            command: "effects", topics: [.averageEffects], options: options, specOptions: specOptions,
            dataOptions: dataOptions, runOptions: runOptions
        ).run(first, second)
    }
}

/// `metalearners evaluate`.
struct EvaluateCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "evaluate",
        abstract: "Judge the effects of a model: how they differ, how well they rank, how good they are.",
        usage: "metalearners evaluate [<spec-or-model>] <data> [<options>]",
        discussion: AnalysisCommands.discussion + "\n\n" + AnalysisCommands.moreIsBetter)

    @Argument(help: AnalysisCommands.first) var first: String
    @Argument(help: AnalysisCommands.second) var second: String?
    @OptionGroup var options: AnalysisOptions
    @OptionGroup var specOptions: SpecOptions
    @OptionGroup var dataOptions: DataOptions
    @OptionGroup var runOptions: RunOptions

    mutating func run() throws {
        try AnalysisRun(
            command: "evaluate", topics: [.heterogeneity, .ranking, .evaluation], options: options,
            specOptions: specOptions, dataOptions: dataOptions, runOptions: runOptions
        ).run(first, second)
    }
}

/// `metalearners policy`.
struct PolicyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "policy", abstract: "Learn rules of whom to treat, and what they are worth.",
        usage: "metalearners policy [<spec-or-model>] <data> [<options>]",
        discussion: AnalysisCommands.discussion + "\n\n" + AnalysisCommands.moreIsBetter)

    @Argument(help: AnalysisCommands.first) var first: String
    @Argument(help: AnalysisCommands.second) var second: String?
    @OptionGroup var options: AnalysisOptions
    @OptionGroup var specOptions: SpecOptions
    @OptionGroup var dataOptions: DataOptions
    @OptionGroup var runOptions: RunOptions

    mutating func run() throws {
        try AnalysisRun(
            command: "policy", topics: [.policy], options: options, specOptions: specOptions,
            dataOptions: dataOptions, runOptions: runOptions
        ).run(first, second)
    }
}

/// `metalearners refute`.
struct RefuteCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "refute", abstract: "Try to refute the answer: placebos, subsets, hidden confounders.",
        usage: "metalearners refute [<spec-or-model>] <data> [<options>]",
        discussion: AnalysisCommands.discussion)

    @Argument(help: AnalysisCommands.first) var first: String
    @Argument(help: AnalysisCommands.second) var second: String?
    @OptionGroup var options: AnalysisOptions
    @OptionGroup var specOptions: SpecOptions
    @OptionGroup var dataOptions: DataOptions
    @OptionGroup var runOptions: RunOptions

    mutating func run() throws {
        try AnalysisRun(
            command: "refute", topics: [.refutation], options: options, specOptions: specOptions,
            dataOptions: dataOptions, runOptions: runOptions
        ).run(first, second)
    }
}

/// `metalearners analyses`.
struct AnalysesCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "analyses",
        abstract: "List the analyses, with the command that runs each and its options.")

    @Argument(help: ArgumentHelp("One analysis, with its options (default: all).", valueName: "analysis"))
    var name: String?

    @Flag(help: "Print the list as JSON.")
    var json = false

    @OptionGroup var runOptions: RunOptions

    mutating func run() throws {
        let session = CommandSession(runOptions)
        if json {
            try session.print(AnalysisRegistry.default.specValue.json(indented: true) + "\n")
            return
        }
        let types: [any Analysis.Type] =
            try name.map { [try AnalysisRegistry.default.analysis(named: $0)] }
            ?? AnalysisRegistry.default.analyses
        try session.print(AnalysisTables.text(types))
    }
}

/// What the commands that run analyses say alike.
enum AnalysisCommands {
    static let first = ArgumentHelp(
        "Spec file, or model file that 'fit' saved.", valueName: "spec-or-model")
    static let second = ArgumentHelp(
        "CSV file with a header; - reads standard input.", valueName: "data")
    static let discussion = """
        A spec is not needed where --treatment and --outcome name the columns. Rows that a model was fitted to are judged by \
        models that never saw them (out of fold). Effects and propensities that were computed elsewhere are taken from columns \
        of the data: --effects, --propensities, --arm-means. 'metalearners analyses' lists what is run, with its options.
        """
    static let moreIsBetter = """
        Those who are ranked first are those whose outcome rises most: more of the outcome counts as better. Of an outcome of which \
        less is better (churn, deaths, costs) fit the negative, or 1 - outcome where it is 0 or 1.
        """
}
