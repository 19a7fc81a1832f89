import Foundation
import MetaLearnersCore
import Testing

import metalearners_cli

@Suite("Separators, decimals and compression of data files")
struct CSVDialectTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private func read(_ text: String, _ options: CSVDialectOptions = CSVDialectOptions()) throws -> Table {
        try CSVReader(ColumnRules(), options).read(ByteSource(Array(text.utf8), name: "t.csv"))
    }

    private func error(of text: String, _ options: CSVDialectOptions = CSVDialectOptions()) -> String {
        do {
            return "no error: \(try read(text, options).columns.map(\.name))"
        } catch {
            return "\(error)"
        }
    }

    private func expect(
        _ table: Table, _ names: [String], _ numbers: [Double?],
        at location: SourceLocation = #_sourceLocation
    ) {
        #expect(table.columns.map(\.name) == names, sourceLocation: location)
        let read = (table.columns.first?.values.doubles() ?? []).map { $0.isNaN ? nil : $0 }
        #expect(read == numbers, sourceLocation: location)
    }

    @Test("semicolons, tabs and vertical bars are recognised, commas stay commas")
    func separators() throws {
        for mark in [",", ";", "\t", "|"] {
            let text = "a,b\n1.5,x\n2.25,\"y, z; |\"\n".replacing(",", with: mark, maxReplacements: 3)
            expect(try read(text), ["a", "b"], [1.5, 2.25])
            expect(try read(text.replacing("\n", with: "\r\n")), ["a", "b"], [1.5, 2.25])
        }
        // Other marks within fields and names do not count, in whatever number.
        #expect(try read("a;b,c\n1;2,3\n").columns.map(\.levels) == [["1;2"], nil])
        expect(try read("a,b;c;d\n1,x;y\n2,z\n"), ["a", "b;c;d"], [1, 2])
        expect(try read("a;b, c;d\n1;x;2\n2;y, z;3\n"), ["a", "b, c", "d"], [1, 2])
        expect(try read("only\n1\n2\n"), ["only"], [1, 2])
        expect(
            try read("a;b\n" + (0..<5000).map { "\($0);x\n" }.joined()), ["a", "b"],
            (0..<5000).map(Double.init))
    }

    @Test("a row with a field too many does not change what separates the others")
    func brokenRows() {
        #expect(
            error(of: "a;b;c\n1;2;3\n1;2;3;4\n").contains(
                "line 3: the row has 4 fields where the header has 3"))
        #expect(
            error(of: "a,b,c\n1,2,3\n1,2;3\n").contains("line 3: the row has 2 fields where the header has 3")
        )
    }

    @Test("decimal commas are recognised where nothing else can be meant")
    func decimalCommas() throws {
        expect(try read("a;b\n1,5;x\n-0,25;y, z\n3;w\n;v\n"), ["a", "b"], [1.5, -0.25, 3, nil])
        expect(try read("a\tb\n1,5\t1,234\n2,5e3\t2,345\n"), ["a", "b"], [1.5, 2500])
        expect(try read("a;b\n\"1,5\";x\n\"2,5\";y\n"), ["a", "b"], [1.5, 2.5])
        // With points, or in a column of texts, a comma is part of a text.
        expect(try read("a;b\n1.5;1,2,3\n2.5;4,5\n"), ["a", "b"], [1.5, 2.5])
        // In such a file a point is no decimal point.
        #expect(
            error(of: "a;b\n1,5;1.234,5\n2,5;7\n").contains(
                "line 2: column 'b' has '1.234,5', which is no number"))
        let long = "0,12345678901234567890123"
        expect(try read("a;b\n\(long);1\n"), ["a", "b"], [0.12345678901234567890123])
    }

    @Test("where commas may be decimals or thousands, or both marks occur, the user is asked")
    func ambiguousCommas() throws {
        let thousands = "a;b\n1,234;1\n2,345;2\n"
        #expect(
            error(of: thousands).contains(
                "'1,234' (column 'a') may stand before decimals or before thousands"))
        expect(try read(thousands, CSVDialectOptions(decimal: 0x2C)), ["a", "b"], [1.234, 2.345])
        let both = "a;b\n1,5;1.5\n2,5;2.5\n"
        #expect(
            error(of: both).contains(
                "column 'a' has decimal commas ('1,5'), column 'b' has decimal points ('1.5')"))
        #expect(error(of: both).contains("--decimal comma or --decimal point"))
        // Whatever the answer, the other column is then one of odd cells.
        #expect(error(of: both, CSVDialectOptions(decimal: 0x2C)).contains("column 'b' has '1.5'"))
        #expect(error(of: both, CSVDialectOptions(decimal: 0x2C)).contains("--decimal point reads 1234.5"))
        #expect(error(of: both, CSVDialectOptions(decimal: 0x2E)).contains("column 'a' has '1,5'"))
        // In a file of commas, numbers with commas are quoted, and nobody knows what they mean.
        #expect(error(of: "a,b\n\"1,5\",2\n").contains("--decimal comma reads 1234,5"))
        expect(
            try read("a,b\n\"1,5\",2\n", CSVDialectOptions(separator: 0x2C, decimal: 0x2C)), ["a", "b"], [1.5]
        )
    }

    @Test("what is said of a file is followed")
    func namedMarks() throws {
        expect(try read("a:b\n1:2\n", CSVDialectOptions(separator: 0x3A)), ["a", "b"], [1])
        #expect(try read("a;b\n1;2\n", CSVDialectOptions(separator: 0x2C)).columns.map(\.name) == ["a;b"])
    }

    @Test("the program says what it found out, takes names of marks, and gives the same results")
    func commandLine() throws {
        let spec = try folder.file("spec.yaml", Sample.spec)
        let plain = try folder.file("plain.csv", Sample.csv())
        let expected = try Program.run(["ate", spec, plain, "--json"])
        #expect(expected.status == 0 && expected.error == "")
        let german = Sample.csv().replacing(",", with: ";").replacing(".", with: ",")
        let file = try folder.file("german.csv", german)
        let found = try Program.run(["ate", spec, file, "--json"])
        #expect(found.output == expected.output)
        #expect(found.error.contains("fields are separated by semicolons, decimals by commas"))
        for (delimiter, decimal) in [("semicolon", "comma"), (";", ",")] {
            let named = try Program.run(
                ["ate", spec, file, "--json", "--delimiter", delimiter, "--decimal", decimal])
            #expect(named.output == expected.output && named.error == "", "\(named.error)")
        }
        let tabs = try folder.file("tabs.tsv", Sample.csv().replacing(",", with: "\t"))
        let tabbed = try Program.run(["ate", spec, tabs, "--json"])
        #expect(tabbed.output == expected.output && tabbed.error == "")
        for name in ["tab", "\\t"] {
            #expect(
                try Program.run(["ate", spec, tabs, "--json", "--delimiter", name]).output == expected.output)
        }
        // Compressed, whatever it is called, in one part or several, and from a pipe.
        for line in [
            "gzip -c '\(file)' > '\(folder.path("z.csv"))'",
            "(head -c 999 '\(file)' | gzip; tail -c +1000 '\(file)' | gzip; head -c 512 /dev/zero) > '\(folder.path("z.csv"))'",
        ] {
            #expect(try Program.shell(line).status == 0)
            #expect(try Program.run(["ate", spec, folder.path("z.csv"), "--json"]).output == expected.output)
        }
        let piped = try Program.shell("gzip -c '\(plain)' | '\(Program.executable)' ate '\(spec)' - --json")
        #expect(piped.output == expected.output && piped.error == "", "\(piped.error)")
        #expect(try Program.shell("gzip -c '\(tabs)' > '\(folder.path("t.tsv.gz"))'").status == 0)
        #expect(try Program.run(["ate", spec, folder.path("t.tsv.gz"), "--json"]).output == expected.output)
    }

    @Test("damaged gzip data are an error, wherever they are damaged, and never a trap")
    func damagedGzip() throws {
        var text = "a,b\n"
        for row in 0..<3000 { text += "\(row),\(row % 7).25\n" }
        let plain = try folder.file("plain.csv", text)
        #expect(try Program.shell("gzip -c '\(plain)' > '\(folder.path("z"))'").status == 0)
        let bytes = Array(try Data(contentsOf: URL(fileURLWithPath: folder.path("z"))))
        func read(_ bytes: [UInt8]) throws -> Int {
            try CSVReader().read(ByteSource(bytes, name: "z")).rowCount
        }
        #expect(try read(bytes) == 3000)
        #expect(try read(bytes + [0, 0, 0]) == 3000)
        for count in [3, 10, 100, bytes.count / 2, bytes.count - 1] {
            let error = #expect(throws: MetaLearnersError.self) { try read(Array(bytes[..<count])) }
            #expect(
                error?.kind == .invalidData && error?.description.contains("z") == true,
                "\(count): \(String(describing: error))")
        }
        var stream = RandomStream(seed: 4)
        for _ in 0..<300 {
            var damaged = bytes
            damaged[10 + stream.integer(below: bytes.count - 10)] ^= UInt8(1 << stream.integer(below: 8))
            #expect(throws: MetaLearnersError.self) { try read(damaged) }
        }
        #expect(throws: MetaLearnersError.self) { try read(bytes + [1, 2]) }
    }
}
