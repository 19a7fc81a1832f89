import ArgumentParser
import CausalAnalysis
import MetaLearners
import MetaLearnersCore
import MetaLearnersKit

/// `metalearners ate`.
struct AverageEffectCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ate", abstract: "Estimate the average effect of each arm, with its interval.",
        usage: "metalearners ate [<spec-or-model>] <data> [<options>]",
        discussion: """
            A spec is not needed where --treatment and --outcome name the columns. With a model, its estimates on the \
            rows that it was fitted to are out of fold; for other rows its models predict. With a spec, the learner is \
            fitted first.
            """)

    @Argument(
        help: ArgumentHelp("Spec file, or model file that 'fit' saved.", valueName: "spec-or-model"))
    var first: String

    @Argument(help: ArgumentHelp("CSV file with a header; - reads standard input.", valueName: "data"))
    var second: String?

    @Option(
        help:
            "Over whom to average: all rows (ate), those in the arm (att), those in the control (atc), all by their overlap (ato)."
    )
    var estimand: Estimand = .ate

    @Option(help: ArgumentHelp("The level of the intervals, between 0 and 1.", valueName: "share"))
    var level = AverageEffect.standardLevel

    @Flag(help: "Print the results as JSON.")
    var json = false

    @OptionGroup var specOptions: SpecOptions
    @OptionGroup var dataOptions: DataOptions
    @OptionGroup var runOptions: RunOptions

    func validate() throws {
        guard level > 0, level < 1 else {
            throw ValidationError(
                "--level is \(level), must be: number, 0 < x < 1 (0.95 for intervals of 95 %).")
        }
    }

    mutating func run() throws {
        let session = CommandSession(runOptions)
        let inputs = try InputFiles(first, second, of: "ate", takesModel: true)
        var files = CommandFiles()
        files.reads("the spec or model", inputs.spec)
        files.reads("the data file", inputs.data)
        files.writesStandardOutput()
        try files.check()
        let (estimates, rows, learner) = try estimates(inputs, session)
        if json {
            let result: SpecValue = [
                "learner": .string(learner), "rows": .integer(rows),
                "estimates": .array(estimates.map(\.specValue)),
                "warnings": .array(session.warnings.map { .string($0) }),
            ]
            try session.print(result.json(indented: true) + "\n")
        } else {
            try session.print(AverageEffectTable.text(estimates))
        }
    }

    private typealias Result = (estimates: [AverageEffect], rows: Int, learner: String)

    private func estimates(_ inputs: InputFiles, _ session: CommandSession) throws -> Result {
        guard let path = inputs.spec, InputFiles.isModel(path) else {
            return try withSpec(inputs, session)
        }
        if let option = specOptions.firstGiven {
            throw ValidationError("\(option) changes a spec, and '\(path)' is a fitted model.")
        }
        let model = try CATEModel(contentsOf: path, registry: runOptions.registry())
        let options = dataOptions
        let (dataset, _) = try session.timed { () throws(MetaLearnersError) in
            if let training = trainingRows(inputs.data, of: model, session) { return training }
            return try CausalDataset(
                session.readTable(
                    inputs.data, ColumnRules(training: model.schema, model.spec.data), options),
                model.spec.data)
        }
        session.warn(dataset.warnings)
        return try estimates(model, dataset, session)
    }

    /// The rows that the model was fitted to, where the file at `path` has them: read as they were for the fit, whose levels
    /// and columns came from the file alone. Nil for other rows; standard input can be read only once and is taken for such.
    private func trainingRows(_ path: String, of model: CATEModel, _ session: CommandSession)
        -> CausalDataset?
    {
        guard ByteSource.isRegularFile(path), let record = model.training,
            let table = try? session.readTable(path, ColumnRules(model.spec.data), dataOptions),
            table.rowCount >= record.outcome.count,
            let dataset = try? CausalDataset(table, model.spec.data),
            model.isFitted(to: dataset, Scheduler(session.execution).context)
        else { return nil }
        return dataset
    }

    private func withSpec(_ inputs: InputFiles, _ session: CommandSession) throws(MetaLearnersError)
        -> Result
    {
        let fitter = try MetaLearnerFitter(
            specOptions.load(inputs.spec, seed: runOptions.seed), registry: runOptions.registry())
        let options = dataOptions
        let (dataset, _) = try session.timed { () throws(MetaLearnersError) in
            try CausalDataset(
                session.readTable(inputs.data, ColumnRules(fitter.spec.data), options), fitter.spec.data)
        }
        let (model, _) = try session.timed { () throws(MetaLearnersError) in
            try fitter.fit(dataset, session.execution)
        }
        session.warn(model.warnings)
        return try estimates(model, dataset, session)
    }

    private func estimates(_ model: CATEModel, _ dataset: CausalDataset, _ session: CommandSession)
        throws(MetaLearnersError) -> Result
    {
        let (estimates, _) = try session.timed { () throws(MetaLearnersError) in
            try model.averageEffects(estimand, on: dataset, level: level, session.execution)
        }
        return (estimates, dataset.rowCount, model.spec.learner.rawValue)
    }
}

extension Estimand: ExpressibleByArgument {
    /// Names are understood in any case: ATE.
    public init?(argument: String) { self.init(rawValue: argument.lowercased()) }
}
