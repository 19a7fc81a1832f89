import Foundation
import Testing

@Suite("The Swift example")
struct SwiftExampleTests {
    private func run(_ arguments: String) throws -> Program.Outcome {
        let program = URL(fileURLWithPath: Program.executable).deletingLastPathComponent()
            .appendingPathComponent("swap-backends").path
        return try Program.shell("'\(program)' \(arguments)")
    }

    @Test("it lists the base learners, its own among them")
    func lists() throws {
        let lines = try run("").output.split(separator: "\n")
        #expect(lines.contains { $0.hasPrefix("trees: ") })
        #expect(lines.contains { $0.hasPrefix("median_split: ") })
    }

    @Test("any of them by name estimates the effect, its own with its parameter too")
    func swaps() throws {
        for arguments in ["trees trees=30", "ridge", "median_split", "median_split shrinkage=0.1"] {
            let run = try run(arguments)
            #expect(run.status == 0 && run.error == "")
            #expect(run.output.contains("on average 1.5"), "\(run.output)")
        }
        #expect(try run("median_split").output.contains("at 30 1.0"))
        #expect(try run("no_such").output.contains("unknown backend 'no_such'"))
    }
}
