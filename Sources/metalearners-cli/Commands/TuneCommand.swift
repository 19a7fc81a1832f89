import ArgumentParser
import MetaLearners
import MetaLearnersCore
import MetaLearnersKit
import Reporting
import Tuning

/// `metalearners tune`.
struct TuneCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tune",
        abstract: "Search learners, base learners and their parameters for the best effects.",
        usage: "metalearners tune <spec> <data> --output <results> [<options>]",
        discussion: """
            The section 'tuning' of the spec says what is tried. Each nuisance is fitted once for each of its settings, whatever it \
            is combined with. An interrupt leaves what is done, and --resume goes on from there.
            """)

    @Argument(
        help: ArgumentHelp(
            "Spec file with a section 'tuning': .yaml, .yml, .json or .toml.", valueName: "spec"))
    var spec: String

    @Argument(help: ArgumentHelp("CSV file with a header; - reads standard input.", valueName: "data"))
    var data: String

    @Option(
        name: .shortAndLong,
        help: ArgumentHelp(
            "File to write the results to: the table of candidates as .csv, everything as .json.",
            valueName: "results"))
    var output: String

    @Option(
        help: ArgumentHelp("File to write the chosen spec to: .yaml, .yml or .json.", valueName: "spec"))
    var bestSpec: String?

    @Option(
        help: ArgumentHelp("File to save the chosen model to, fitted to all rows.", valueName: "model"))
    var model: String?

    @Option(
        help: ArgumentHelp(
            "Rows to judge by: a CSV file, or the share of the data that is held out (default: out of fold).",
            valueName: "data-or-share"))
    var validation: String?

    @Option(help: ArgumentHelp("Which settings are tried: grid, random or halving.", valueName: "name"))
    var method: String?

    @Option(
        help: ArgumentHelp(
            "staged: the best nuisances, then effects; joint: all combinations.", valueName: "name"))
    var strategy: String?

    @Option(
        help: ArgumentHelp(
            "What effects are judged by: r_loss, dr_loss, x_loss or rate.", valueName: "name"))
    var score: String?

    @Option(help: ArgumentHelp("Settings that are drawn of each role.", valueName: "n"))
    var candidates: Int?

    @Option(help: ArgumentHelp("The learners, separated by commas.", valueName: "names"))
    var learners: String?

    @Flag(help: "Go on with a search that was interrupted, with the same spec, data and output.")
    var resume = false

    @Flag(help: "Print the results as JSON.")
    var json = false

    @OptionGroup var specOptions: SpecOptions
    @OptionGroup var dataOptions: DataOptions
    @OptionGroup var runOptions: RunOptions

    func validate() throws {
        guard ["csv", "json"].contains(SpecLoader.fileExtension(output)) else {
            throw ValidationError("The results go to a file that is called .csv or .json, not '\(output)'.")
        }
        if let bestSpec, !["yaml", "yml", "json"].contains(SpecLoader.fileExtension(bestSpec)) {
            throw ValidationError("The chosen spec goes to a file that is called .yaml, .yml or .json.")
        }
    }

    /// Where what is done is kept until the results are written.
    private var journal: String { output + ".journal" }

    /// The share of --validation; nil where it names a file.
    private var share: Double? { validation.flatMap(Double.init) }

    mutating func run() throws {
        let session = CommandSession(runOptions)
        let registry = try runOptions.registry()
        let (value, tuning) = try TuningSpec.document(document())
        let tuner = try Tuner(MetaLearnerSpec(value, at: .root), tuning, registry: registry)
        try checkFiles(tuner, registry)
        for path in [output, bestSpec, model].compactMap(\.self) { try OutputFile.requireWritable(path) }
        try checkJournal()

        let (dataset, held) = try rows(tuner.spec.data, session)
        session.warn(dataset.warnings)
        let result = try tuner.run(
            dataset, validation: held, journal: TuningJournal(journal, resumes: resume),
            session.searchExecution)
        session.clear()
        session.warn(result.warnings.filter { !dataset.warnings.contains($0) })
        try write(result)
        guard result.isComplete else {
            try session.report(Self.text(result))
            throw MetaLearnersError(
                .cancelled, "the search was interrupted: \(output) has what is done",
                remedy: "go on with --resume")
        }
        if let model {
            try OutputFile.write(
                session.timed { () throws(MetaLearnersError) in
                    try result.fitBest(session.execution)
                }.0.fileBytes(), to: model)
        }
        TuningJournal(journal, resumes: true).remove()
        if json {
            try session.print(result.specValue.json(indented: true) + "\n")
        } else {
            try session.report(Self.text(result))
        }
        session.note("results written to \(output)")
        if let bestSpec, result.bestSpec != nil { session.note("chosen spec written to \(bestSpec)") }
        if let model, result.bestSpec != nil { session.note("chosen model saved to \(model)") }
    }

    /// The document with what the command line changes.
    private func document() throws(MetaLearnersError) -> SpecValue {
        var value = try specOptions.changed(
            SpecPlugins.resolved(SpecLoader.load(spec), besides: spec), seed: runOptions.seed)
        for (key, text) in [("method", method), ("strategy", strategy), ("score", score)] {
            if let text { try SpecOverride("tuning.\(key)", .string(text)).apply(to: &value) }
        }
        if let candidates { try SpecOverride("tuning.candidates", .integer(candidates)).apply(to: &value) }
        if let learners {
            let names = learners.split(separator: ",").map { SpecValue.string($0.filter { $0 != " " }) }
            try SpecOverride("tuning.learners", .array(names)).apply(to: &value)
        }
        if let share { try SpecOverride("tuning.validation_share", .number(share)).apply(to: &value) }
        return value
    }

    private func rows(_ data: DataSpec, _ session: CommandSession) throws -> (CausalDataset, CausalDataset?) {
        func read(_ path: String) throws(MetaLearnersError) -> CausalDataset {
            try session.timed { () throws(MetaLearnersError) in
                try CausalDataset(session.readTable(path, ColumnRules(data), dataOptions), data)
            }.0
        }
        return (try read(self.data), share == nil ? try validation.map(read) : nil)
    }

    /// Checks that nothing is written over what is read.
    private func checkFiles(_ tuner: Tuner, _ registry: Registry) throws(MetaLearnersError) {
        var files = CommandFiles()
        files.reads("the spec", spec)
        files.reads("the data file", data)
        if share == nil { files.reads("the rows of --validation", validation) }
        files.reads(registry.estimators)
        files.writes("-o", output)
        files.writes("the journal of -o", journal)
        files.writes("--best-spec", bestSpec)
        files.writes("--model", model)
        if json || !runOptions.quiet { files.writesStandardOutput() }
        try files.check()
    }

    /// Whoever starts anew must not lose what an interrupted search has done.
    private func checkJournal() throws(MetaLearnersError) {
        guard !resume, ByteSource.isRegularFile(journal), let bytes = try? AtomicFile.read(journal),
            !bytes.isEmpty
        else { return }
        throw MetaLearnersError(
            .invalidArgument, at: journal, "is what an interrupted search has done",
            remedy: "go on with --resume, or remove the file")
    }

    private func write(_ result: TuningResult) throws(MetaLearnersError) {
        let isJSON = SpecLoader.fileExtension(output) == "json"
        let text = isJSON ? result.specValue.json(indented: true) + "\n" : ResultCSV.text(result.table)
        try OutputFile.write(Array(text.utf8), to: output)
        guard let bestSpec, let best = result.bestSpec else { return }
        let value = SpecValue.object(best.archivedValue)
        let spec =
            SpecLoader.fileExtension(bestSpec) == "json"
            ? value.json(indented: true) + "\n" : SpecLines.text(value)
        try OutputFile.write(Array(spec.utf8), to: bestSpec)
    }

    /// What people read.
    private static func text(_ result: TuningResult) -> String {
        var answer = AnalysisResult(analysis: "tune", title: "Search")
        answer.findings = result.findings
        answer.tables = [result.shortTable(15), result.shortNuisanceTable(15)]
        answer.assumptions = [
            "All effects are judged with one set of nuisances: scores are right up to a constant that is the same for all, and noisy where these nuisances are poor."
        ]
        return ResultText.text(answer)
    }
}
