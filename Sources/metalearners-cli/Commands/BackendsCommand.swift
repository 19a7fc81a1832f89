import ArgumentParser
import MetaLearners
import MetaLearnersCore

/// `metalearners backends`.
struct BackendsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "backends", abstract: "List the base learners: version, where found, what they can do.")

    @Flag(help: "Print the list as JSON.")
    var json = false

    @OptionGroup var runOptions: RunOptions

    mutating func run() throws {
        let session = CommandSession(runOptions)
        let backends = EstimatorRegistry.default.descriptions
        if json {
            let list: [SpecValue] = backends.map { backend in
                [
                    "name": .string(backend.name), "version": .string(backend.version),
                    "location": .string(backend.location), "summary": .string(backend.summary),
                    "capabilities": .array(backend.capabilities.names.map { .string($0) }),
                ]
            }
            let result: SpecValue = ["backends": .array(list)]
            try session.print(result.json(indented: true) + "\n")
            return
        }
        var table = TextTable([
            ("name", .left), ("version", .left), ("found", .left), ("capabilities", .left),
        ])
        for backend in backends {
            table.append([
                backend.name, backend.version, backend.location,
                backend.capabilities.names.joined(separator: ", "),
            ])
        }
        try session.print(table.text())
    }
}
