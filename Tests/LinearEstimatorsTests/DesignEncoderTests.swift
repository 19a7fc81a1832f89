import MetaLearnersCore
import Testing

@testable import LinearEstimators

@Suite struct DesignEncoderTests {
    private func encoder(_ columns: [Column], rows: [Int32], againstReference: Bool = false) throws
        -> DesignEncoder
    {
        try DesignEncoder(
            try Table(columns), rows: rows, weights: rows.map { _ in 1 }, againstReference: againstReference,
            ExecutionContext())
    }

    /// The design matrix, row by row.
    private func matrix(_ encoder: DesignEncoder, _ columns: [Column], rows: [Int32]) throws -> [[Double]] {
        let buffer = try DoubleBuffer(encoder.width * DesignBlocks.rowsPerBlock)
        let blocks = DesignBlocks(encoder: encoder, features: try Table(columns), rows: rows)
        var matrix: [[Double]] = []
        try blocks.forEach(into: buffer, ExecutionContext()) { range throws(MetaLearnersError) in
            for row in 0..<range.count {
                matrix.append((0..<encoder.width).map { buffer.start[$0 * DesignBlocks.rowsPerBlock + row] })
            }
        }
        return matrix
    }

    @Test("numbers have mean 0 and variance 1 over the training rows, indicators mean 0 and a step of 1")
    func standardised() throws {
        let sample = try SampleTask(rows: 80, seed: 1)
        let encoder = try encoder(sample.columns, rows: sample.rows)
        // Two plain numbers, one with an indicator, three levels, four levels and the missing one.
        #expect(encoder.width == 2 + 2 + 3 + 5)
        let rows = try matrix(encoder, sample.columns, rows: sample.rows)
        for column in 0..<encoder.width {
            let values = rows.map { $0[column] }
            #expect(abs(values.reduce(0, +) / 80) < 1e-12)
            if column < 3 {
                #expect(abs(values.map { $0 * $0 }.reduce(0, +) / 80 - 1) < 1e-12)
            } else {
                let least = try #require(values.min())
                #expect(
                    Set(values.map { abs($0 - least) < 1e-12 ? 0 : abs($0 - least - 1) < 1e-12 ? 1 : 2 }) == [
                        0, 1,
                    ])
            }
        }
    }

    @Test("without a penalty indicators are standardised as well")
    func withoutPenalty() throws {
        let sample = try SampleTask(rows: 80, seed: 1)
        let encoder = try encoder(sample.columns, rows: sample.rows, againstReference: true)
        #expect(encoder.width == 2 + 2 + 2 + 4)
        let rows = try matrix(encoder, sample.columns, rows: sample.rows)
        for column in 0..<encoder.width {
            #expect(abs(rows.reduce(0) { $0 + $1[column] * $1[column] } / 80 - 1) < 1e-12)
        }
    }

    @Test("constant columns, and the heaviest level where a reference is wanted, are left out")
    func leftOut() throws {
        let columns = [
            Column("constant", [5, 5, 5, 5]), Column("one level", categories: ["a", "a", "a", "a"]),
            Column("nothing", [.nan, .nan, .nan, .nan]), Column("levels", categories: ["a", "b", "b", "c"]),
        ]
        #expect(try encoder(columns, rows: [0, 1, 2, 3]).width == 3)
        let against = try encoder(columns, rows: [0, 1, 2, 3], againstReference: true)
        #expect(against.width == 2)
        let rows = try matrix(against, columns, rows: [0, 3])
        #expect(rows[0][0] > 0 && rows[0][1] < 0 && rows[1][0] < 0 && rows[1][1] > 0)
    }

    @Test("what was never met in training stands at the means")
    func unseen() throws {
        let columns = [
            Column("number", [1, 2, .nan]), Column("level", categories: ["a", "b", nil]),
            Column("other", categories: ["a", "b", "c"]),
        ]
        let rows = try matrix(encoder(columns, rows: [0, 1]), columns, rows: [2])
        #expect(rows == [[0, 0, 0, 0, 0]])
    }

    @Test("a level never seen counts as missing where something was missing in training")
    func unseenIsMissing() throws {
        let columns = [Column("level", categories: ["a", "b", nil, "c", nil])]
        let rows = try matrix(encoder(columns, rows: [0, 1, 2]), columns, rows: [3, 4])
        #expect(rows[0] == rows[1])
        #expect(rows[0][2] > 0)
    }

    @Test("codes of any value are harmless")
    func wildCodes() throws {
        let codes = StridedValues([0, 1, -7, 9e18, .infinity, -.infinity, .nan, 1e300])
        let columns = [Column("level", codes: codes, levels: ["a", "b"])]
        let encoder = try encoder(columns, rows: [0, 1])
        let rows = try matrix(encoder, columns, rows: [2, 3, 4, 5, 6, 7])
        #expect(rows.allSatisfy { $0 == [0, 0] })
    }

    @Test("too many levels are refused, naming the column")
    func tooManyLevels() throws {
        let count = DesignEncoder.sparseWidthLimit + 5
        let codes = StridedValues((0..<count).map { Int32($0) })
        let columns = [
            Column("few", codes: StridedValues(repeating: 0, count: count), levels: ["a"]),
            Column("name", codes: codes, levels: (0..<count).map { "\($0)" }),
        ]
        let rows = (0..<count).map { Int32($0) }
        let error = #expect(throws: MetaLearnersError.self) {
            // (The encoder itself would be a long text.)
            _ = try encoder(columns, rows: rows)
        }
        #expect(error?.kind == .unsupported)
        #expect(error?.location == "column 'name'")
        #expect(error?.remedy?.contains("exclude") == true)
    }

    @Test("an infinite covariate is refused in training, naming column and row, and fails a prediction")
    func infinity() throws {
        var sample = try SampleTask(rows: 10, seed: 2)
        var values = sample.columns[0].values.doubles()
        let model = try RidgeEstimator().fit(sample.task(), ExecutionContext())
        values[6] = .infinity
        sample.columns[0] = Column("first", values)
        let training = #expect(throws: MetaLearnersError.self) {
            try RidgeEstimator().fit(sample.task(), ExecutionContext())
        }
        #expect(training?.description.contains("column 'first': row index 6 is infinite") == true)
        let prediction = #expect(throws: MetaLearnersError.self) {
            try model.predict(sample.table(), rows: nil, ExecutionContext())
        }
        #expect(prediction?.kind == .numericalFailure)
        #expect(prediction?.location == "row index 6")
    }

    @Test("columns of another number or kind, and rows out of range, are refused at prediction")
    func wrongColumns() throws {
        let sample = try SampleTask(rows: 30, seed: 3)
        let model = try RidgeEstimator().fit(sample.task(), ExecutionContext())
        var swapped = sample.columns
        swapped.swapAt(0, 3)
        for columns in [Array(sample.columns.dropLast()), swapped] {
            let table = try Table(columns)
            let error = #expect(throws: MetaLearnersError.self) {
                try model.predict(table, rows: nil, ExecutionContext())
            }
            #expect(error?.kind == .invalidArgument)
        }
        for row in [Int32(-1), 30] {
            let error = #expect(throws: MetaLearnersError.self) {
                try model.predict(sample.table(), rows: [row], ExecutionContext())
            }
            #expect(error?.kind == .invalidArgument)
        }
        #expect(try model.predict(sample.table(), rows: [], ExecutionContext()).isEmpty)
    }
}
