import ArgumentParser
import MetaLearners
import MetaLearnersCore
import MetaLearnersKit
import PluginEstimators

/// What every command takes.
struct RunOptions: ParsableArguments {
    @Option(help: ArgumentHelp("Threads to use at most (default: all processors).", valueName: "n"))
    var threads: Int?

    @Option(help: ArgumentHelp("Seed of everything drawn at random, in place of the spec's.", valueName: "n"))
    var seed: Int?

    @Option(
        name: .customLong("memory"),
        help: ArgumentHelp(
            "Memory that fits may take beside the data, in MiB (default: no limit).", valueName: "mib"))
    var memory: Int?

    @Flag(help: "Nothing but errors and what is asked for: no report, progress bar, message or warning.")
    var quiet = false

    @Option(
        name: .customLong("plugin"), parsing: .singleValue,
        help: ArgumentHelp(
            "Shared library with a base learner of its own. May be repeated.", valueName: "library"))
    var plugins: [String] = []

    /// The base learners: those built in, the plug-ins of the environment, and those of the command line.
    ///
    /// - Throws: `inputOutput`, `unsupported` or `invalidArgument` for a library that is no plug-in.
    func registry() throws(MetaLearnersError) -> Registry {
        try Registry.default.loadingPlugins(at: plugins)
    }

    func validate() throws {
        if let threads, threads < 1 { throw ValidationError("--threads must be at least 1.") }
        if let memory, memory < 1 || memory > 1 << 40 {
            throw ValidationError("--memory must be at least 1.")
        }
        if let seed, seed < 0 { throw ValidationError("--seed must not be negative.") }
    }
}
