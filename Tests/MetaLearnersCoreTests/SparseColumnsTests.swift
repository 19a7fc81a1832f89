import MetaLearnersCore
import Testing

@Suite struct SparseColumnsTests {
    /// [[0, 7, 0], [0, 0, 0], [1, 0, -2], [0, 3, 0]], its columns in no order, and a zero stored.
    private func matrix() throws -> SparseColumns {
        try SparseColumns(
            rowStarts: [0, 1, 1, 4, 5], columns: [1, 2, 1, 0, 1], values: [7, -2, 0, 1, 3], columnCount: 3)
    }

    @Test("a sparse column reads like the dense one, however it is read")
    func reading() throws {
        let dense: [[Double]] = [[0, 0, 1, 0], [7, 0, 0, 3], [0, 0, -2, 0]]
        let columns = try matrix().columns(names: ["a", "b", "c"])
        for (column, expected) in zip(columns, dense) {
            #expect(column.count == 4)
            #expect(column.values.doubles() == expected)
            #expect((0..<4).map { column.values[$0] } == expected)
            let rows: [Int32] = [3, 0, 0, 2, 1, 3]
            #expect(column.values.doubles(rows) == rows.map { expected[Int($0)] })
            #expect(column.selecting(rows).values.doubles() == rows.map { expected[Int($0)] })
            #expect(column.selecting([2, 3]).values.sparse != nil)
            #expect(column.asCategorical().levels?.count == Set(expected).count)
        }
        #expect(columns.map { $0.values.sparse?.count ?? -1 } == [1, 2, 1])
        #expect(try Table(columns).hasMissingValues == false)
    }

    @Test("rows far apart are found, in any order")
    func longColumn() throws {
        let count = 5000
        let stored = (0..<count).filter { $0 % 97 == 5 }
        var starts = [0]
        for row in 0..<count { starts.append((starts.last ?? 0) + (row % 97 == 5 ? 1 : 0)) }
        let matrix = try SparseColumns(
            rowStarts: starts, columns: stored.map { _ in 0 }, values: stored.map { Double($0) },
            columnCount: 1)
        let values = try matrix.columns()[0].values
        var stream = RandomStream(seed: 1)
        let rows = (0..<3000).map { _ in Int32(stream.integer(below: count)) }
        for order in [rows, rows.sorted()] {
            #expect(values.doubles(order) == order.map { $0 % 97 == 5 ? Double($0) : 0 })
        }
    }

    @Test("a matrix without rows or columns is one")
    func empty() throws {
        #expect(
            try SparseColumns(rowStarts: [0], columns: [], values: [], columnCount: 2).columns().count == 2)
        #expect(
            try SparseColumns(rowStarts: [0, 0], columns: [], values: [], columnCount: 0).columns().isEmpty)
    }

    @Test("whatever does not make a matrix is refused")
    func refused() {
        func isRefused(
            _ starts: [Int], _ columns: [Int], _ values: [Double], _ count: Int = 2
        ) -> Bool {
            (try? SparseColumns(rowStarts: starts, columns: columns, values: values, columnCount: count))
                == nil
        }
        #expect(isRefused([], [], []))
        #expect(isRefused([0, 1], [2], [1]))
        #expect(isRefused([0, 1], [-1], [1]))
        #expect(isRefused([0, 2], [1, 1], [1, 1]))
        #expect(isRefused([0, 1], [0], [.nan]))
        #expect(isRefused([0, 1], [0], [.infinity]))
        #expect(isRefused([0, 2, 1], [0], [1]))
        #expect(isRefused([0, 9, 1], [0], [1]))
        #expect(isRefused([0, Int.max, 1], [0], [1]))
        #expect(isRefused([0, -1, 1], [0], [1]))
        #expect(isRefused([1, 1], [0], [1]))
        #expect(isRefused([0, 1], [0, 1], [1]))
        #expect(isRefused([0], [], [], -1))
        #expect(throws: MetaLearnersError.self) { try matrix().columns(names: ["a"]) }
    }

    @Test("the fingerprint of a dataset depends on what is stored and where")
    func fingerprint() throws {
        func fingerprint(_ starts: [Int], _ values: [Double]) throws -> UInt64 {
            let matrix = try SparseColumns(
                rowStarts: starts, columns: [0, 0], values: values, columnCount: 1)
            let table = try Table(
                matrix.columns() + [Column("w", [0, 1, 0, 1]), Column("y", [1, 2, 3, 4])])
            let spec = try DataSpec(["treatment": "w", "outcome": "y"])
            return try CausalDataset(table, spec).fingerprint(ExecutionContext())
        }
        let one = try fingerprint([0, 1, 1, 2, 2], [5, 6])
        #expect(try fingerprint([0, 1, 1, 2, 2], [5, 6]) == one)
        #expect(try fingerprint([0, 1, 1, 2, 2], [5, 7]) != one)
        #expect(try fingerprint([0, 1, 2, 2, 2], [5, 6]) != one)
    }
}
