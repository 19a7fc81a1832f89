import Foundation
import Testing

@Suite("Help texts")
struct HelpTests {
    @Test(
        "help says what its snapshot says",
        arguments: [
            "", "fit", "predict", "explain", "ate", "backends", "spec", "inspect", "check", "effects",
            "evaluate", "policy", "refute", "report", "analyses", "target", "generate", "compare",
            "export", "tune",
        ])
    func helpIsAsBefore(_ command: String) throws {
        let name = command.isEmpty ? "help" : "help_" + command
        let url = Bundle.module.bundleURL.appendingPathComponent("Fixtures/\(name).txt")
        let expected = try String(contentsOf: url, encoding: .utf8)
        let run = try Program.run((command.isEmpty ? [] : [command]) + ["--help"])
        #expect(run.status == 0)
        #expect(run.error == "")
        #expect(run.output == expected)
    }
}
