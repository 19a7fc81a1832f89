import ArgumentParser

/// What every command takes.
struct RunOptions: ParsableArguments {
    @Option(help: ArgumentHelp("Threads to use at most (default: all processors).", valueName: "n"))
    var threads: Int?

    @Option(help: ArgumentHelp("Seed of everything drawn at random, in place of the spec's.", valueName: "n"))
    var seed: Int?

    @Flag(help: "No progress bar, no messages, no warnings: errors alone.")
    var quiet = false

    func validate() throws {
        if let threads, threads < 1 { throw ValidationError("--threads must be at least 1.") }
        if let seed, seed < 0 { throw ValidationError("--seed must not be negative.") }
    }
}
