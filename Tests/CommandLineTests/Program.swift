import Foundation
import MetaLearnersCore
import Testing

/// The built program, run as a process of its own.
struct Program {
    /// What a run gave.
    struct Outcome {
        let status: Int32
        let output: String
        let error: String
        /// The signal that ended the program, whose status is -1 then; 0 where none did.
        var signal: Int32 = 0

        /// The output as JSON.
        func json() throws -> SpecObject {
            try #require(try SpecValue(json: Array(output.utf8), source: "output").objectValue)
        }
    }

    /// Beside the bundle of the tests' resources, where the build puts everything.
    static let executable = Bundle.module.bundleURL.deletingLastPathComponent()
        .appendingPathComponent("metalearners-cli").path

    /// Runs the program to its end.
    static func run(_ arguments: [String], input: String? = nil) throws -> Outcome {
        try run(executable, arguments, input: input)
    }

    /// Starts the program, feeds it some input, and interrupts it while it waits for more.
    static func interrupt(_ arguments: [String], input: String) throws -> Outcome {
        try run(executable, arguments, input: input, interrupting: true)
    }

    /// Runs a line of shell to its end.
    static func shell(_ line: String) throws -> Outcome { try run("/bin/sh", ["-c", line], input: nil) }

    private static func run(_ path: String, _ arguments: [String], input: String?, interrupting: Bool = false)
        throws
        -> Outcome
    {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: path)
        process.arguments = arguments
        process.environment = ProcessInfo.processInfo.environment.merging(
            ["COLUMNS": "100", "SWIFT_BACKTRACE": "enable=no"], uniquingKeysWith: { $1 })
        let output = Pipe()
        let error = Pipe()
        let stdin = Pipe()
        process.standardOutput = output
        process.standardError = error
        process.standardInput = stdin
        try process.run()
        if let input { stdin.fileHandleForWriting.write(Data(input.utf8)) }
        // More input than a pipe holds: once it is written, the program has begun to read.
        if interrupting { process.interrupt() } else { try stdin.fileHandleForWriting.close() }
        // What a test prints to standard error fits into a pipe; standard output may be longer.
        let written = output.fileHandleForReading.readDataToEndOfFile()
        let said = error.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return Outcome(
            status: process.terminationReason == .exit ? process.terminationStatus : -1,
            output: String(decoding: written, as: UTF8.self), error: String(decoding: said, as: UTF8.self),
            signal: process.terminationReason == .exit ? 0 : process.terminationStatus)
    }
}
