import MetaLearnersCore
import Testing
import TreeEstimators

/// Each result may be reached in several ways, chosen by speed; they must not differ by a bit.
@Suite struct PathTests {
    private static let count = 9000
    private let columns: [[Double]]
    private let levels: [Double]
    private let target: [Double]
    private let weights: [Double]

    init() throws {
        var numbers = TestNumbers(31)
        var columns = [60, 7, 200, 90].map { numbers.integers(Self.count, below: $0) }
        for row in stride(from: 1, to: Self.count, by: 9) { columns[2][row] = .nan }
        let levels = numbers.integers(Self.count, below: 25)
        let noise = numbers.uniform(Self.count)
        target = (0..<Self.count).map { row -> Double in
            let missing: Double = columns[2][row].isNaN ? 3 : 0
            return columns[0][row] * columns[3][row] / 900 + missing
                + (levels[row] * 3)
                .truncatingRemainder(dividingBy: 5) + noise[row]
        }
        weights = numbers.integers(Self.count, below: 3).map { $0 + 0.5 }
        self.columns = columns
        self.levels = levels
    }

    /// The data with `gap` rows for each: its own, and others of the same values that no fit reads.
    private func table(gap: Int) throws -> Table {
        func spread(_ values: [Double]) -> [Double] { values.flatMap { [Double](repeating: $0, count: gap) } }
        var list = columns.enumerated().map { Column("x\($0)", spread($1)) }
        list.append(
            Column(
                "level", codes: StridedValues(spread(levels).map { Int32($0) }),
                levels: (0..<25).map { "\($0)" }))
        return try Table(list)
    }

    @Test("rows side by side and rows far apart give the same model", arguments: [2, 5])
    func density(gap: Int) throws {
        let dense = try table(gap: 1)
        let sparse = try table(gap: gap)
        let rows = (0..<Self.count).map { Int32($0 * gap) }
        func spread(_ values: [Double]) -> [Double] { values.flatMap { [Double](repeating: $0, count: gap) } }
        var spec = TreesSpec()
        spec.trees = 6
        spec.maxLeaves = 16
        let labels = target.map { $0 > 5 ? 1.0 : 0 }
        for (goal, weights, classes) in [
            (target, nil, 0), (target, self.weights, 0), (labels, self.weights, 2),
        ] {
            let objective: TrainingTask.Objective =
                classes == 0 ? .regression : .classification(classes: classes)
            let here = try fitTrees(spec, dense, goal, weights: weights, objective: objective)
            let there = try fitTrees(
                spec, sparse, spread(goal), weights: weights.map(spread), rows: rows, objective: objective)
            #expect(encoded(here) == encoded(there))
        }
    }

    @Test("few rows and many rows get the same predictions")
    func batches() throws {
        let features = try table(gap: 1)
        var spec = TreesSpec()
        spec.trees = 12
        spec.maxLeaves = 40
        let model = try fitTrees(spec, features, target)
        let all = try predictions(model, features)
        for batch in [[0], [8999, 3, 3], Array(5..<25), Array(100..<160), Array(0..<700)] {
            let rows = batch.map { Int32($0) }
            #expect(try predictions(model, features, rows: rows) == batch.map { all[$0] })
        }
    }

    @Test("many leaves fit as few do, up to the most there may be")
    func manyLeaves() throws {
        let features = try table(gap: 1)
        var errors: [Double] = []
        for leaves in [2, 31, 33, 255, 256] {
            var spec = plainSpec(trees: 1, leaves: leaves)
            spec.categoryL2 = 0
            let fitted = try predictions(try fitTrees(spec, features, target), features)
            #expect(Set(fitted).count <= leaves)
            errors.append(meanSquare(fitted, target))
        }
        #expect(zip(errors, errors.dropFirst()).allSatisfy { $0 > $1 })
    }
}
