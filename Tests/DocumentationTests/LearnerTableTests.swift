import Foundation
import MetaLearners
import Testing

@Suite("The documentation of the learners")
struct LearnerTableTests {
    @Test("Its table is the one that the types make")
    func tableIsCurrent() throws {
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let text = try String(contentsOf: root.appending(path: "docs/learners.md"), encoding: .utf8)
        #expect(text.contains("\n\n" + LearnerReference.table + "\n"))
    }
}
