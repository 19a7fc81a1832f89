import MetaLearnersCore
import Testing

@Suite("Columns and tables")
struct TableTests {
    @Test("Texts become sorted levels, nil is missing")
    func categories() {
        let column = Column("c", categories: ["b", nil, "a", "b"])
        #expect(column.levels == ["a", "b"])
        #expect(column.codes() == [1, -1, 0, 1])
        #expect(column.selecting([3, 1]).codes() == [1, -1])
    }

    @Test("Numbers become levels in numeric order; labels have no needless fraction")
    func numbersAsCategories() {
        let column = Column("c", [10, 9, .nan, -1.5, 9]).asCategorical()
        #expect(column.levels == ["-1.5", "9", "10"])
        #expect(column.codes() == [2, 1, -1, 0, 1])
        #expect(Column.label(of: 1e15) == "1000000000000000")
        #expect(Column.label(of: -0.0) == "0")
        #expect(Column.label(of: 0.1) == "0.1")
    }

    @Test("Codes outside the levels are missing, whatever their type")
    func strangeCodes() {
        let codes = StridedValues([0, 1, 2, -1, .nan, .infinity, -.infinity, 1e300])
        #expect(Column("c", codes: codes, levels: ["a", "b"]).codes() == [0, 1, -1, -1, -1, -1, -1, -1])
        #expect(Column("c", [1, 2]).codes() == nil)
    }

    @Test("Columns of different length, of the same name, and negative or huge counts are refused")
    func errors() {
        func message(_ body: () throws -> Table) -> String? {
            #expect(throws: MetaLearnersError.self, performing: { _ = try body() })?.description
        }
        #expect(
            message { try Table([Column("a", [1, 2]), Column("b", [1])]) }
                == "column 'b': has 1 rows where the others have 2")
        #expect(
            message { try Table([Column("a", [1]), Column("a", [2])]) }
                == "column 'a': occurs twice; rename one of them")
        #expect(message { try Table([Column("a", [1])], rowCount: 2) } != nil)
        #expect(message { try Table([], rowCount: -1) } != nil)
        #expect(message { try Table([], rowCount: .max) }?.contains("2147483647") == true)
    }

    @Test("A column that is not there is named with the nearest one, or with the list")
    func requiredColumn() throws {
        let table = try Table([Column("income", [1]), Column("age", [2])])
        #expect(try table.requiredColumn("age", for: "data.outcome").name == "age")
        let near = #expect(throws: MetaLearnersError.self) {
            try table.requiredColumn("incme", for: "data.outcome")
        }
        #expect(near?.description == "data.outcome: there is no column 'incme'; did you mean 'income'?")
        let far = #expect(throws: MetaLearnersError.self) {
            try table.requiredColumn("qqqqqqqq", for: "data.outcome")
        }
        #expect(far?.remedy == "the columns are income, age")
    }

    @Test("Selecting and appending keep names, kinds and values")
    func selecting() throws {
        let table = try Table([Column("a", [1, 2, .nan]), Column("b", categories: ["x", "y", "x"])])
        #expect(table.hasMissingValues)
        let rows = table.selecting(rows: [1, 0])
        #expect(rows.rowCount == 2)
        #expect(rows.columns[0].values.doubles() == [2, 1])
        #expect(rows.columns[1].levels == ["x", "y"])
        #expect(!rows.hasMissingValues)
        let more = table.selecting(columns: [1]).appending(Column("c", [7, 8, 9]))
        #expect(more.columns.map(\.name) == ["b", "c"])
        #expect(more.column(named: "c")?.values[2] == 9)
        #expect(more.column(named: "a") == nil)
    }
}
