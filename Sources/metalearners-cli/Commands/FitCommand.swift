import ArgumentParser
import CausalAnalysis
import MetaLearners
import MetaLearnersCore
import MetaLearnersKit

/// `metalearners fit`.
struct FitCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "fit", abstract: "Fit a model to a CSV file and report the effects.",
        usage: "metalearners fit [<spec>] <data> --output <model> [<options>]",
        discussion: "A spec is not needed where --treatment and --outcome name the columns.")

    @Argument(help: ArgumentHelp("Spec file: .yaml, .yml, .json or .toml.", valueName: "spec"))
    var first: String

    @Argument(help: ArgumentHelp("CSV file with a header; - reads standard input.", valueName: "data"))
    var second: String?

    @Option(name: .shortAndLong, help: ArgumentHelp("File to save the model to.", valueName: "model"))
    var output: String

    @Option(help: ArgumentHelp("File to write the effect of each row to, out of fold.", valueName: "out.csv"))
    var cates: String?

    @Option(
        help: ArgumentHelp(
            "Model of the same rows whose nuisances are taken over where the spec would fit the same.",
            valueName: "model"))
    var nuisances: String?

    @Flag(
        help:
            "Read the file batch by batch, several times, and keep only the bins of trees: for files larger than memory."
    )
    var stream = false

    @Flag(help: "Print the results as JSON.")
    var json = false

    @OptionGroup var specOptions: SpecOptions
    @OptionGroup var dataOptions: DataOptions
    @OptionGroup var runOptions: RunOptions

    func validate() throws {
        if output == "-" || cates == "-" {
            throw ValidationError("Models and effects go to files: standard output is for the report.")
        }
        guard stream else { return }
        if cates != nil {
            throw ValidationError(
                "--cates needs the rows in memory: leave it out with --stream, and use 'predict'.")
        }
        if !dataOptions.conditions.isEmpty {
            throw ValidationError("--where needs the rows in memory: leave it out with --stream.")
        }
    }

    mutating func run() throws {
        let session = CommandSession(runOptions)
        let files = try InputFiles(first, second, of: "fit", takesModel: false)
        let registry = try runOptions.registry()
        let fitter = try MetaLearnerFitter(
            specOptions.load(files.spec, seed: runOptions.seed), registry: registry)
        try checkFiles(files, fitter, registry)
        try OutputFile.requireWritable(output)
        if let cates { try OutputFile.requireWritable(cates) }

        let other = try Self.read(nuisances, registry)
        let (options, streams) = (dataOptions, stream)
        let ((table, dataset), readSeconds) = try session.timed {
            () throws(MetaLearnersError) -> (Table?, CausalDataset) in
            if streams {
                let source = try session.streamTable(files.data, ColumnRules(fitter.spec.data), options)
                return (
                    nil,
                    try CausalDataset(
                        source, fitter.spec.data, maxBins: fitter.treeBins ?? 255, session.execution)
                )
            }
            let table = try session.readTable(files.data, ColumnRules(fitter.spec.data), options)
            return (table, try CausalDataset(table, fitter.spec.data))
        }
        let (model, fitSeconds) = try session.timed { () throws(MetaLearnersError) in
            let known = try other.map { model throws(MetaLearnersError) in
                try fitter.nuisances(
                    of: model, fittedTo: dataset, session.execution)
            }
            let model = try fitter.fit(dataset, nuisances: known, session.execution)
            if let known { session.note(Self.reused(known, fitter.nuisanceRoles(dataset), model)) }
            return model
        }
        session.warn(model.warnings)
        let outputs = (model: output, effects: cates)
        let (estimates, predictSeconds) = try session.timed { () throws(MetaLearnersError) in
            if let path = outputs.effects, let table {
                let rows = try TrainingPredictions.make(
                    PredictionRequest(), of: table, dataset, rows: .training, model, session)
                session.warn(rows.warnings)
                try CSVWriter.write(rows.names, rows.columns, to: path)
            }
            return model.hasAverageEffects && model.training != nil
                ? try model.averageEffects(.ate, on: nil, session.execution) : []
        }
        try OutputFile.write(model.fileBytes(), to: outputs.model)

        let report = FitReport(
            model: model, dataset: dataset, estimates: estimates,
            seconds: (readSeconds, fitSeconds, predictSeconds), warnings: session.warnings)
        if json {
            try session.print(report.specValue.json(indented: true) + "\n")
        } else {
            try session.report(report.text)
        }
        session.note("model saved to \(output)")
        if let cates { session.note("effects written to \(cates)") }
    }

    /// Checks that nothing is written over what is read.
    private func checkFiles(
        _ inputs: InputFiles, _ fitter: MetaLearnerFitter, _ registry: Registry
    ) throws(MetaLearnersError) {
        var files = CommandFiles()
        files.reads("the spec", inputs.spec)
        files.reads("the data file", inputs.data)
        files.reads("the model of --nuisances", nuisances)
        files.reads(registry.estimators)
        for path in fitter.spec.plugins { files.reads("a plug-in of the spec", path) }
        files.writes("-o", output)
        files.writes("--cates", cates)
        if json || !runOptions.quiet { files.writesStandardOutput() }
        try files.check()
    }

    private static func read(_ path: String?, _ registry: Registry) throws(MetaLearnersError)
        -> CATEModel?
    {
        guard let path else { return nil }
        return try CATEModel(contentsOf: path, registry: registry)
    }

    /// Which nuisances were taken over, and which were not there.
    private static func reused(_ known: NuisanceFit, _ wanted: [NuisanceRole], _ model: CATEModel) -> String {
        let names = wanted.filter(known.roles.contains).map { $0.name(model.armLabels) }
        guard !names.isEmpty else {
            return "no nuisance was taken over: the spec has other models or another seed"
        }
        return "nuisances taken over: " + names.joined(separator: ", ")
    }
}
