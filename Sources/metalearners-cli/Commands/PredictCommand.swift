import ArgumentParser
import MetaLearners
import MetaLearnersCore

/// `metalearners predict`.
struct PredictCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "predict", abstract: "Predict the effect of each row of a CSV file.")

    @Argument(help: "Model file that 'fit' saved.")
    var model: String

    @Argument(help: "CSV file with the columns that the model was trained on; - reads standard input.")
    var data: String

    @Option(
        name: .shortAndLong,
        help: ArgumentHelp("File to write the effects to; - is standard output.", valueName: "out.csv"))
    var output: String

    @OptionGroup var runOptions: RunOptions

    mutating func run() throws {
        let session = CommandSession(runOptions)
        let model = try CATEModel(contentsOf: model, registry: runOptions.registry())
        try OutputFile.requireWritable(output)
        let path = data
        let (table, _) = try session.timed { () throws(MetaLearnersError) in try session.readTable(path) }
        let (prediction, _) = try session.timed { () throws(MetaLearnersError) in
            try model.predict(table, session.execution)
        }
        session.warn(prediction.warnings)
        try EffectFile.write(prediction.effects, model, to: output)
        if output != "-" {
            session.note("effects of \(NumberText.counted(table.rowCount, "row")) written to \(output)")
        }
    }
}
