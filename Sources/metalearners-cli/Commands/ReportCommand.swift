import ArgumentParser
import CausalAnalysis
import MetaLearnersCore
import Reporting

/// `metalearners report`.
struct ReportCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "report",
        abstract: "Write everything about a study to one HTML page: answers first, then tables and charts.",
        usage: "metalearners report [<spec-or-model>] <data> -o <report.html> [<options>]",
        discussion:
            "The page needs no network and no script, is light or dark as the reader likes, and prints well. "
            + AnalysisCommands.discussion)

    @Argument(help: AnalysisCommands.first) var first: String
    @Argument(help: AnalysisCommands.second) var second: String?

    @Option(
        name: .shortAndLong,
        help: ArgumentHelp("File to write the page to; - is standard output.", valueName: "report.html"))
    var output: String

    @OptionGroup var options: AnalysisOptions
    @OptionGroup var specOptions: SpecOptions
    @OptionGroup var dataOptions: DataOptions
    @OptionGroup var runOptions: RunOptions

    func validate() throws {
        if options.json { throw ValidationError("--json is for the commands that ask one kind of question.") }
        if options.csv != nil {
            throw ValidationError("--csv is for the commands that ask one kind of question.")
        }
    }

    mutating func run() throws {
        let session = CommandSession(runOptions)
        let inputs = try InputFiles(first, second, of: "report", takesModel: true)
        let asked = try options.analyses(.default, of: Set(AnalysisTopic.allCases))
        let analyses = options.only.isEmpty ? asked.filter { type(of: $0).isPartOfReports } : asked
        var files = CommandFiles()
        files.reads("the spec or model", inputs.spec)
        files.reads("the data file", inputs.data)
        files.writes("-o", output)
        if output != "-" { files.writesStandardOutput() }
        try files.check()
        try OutputFile.requireWritable(output)
        let run = AnalysisRun(
            command: "report", topics: [], options: options, specOptions: specOptions,
            dataOptions: dataOptions,
            runOptions: runOptions)
        let report = try run.answer(analyses, inputs, session)
        try OutputFile.write(Array(report.html().utf8), to: output)
        if output != "-" {
            try session.report(report.summary())
            for failure in report.failures where failure.name != options.unanswered(report)?.name {
                session.note("\(failure.name): \(failure.error.description)")
            }
            session.note(
                "report of \(NumberText.counted(report.results.count, "analysis", plural: "analyses")) written to \(output)"
            )
        }
        // The report says so as well.
        if let failure = options.unanswered(report) { throw failure.error }
    }
}
