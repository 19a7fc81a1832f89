import ArgumentParser
import MetaLearners
import MetaLearnersCore

/// `metalearners backends`.
struct BackendsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "backends", abstract: "List the base learners: version, where found, what they can do.",
        discussion: """
            Plug-ins are loaded from the files and folders in METALEARNERS_PLUGIN_PATH, from --plugin and from a spec's \
            'plugins'.
            """)

    @Flag(help: "Show how each follows the parameters that base learners have in common.")
    var parameters = false

    @Flag(help: "Print the list as JSON.")
    var json = false

    @OptionGroup var runOptions: RunOptions

    mutating func run() throws {
        let session = CommandSession(runOptions)
        let registry = try runOptions.registry().estimators
        session.warn(registry.problems.map(\.description))
        if json {
            try session.print(registry.specValue(parameters: parameters).json(indented: true) + "\n")
        } else if parameters {
            try session.print(BackendTables.parameters(registry))
        } else {
            try session.print(BackendTables.backends(registry))
        }
    }
}
