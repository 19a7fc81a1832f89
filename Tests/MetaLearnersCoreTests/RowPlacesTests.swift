import MetaLearnersCore
import Testing

@Suite("Names of rows")
struct RowPlacesTests {
    @Test("Rows of arrays are called by their index from 0, rows of files by their line from 1")
    func names() {
        #expect(RowPlaces().name(6) == "row index 6")
        // Row 3 stands after a blank line, row 5 after a field of three lines.
        let file = RowPlaces(runs: [.init(row: 0, line: 2), .init(row: 3, line: 6), .init(row: 5, line: 10)])
        #expect(
            [0, 2, 3, 4, 5, 9].map(file.name) == [
                "line 2", "line 4", "line 6", "line 7", "line 10", "line 14",
            ])
    }

    @Test("Chosen rows keep the names that they had, in errors of the dataset too")
    func chosen() throws {
        let file = RowPlaces(runs: [.init(row: 0, line: 2)])
        let table = try Table([Column("x", [1, 2, 3, 4])], places: file)
        let chosen = table.selecting(rows: [1, 3]).selecting(rows: [1])
        #expect(chosen.places.name(0) == "line 5")
        #expect(chosen.appending(Column("z", [0])).selecting(columns: [1]).places.name(0) == "line 5")
        let rows = try Table(
            [
                Column("w", [0, 1, 0, 1]), Column("y", [.nan, 1, 2, 3]),
                Column("x", [.infinity, 1, .infinity, 2]),
            ], places: file)
        let error = #expect(throws: MetaLearnersError.self) {
            try CausalDataset(rows, DataSpec(["treatment": "w", "outcome": "y", "missing_outcome": "drop"]))
        }
        #expect(
            error?.description.hasPrefix("column 'x': 1 of 3 values are infinite, the first is line 4")
                == true)
        let task = #expect(throws: MetaLearnersError.self) {
            try TrainingTask(features: rows, rows: [0, 1], target: [1, .nan, 0, 0])
        }
        #expect(task?.description == "target: line 3 has nan")
    }
}
