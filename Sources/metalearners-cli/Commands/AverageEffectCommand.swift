import ArgumentParser
import CausalAnalysis
import MetaLearners
import MetaLearnersCore
import MetaLearnersKit

/// `metalearners ate`.
struct AverageEffectCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ate", abstract: "Estimate the average effect of each arm, with its interval.",
        discussion: """
            With a model, its estimates on the rows that it was fitted to are out of fold; for other rows its models \
            predict. With a spec, the learner is fitted first.
            """)

    @Argument(help: "Spec file, or model file that 'fit' saved.")
    var specOrModel: String

    @Argument(help: "CSV file with a header; - reads standard input.")
    var data: String

    @Option(help: "Over whom to average: all rows (ate) or those in the arm (att).")
    var estimand: Estimand = .ate

    @Option(help: ArgumentHelp("The level of the intervals, between 0 and 1.", valueName: "share"))
    var level = AverageEffect.standardLevel

    @Flag(help: "Print the results as JSON.")
    var json = false

    @OptionGroup var specOptions: SpecOptions
    @OptionGroup var runOptions: RunOptions

    func validate() throws {
        if specOrModel == "-", data == "-" {
            throw ValidationError("Only one of spec and data can be standard input.")
        }
        guard level > 0, level < 1 else {
            throw ValidationError(
                "--level is \(level), must be: number, 0 < x < 1 (0.95 for intervals of 95 %).")
        }
    }

    mutating func run() throws {
        let session = CommandSession(runOptions)
        let (estimates, rows, learner) =
            try isModel() ? withModel(session) : withSpec(session)
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

    /// Whether the file is a model, by its first bytes.
    private func isModel() throws(MetaLearnersError) -> Bool {
        if specOrModel == "-" { return false }
        var start: [UInt8] = []
        let source = try ByteSource(path: specOrModel, kind: .invalidSpec)
        try source.forEachPiece { piece throws(MetaLearnersError) in
            start += piece.prefix(CATEModel.magic.count - start.count)
            return start.count < CATEModel.magic.count
        }
        return start == CATEModel.magic
    }

    private func withModel(_ session: CommandSession) throws -> Result {
        guard specOptions.overrides.isEmpty else {
            throw ValidationError("--set changes a spec, and '\(specOrModel)' is a fitted model.")
        }
        let model = try CATEModel(contentsOf: specOrModel, registry: runOptions.registry())
        let (dataset, _) = try session.timed { () throws(MetaLearnersError) in
            if let training = trainingRows(of: model, session) { return training }
            return try CausalDataset(
                session.readTable(data, ColumnRules(training: model.schema, model.spec.data)),
                model.spec.data)
        }
        session.warn(dataset.warnings)
        return try estimates(model, dataset, session)
    }

    /// The rows that the model was fitted to, where the file has them: read as they were for the fit, whose levels and
    /// columns came from the file alone. Nil for other rows; standard input can be read only once and is taken for such.
    private func trainingRows(of model: CATEModel, _ session: CommandSession) -> CausalDataset? {
        guard data != "-", let record = model.training,
            let table = try? session.readTable(data, ColumnRules(model.spec.data)),
            table.rowCount >= record.outcome.count,
            let dataset = try? CausalDataset(table, model.spec.data),
            dataset.fingerprint(Scheduler(session.execution).context) == record.fingerprint
        else { return nil }
        return dataset
    }

    private func withSpec(_ session: CommandSession) throws(MetaLearnersError) -> Result {
        let fitter = try MetaLearnerFitter(
            specOptions.load(specOrModel, seed: runOptions.seed), registry: runOptions.registry())
        let (dataset, _) = try session.timed { () throws(MetaLearnersError) in
            try CausalDataset(session.readTable(data, ColumnRules(fitter.spec.data)), fitter.spec.data)
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

extension Estimand: ExpressibleByArgument {}
