import MetaLearnersCore
import Testing
import TreeEstimators

@Suite struct RowPredictorTests {
    private func rows(_ model: any FittedEstimator, _ columns: [[Double]]) throws -> [Double] {
        let predictor = try #require((model as? any RowPredictable)?.makeRowPredictor())
        var results: [Double] = []
        for row in columns[0].indices {
            var outputs = [Double](repeating: 0, count: predictor.outputCount)
            predictor.predict(columns.map { $0[row] }, to: &outputs)
            results += outputs
        }
        return results
    }

    private func columns(_ seed: UInt64, _ count: Int) -> [[Double]] {
        var numbers = TestNumbers(seed)
        var columns = [numbers.uniform(count), numbers.integers(count, below: 4), numbers.uniform(count)]
        for row in stride(from: 0, to: count, by: 5) { columns[0][row] = .nan }
        for row in stride(from: 0, to: count, by: 13) {
            columns[2][row] = row % 2 == 0 ? .infinity : -.infinity
        }
        return columns
    }

    @Test("a row by itself is predicted to the bit as among others", arguments: [1, 7, 8, 20])
    func regression(trees: Int) throws {
        let values = columns(2, 600)
        let target = (0..<600).map { row in
            (values[0][row].isNaN ? 2 : values[0][row]) + values[1][row] * (values[2][row] > 0.5 ? 1 : -1)
        }
        let table = try numericTable(values)
        let model = try fitTrees(plainSpec(trees: trees, leaves: 12, learningRate: 0.5), table, target)
        #expect(try rows(model, values) == predictions(model, table))
        let others = columns(9, 100)
        #expect(try rows(model, others) == predictions(model, try numericTable(others)))
    }

    @Test("so are the probabilities of two classes")
    func classification() throws {
        let values = columns(4, 500)
        let labels = (0..<500).map { values[1][$0] > 1 && !values[0][$0].isNaN ? 1.0 : 0 }
        let table = try numericTable(values)
        let model = try fitTrees(
            plainSpec(trees: 9, leaves: 6, learningRate: 0.3), table, labels,
            objective: .classification(classes: 2))
        #expect(try rows(model, values) == predictions(model, table))
    }

    @Test("models that need more than numbers are not prepared")
    func unprepared() throws {
        let levels = (0..<8).map { "\($0)" }
        let codes = (0..<160).map { Int32($0 % 8) }
        let table = try Table([Column("level", codes: StridedValues(codes), levels: levels)])
        let model = try fitTrees(plainSpec(), table, codes.map { Double($0 % 3) })
        #expect((model as? any RowPredictable)?.makeRowPredictor() == nil)
        let numbers = try numericTable([codes.map { Double($0) }])
        let classes = try fitTrees(
            plainSpec(), numbers, codes.map { Double($0 % 3) }, objective: .classification(classes: 3))
        #expect((classes as? any RowPredictable)?.makeRowPredictor() == nil)
    }
}
