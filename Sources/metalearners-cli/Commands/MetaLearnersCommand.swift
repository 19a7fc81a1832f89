import ArgumentParser
import MetaLearnersCore

/// The program: all its commands.
package struct MetaLearnersCommand: ParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "metalearners",
        abstract: "Estimate who gains how much from a treatment.",
        discussion: """
            Fits causal meta-learners to a CSV file: average effects with their intervals, and an effect for each \
            row. A spec says which columns are treatment and outcome; 'metalearners spec' prints one to start from.

            Exit status: 0 done, 2 wrong usage or spec, 3 bad data, 4 anything else.
            """,
        version: Version.current,
        subcommands: [
            CheckCommand.self, FitCommand.self, PredictCommand.self, ExplainCommand.self,
            AverageEffectCommand.self, EffectsCommand.self, EvaluateCommand.self, CompareCommand.self,
            TuneCommand.self, PolicyCommand.self, TargetCommand.self, RefuteCommand.self,
            ReportCommand.self, GenerateCommand.self, InspectCommand.self, ExportCommand.self,
            BackendsCommand.self, AnalysesCommand.self, SpecCommand.self,
        ])

    package init() {}
}
