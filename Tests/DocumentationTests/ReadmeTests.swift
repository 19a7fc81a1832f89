import Foundation
import MetaLearnersCore
import MetaLearnersKit
import Testing

@Suite("The README")
struct ReadmeTests {
    private static let folder = URL(filePath: #filePath).deletingLastPathComponent()
    private static let root = folder.deletingLastPathComponent().deletingLastPathComponent()

    /// The fenced blocks of the README in `language`.
    private static func blocks(_ language: String) throws -> [String] {
        let text = try String(contentsOf: root.appending(path: "README.md"), encoding: .utf8)
        return text.components(separatedBy: "```" + language + "\n").dropFirst().compactMap {
            $0.components(separatedBy: "```").first
        }
    }

    @Test("Its Swift example is the code that the tests compile and run")
    func swiftExampleIsTested() throws {
        let source = try String(
            contentsOf: Self.folder.appending(path: "ReadmeSwiftExample.swift"), encoding: .utf8)
        let body = try #require(source.components(separatedBy: "    // README\n").dropFirst().first)
        let lines = body.split(separator: "\n", omittingEmptySubsequences: false).map {
            $0.hasPrefix("    ") ? String($0.dropFirst(4)) : String($0)
        }
        let imports = "import MetaLearnersKit\n\n"
        #expect(try Self.blocks("swift").first == imports + lines.joined(separator: "\n"))
    }

    @Test("Its Swift example runs, and the loaded model predicts new people")
    func swiftExampleRuns() throws {
        var stream = RandomStream(seed: 3)
        let age = (0..<60).map { _ in 20 + stream.integer(below: 40) }
        let region = (0..<60).map { $0.isMultiple(of: 3) ? "north" : "south" }
        let group = (0..<60).map { $0 % 2 == 0 ? "none" : "coached" }
        let score = (0..<60).map { Double(age[$0]) / 10 + 2 * Double($0 % 2) + stream.uniform() }
        let path = FileManager.default.temporaryDirectory.appending(path: "readme-\(UUID()).model").path
        defer { try? FileManager.default.removeItem(atPath: path) }
        let newPeople = try Table([
            Column("age", [30, 50]), Column("region", categories: ["north", "south"]),
        ])
        let effects = try readmeExample(age, region, group, score, newPeople, path)
        #expect(effects.count == 2)
        #expect(effects.allSatisfy { abs($0 - 2) < 1 })
    }

    @Test("Its C example is the program that the C tests compile and run")
    func cExampleIsTested() throws {
        let program = try String(
            contentsOf: Self.root.appending(path: "examples/c/quickstart.c"), encoding: .utf8)
        #expect(try Self.blocks("c") == [program])
    }
}
