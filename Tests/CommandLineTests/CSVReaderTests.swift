import CausalAnalysis
import Reporting
import MetaLearnersCore
import Testing

import metalearners_cli

@Suite("CSV files")
struct CSVReaderTests {
    private func read(_ text: String) throws(MetaLearnersError) -> Table {
        try CSVReader().read(ByteSource(Array(text.utf8), name: "t.csv"))
    }

    private func error(of text: String) -> MetaLearnersError? {
        do throws(MetaLearnersError) {
            _ = try read(text)
            return nil
        } catch {
            return error
        }
    }

    /// The cells of a column: numbers by their fewest digits, levels, nil for missing.
    private func cells(_ table: Table, _ name: String) throws -> [String?] {
        let column = try #require(table.column(named: name))
        if let levels = column.levels, let codes = column.codes() {
            return codes.map { $0 < 0 ? nil : levels[Int($0)] }
        }
        return column.values.doubles().map { $0.isNaN ? nil : NumberText.shortest($0) }
    }

    @Test("A header of very many columns is read, and a name that comes twice is still found")
    func manyColumns() throws {
        let names = (0..<100_000).map { "c\($0)" }
        let row = String(repeating: "1,", count: names.count - 1) + "2\n"
        let text = names.joined(separator: ",") + "\n" + row + row
        let table = try CSVReader().read(ByteSource(Array(text.utf8), name: "wide.csv"))
        #expect(table.columns.count == names.count)
        #expect(table.columns.last?.values.doubles() == [2, 2])
        let twice = names.joined(separator: ",") + ",c7\n" + row
        let error = #expect(throws: MetaLearnersError.self) {
            try CSVReader().read(ByteSource(Array(twice.utf8), name: "wide.csv"))
        }
        #expect(error?.problem == "columns 8 and 100001 are both called 'c7'")
    }

    @Test("A file that holds a NUL is no text")
    func holdsNUL() {
        let error = #expect(throws: MetaLearnersError.self) {
            try CSVReader().read(ByteSource(Array("a,b\n1,\u{0}\n".utf8), name: "x.csv"))
        }
        #expect(error?.problem.contains("NUL") == true)
    }

    @Test("LF, CR LF, CR, a byte-order mark, blank lines and a missing last line end make no difference")
    func lineEndsMakeNoDifference() throws {
        let plain = "a,b\n1,x\n2,y\n"
        let variants = [
            plain.replacing("\n", with: "\r\n"), plain.replacing("\n", with: "\r"), "\u{FEFF}" + plain,
            "a,b\n\n1,x\n\n\n2,y\n\n", "a,b\n1,x\n2,y", " a , b \n 1 ,x\n2, y \n",
            "\"a\",\"b\"\n\"1\",\"x\"\n\"2\",\"y\"\n",
        ]
        for variant in variants {
            let table = try read(variant)
            #expect(table.columns.map(\.name) == ["a", "b"], "\(variant.debugDescription)")
            #expect(try cells(table, "a") == ["1", "2"])
            #expect(try cells(table, "b") == ["x", "y"])
        }
    }

    @Test("quoted fields keep separators, line ends, blanks and doubled quotation marks")
    func quotedFieldsKeepTheirText() throws {
        let table = try read("name,\"n,1\"\n\"a,b\",1\n\"two\nlines\",2\n\" say \"\"hi\"\" \",3\n")
        #expect(table.columns.map(\.name) == ["name", "n,1"])
        #expect(try cells(table, "name") == ["a,b", "two\nlines", " say \"hi\" "])
        #expect(try cells(table, "n,1") == ["1", "2", "3"])
    }

    @Test("empty fields, NA, NaN and null are missing in numbers and in categories")
    func missingValues() throws {
        let table = try read("a,b\n1,x\n,\nNA,NA\nNaN,NaN\nnan,nan\nnull,null\n\"\",\"\"\n2,y\n")
        let missing = [String?](repeating: nil, count: 6)
        #expect(try cells(table, "a") == ["1"] + missing + ["2"])
        #expect(try cells(table, "b") == ["x"] + missing + ["y"])
        #expect(table.column(named: "a")?.levels == nil)
    }

    @Test("a column is numeric where every field is a number, infinities included, and text otherwise")
    func typesAreInferredOverTheWholeFile() throws {
        let table = try read("n,t,b,h,e\n1e-3,1,true,0x10,\n-.5,2,false,1,\n+7.,x,TRUE,2,\ninf,3,true,3,\n")
        #expect(try cells(table, "n") == ["0.001", "-0.5", "7", "inf"])
        #expect(table.column(named: "t")?.levels == ["1", "2", "3", "x"])
        #expect(table.column(named: "b")?.levels == ["TRUE", "false", "true"])
        #expect(table.column(named: "h")?.levels == ["0x10", "1", "2", "3"])
        #expect(try cells(table, "e") == [nil, nil, nil, nil])
        #expect(table.column(named: "e")?.levels == nil)
    }

    @Test("a column that turns to text late keeps its first fields as they were written")
    func earlierFieldsAreRecoveredAsWritten() throws {
        var text = "id,code,other\n"
        var expected: [String?] = []
        for row in 0..<3000 {
            let field = row % 7 == 0 ? "" : row % 3 == 0 ? "0\(row)" : "\(row).50"
            text += "\(row),\(field),\(row < 10 ? "NA" : "k\(row % 3)")\n"
            expected.append(field.isEmpty ? nil : field)
        }
        // Nearly all fields as numbers would make the others mistakes.
        for row in 3000..<3400 { text += "\(row),late,k\(row % 3)\n" }
        text += "3400,1.0,k1\n"
        expected += [String?](repeating: "late", count: 400) + ["1.0"]
        let table = try read(text)
        #expect(try cells(table, "code") == expected)
        #expect(try cells(table, "other") == (0..<3401).map { $0 < 10 ? nil : "k\($0 % 3)" })
        #expect(table.column(named: "id")?.values.element == .int16)
    }

    @Test("numbers survive the narrow types that they are kept in, across blocks of different types")
    func narrowTypesKeepNumbersExact() throws {
        var stream = RandomStream(seed: 3)
        let kinds: [(inout RandomStream) -> Double] = [
            { Double($0.integer(below: 200)) - 100 }, { Double($0.integer(below: 60_000)) - 30_000 },
            { Double($0.integer(below: 1 << 31)) * 4 - 4e9 }, { Double($0.integer(below: 100)) / 4 },
            { $0.uniform() * 1e-5 }, { _ in .nan },
        ]
        for first in kinds {
            for second in kinds {
                let numbers = (0..<700).map { _ in first(&stream) } + (0..<700).map { _ in second(&stream) }
                let rows = numbers.map { "\(NumberText.shortest($0)),1" }.joined(separator: "\n")
                let read = try read("a,b\n" + rows).column(named: "a")?.values.doubles() ?? []
                #expect(read.count == numbers.count)
                #expect(zip(read, numbers).allSatisfy { $0 == $1 || ($0.isNaN && $1.isNaN) })
            }
        }
    }

    @Test("pieces of any size give the same table")
    func piecesMakeNoDifference() throws {
        var text = "a,b\r\n"
        for row in 0..<40_000 { text += "\(row),\"level \(row % 11)\r\n\"\r\n" }
        let table = try read(text)
        #expect(table.rowCount == 40_000)
        #expect(try cells(table, "a").last == "39999")
        #expect(table.column(named: "b")?.levels?.count == 11)
    }

    @Test("texts that differ in how their characters are composed are one level")
    func composedCharactersAreOneLevel() throws {
        let table = try read("a,b\ncaf\u{E9},1\ncafe\u{301},2\n")
        #expect(table.column(named: "a")?.levels?.count == 1)
    }

    @Test(
        "what is no table is refused, naming the line",
        arguments: [
            ("", "t.csv: the file is empty"), ("\n\n", "t.csv: the file is empty"),
            ("a,b\n", "t.csv: the file has a header and no rows"),
            ("a,b", "t.csv: the file has a header and no rows"),
            ("a,b\n1,2\n\n3\n", "t.csv, line 4: the row has 1 field where the header has 2"),
            ("a,b\r\n1,2\r\n3,4,5\r\n", "t.csv, line 3: the row has 3 fields where the header has 2"),
            ("a,b\n\"x\ny\",2\n3\n", "t.csv, line 4: the row has 1 field where the header has 2"),
            ("a,b,a\n1,2,3\n", "t.csv, line 1: columns 1 and 3 are both called 'a'"),
            (",b\n1,2\n", "t.csv, line 1: column 1 has no name"),
            ("a,b\n1,2\n3,\"4\n5,6\n", "t.csv, line 3: the file ends within a quoted field"),
            ("a,b\n1,2\n3,4\"5\n", "t.csv, line 3: a quotation mark stands where none may"),
        ])
    func badFilesAreRefused(_ text: String, _ message: String) throws {
        let error = try #require(self.error(of: text))
        #expect(error.kind == .invalidData)
        #expect(error.description.hasPrefix(message), "\(error)")
    }

    @Test("text that is not UTF-8 is refused, naming the line")
    func otherEncodingsAreRefused() {
        let latin = Array("a,b\n1,x\n2,".utf8) + [0xE9, 0x0A]
        #expect(
            throws: MetaLearnersError(
                .invalidData, at: "t.csv, line 3", "the text is not UTF-8", remedy: "save the file in UTF-8")
        ) {
            try CSVReader().read(ByteSource(latin, name: "t.csv"))
        }
        #expect(throws: MetaLearnersError.self) {
            try CSVReader().read(ByteSource([0xFF, 0xFE, 0x61, 0], name: "t.csv"))
        }
    }

    @Test("every prefix of a file and every damaged byte gives a table or an error, never a trap")
    func damagedFilesNeverTrap() {
        let bytes = Array("a,b,c\n1,\"x\"\"y\",NA\r\n2.5e3,\"z\nw\",-7\n,é,1e400\n".utf8)
        for count in bytes.indices {
            _ = try? CSVReader().read(ByteSource(Array(bytes[..<count]), name: "t.csv"))
            for byte: UInt8 in [0, 0x0A, 0x22, 0x2C, 0xFF] {
                var damaged = bytes
                damaged[count] = byte
                _ = try? CSVReader().read(ByteSource(damaged, name: "t.csv"))
            }
        }
    }

    @Test("the file called .tsv is separated by tabs, and reading can be cancelled")
    func tabsAndCancellation() throws {
        let folder = try TemporaryFolder()
        let path = try folder.file("t.tsv", "a\tb\n1\tx,5\n")
        let table = try CSVReader().read(path)
        #expect(table.columns.map(\.name) == ["a", "b"])
        #expect(table.column(named: "b")?.levels == ["x,5"])
        #expect(throws: MetaLearnersError(.cancelled, "the work was cancelled")) {
            try CSVReader { _, _ in false }.read(path)
        }
    }
}
