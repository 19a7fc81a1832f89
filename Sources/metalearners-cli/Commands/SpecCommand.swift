import ArgumentParser
import MetaLearners
import MetaLearnersCore
import MetaLearnersKit

/// `metalearners spec`.
struct SpecCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "spec", abstract: "Print a complete, commented spec with every default.")

    @Flag(help: "Print the spec as JSON, without comments.")
    var json = false

    @OptionGroup var specOptions: SpecOptions
    @OptionGroup var runOptions: RunOptions

    mutating func run() throws {
        let session = CommandSession(runOptions)
        let spec = try specOptions.apply(to: .null, seed: runOptions.seed)
        let registry = try runOptions.registry()
        let complete = try MetaLearnerFitter(spec, registry: registry).completeSpec
        if json {
            try session.print(complete.json(indented: true) + "\n")
        } else {
            try session.print(SpecDocument.text(of: complete, registry: registry.estimators))
        }
    }
}
