import ArgumentParser
import MetaLearners
import MetaLearnersCore
import MetaLearnersKit

/// `metalearners inspect`.
struct InspectCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "inspect",
        abstract: "Show what is in a model file: spec, columns, arms, models and their sizes.")

    @Argument(help: "Model file that 'fit' saved.")
    var model: String

    @Flag(help: "Print it as JSON.")
    var json = false

    @OptionGroup var runOptions: RunOptions

    mutating func run() throws {
        let session = CommandSession(runOptions)
        var files = CommandFiles()
        files.reads("the model", model)
        files.writesStandardOutput()
        try files.check()
        let model = try CATEModel(contentsOf: model, registry: runOptions.registry())
        try session.print(
            json ? model.inspection.json(indented: true) + "\n" : InspectionReport(model: model).text)
    }
}
