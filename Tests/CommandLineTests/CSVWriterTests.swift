import Foundation
import MetaLearnersCore
import MetaLearnersKit
import Testing

import metalearners_cli

@Suite("Writing CSV files")
struct CSVWriterTests {
    @Test("what is written reads back as the same bits, under the same names")
    func writtenNumbersReadBack() throws {
        let folder = try TemporaryFolder()
        var stream = RandomStream(seed: 5)
        let names = ["cate_a,b", "cate_\"q\"", "plain", " blank"]
        let columns = names.map { _ in
            (0..<500).map { _ in (stream.uniform() - 0.5) * 1e3 } + [.nan, -0.25, 1e300]
        }
        let path = folder.path("out.csv")
        try CSVWriter.write(names, columns, to: path)
        let table = try CSVReader().read(path)
        #expect(table.columns.map(\.name) == names)
        for (column, expected) in zip(table.columns, columns) {
            #expect(zip(column.values.doubles(), expected).allSatisfy { $0 == $1 || ($0.isNaN && $1.isNaN) })
        }
        #expect(try folder.names() == ["out.csv"], "no temporary file is left")
    }

    @Test("a missing value alone in its row is not a blank line")
    func missingValueAlone() throws {
        let folder = try TemporaryFolder()
        let path = folder.path("out.csv")
        try CSVWriter.write(["cate"], [[1, .nan, 2]], to: path)
        #expect(try folder.text("out.csv") == "cate\n1\nNA\n2\n")
    }

    @Test("a file that cannot be written is an error, and what is no regular file stays what it is")
    func otherTargets() throws {
        #expect(throws: MetaLearnersError.self) {
            try CSVWriter.write(["a"], [[1]], to: "/nowhere/at/all.csv")
        }
        #expect(throws: MetaLearnersError.self) { try CSVWriter.write(["a"], [[1]], to: "/") }
        try CSVWriter.write(["a"], [[1]], to: "/dev/null")
        let type = try FileManager.default.attributesOfItem(atPath: "/dev/null")[.type] as? FileAttributeType
        #expect(type == .typeCharacterSpecial)
    }
}
