import MetaLearnersCore
import Testing
import TreeEstimators
import _TestSupport

/// Predictions that must rise or fall with columns.
@Suite struct MonotoneTests {
    private static let count = 1500
    private let columns: [[Double]]
    private let table: Table
    private let target: [Double]
    private let weights: [Double]

    init() throws {
        var numbers = TestNumbers(77)
        var columns = (0..<3).map { _ in numbers.uniform(Self.count) }
        for row in stride(from: 0, to: Self.count, by: 9) { columns[2][row] = .nan }
        for row in stride(from: 4, to: Self.count, by: 11) { columns[0][row] = .nan }
        let codes = numbers.integers(Self.count, below: 9)
        let noise = numbers.uniform(Self.count)
        self.columns = columns
        table = try Self.table(columns, codes)
        // What is asked for holds on the whole only: parts of the target run against it.
        target = (0..<Self.count).map { row -> Double in
            let first = columns[0][row].isNaN ? 0.5 : columns[0][row]
            let wave = first > 0.4 && first < 0.6 ? -1.5 : 0.0
            return 2 * first + wave - columns[1][row] * columns[1][row] + codes[row] / 9 + 2 * noise[row]
        }
        weights = numbers.uniform(Self.count).map { $0 + 0.1 }
    }

    private static func table(_ columns: [[Double]], _ codes: [Double]) throws -> Table {
        var list = columns.enumerated().map { Column("x\($0)", $1) }
        let names = (0..<9).map { "\($0)" }
        list.append(Column("level", codes: StridedValues(codes.map { Int32($0) }), levels: names))
        return try Table(list)
    }

    /// How far predictions run against the direction of column `moved` at most, over sweeps through it.
    private func violation(_ model: any FittedEstimator, moved: Int, direction: Double) throws -> Double {
        var numbers = TestNumbers(5)
        let points = 60
        var worst = 0.0
        for _ in 0..<40 {
            var others = numbers.uniform(4)
            if others[2] < 0.1 { others[2] = .nan }
            var columns = others.prefix(3).map { [Double](repeating: $0, count: points) }
            columns[moved] = (0..<points).map { Double($0) / Double(points - 1) * 1.2 - 0.1 }
            let level = (others[3] * 9).rounded(.down)
            let sweep = try Self.table(columns, [Double](repeating: level, count: points))
            let fitted = try predictions(model, sweep)
            let width = model.outputCount
            let last = (0..<points).map { fitted[$0 * width + width - 1] }
            for (low, high) in zip(last, last.dropFirst()) { worst = max(worst, direction * (low - high)) }
        }
        return worst
    }

    private func spec(_ growth: TreesSpec.Growth) -> TreesSpec {
        var spec = plainSpec(trees: 12, leaves: 20, learningRate: 0.3)
        spec.minLeafSize = 5
        spec.growth = growth
        return spec
    }

    @Test(
        "predictions never run against the directions asked for, and do without them",
        arguments: TreesSpec.Growth.allCases, ["regression", "weighted", "residual", "binary", "count"])
    func directions(growth: TreesSpec.Growth, kind: String) throws {
        var free = spec(growth)
        if kind == "weighted" { free.l1 = 0.5 }
        var bound = free
        bound.monotone = ["x0": .increasing, "x1": .decreasing]
        let objective: TrainingTask.Objective
        var goal = target
        switch kind {
        case "residual": objective = .residual(regressor: weights.map { $0 - 0.3 })
        case "binary":
            objective = .classification(classes: 2)
            goal = target.map { $0 > 1.5 ? 1 : 0 }
        case "count":
            objective = .count
            goal = target.map { max(0, $0).rounded(.down) }
        default: objective = .regression
        }
        let weights = kind == "weighted" ? weights : nil
        let kept = try fitTrees(bound, table, goal, weights: weights, objective: objective)
        #expect(try violation(kept, moved: 0, direction: 1) <= 1e-12)
        #expect(try violation(kept, moved: 1, direction: -1) <= 1e-12)
        let loose = try fitTrees(free, table, goal, weights: weights, objective: objective)
        #expect(try violation(loose, moved: 0, direction: 1) > 0.01)
        #expect(try violation(loose, moved: 1, direction: -1) > 0.01)
    }

    @Test("directions that trees keep to anyway change nothing")
    func idleDirections() throws {
        let table = try numericTable([columns[1]])
        var spec = plainSpec(trees: 30, leaves: 2, learningRate: 0.1)
        spec.l2 = 1
        let target = columns[1].map { $0 * 3 }
        let free = try predictions(try fitTrees(spec, table, target), table)
        spec.monotone = ["x0": .increasing]
        #expect(distance(try predictions(try fitTrees(spec, table, target), table), free) < 1e-5)
    }

    @Test("a column that may only fall where it rises is not split by")
    func uselessColumn() throws {
        let table = try numericTable([columns[1]])
        var spec = plainSpec(trees: 5, leaves: 6, learningRate: 0.5)
        spec.monotone = ["x0": .decreasing]
        let model = try fitTrees(spec, table, columns[1])
        #expect(Set(try predictions(model, table)).count == 1)
    }

    @Test("the same bytes with several threads")
    func threads() throws {
        var spec = spec(.leafWise)
        spec.monotone = ["x0": .increasing, "x1": .decreasing]
        let one = encoded(try fitTrees(spec, table, target))
        #expect(encoded(try fitTrees(spec, table, target, threads: 3)) == one)
    }

    @Test("directions that mean nothing are refused with the reason")
    func refused() throws {
        func refusal(
            _ directions: [String: MonotoneDirection], _ target: [Double],
            _ objective: TrainingTask.Objective = .regression
        ) -> MetaLearnersError? {
            var spec = plainSpec()
            spec.monotone = directions
            return #expect(throws: MetaLearnersError.self) {
                try fitTrees(spec, table, target, objective: objective)
            }
        }
        let unknown = refusal(["x9": .increasing], target)
        #expect(unknown?.kind == .invalidSpec && unknown?.location == "monotone.x9")
        let categories = refusal(["level": .increasing], target)
        #expect(categories?.kind == .invalidSpec && categories?.location == "monotone.level")
        let classes = target.map { min(2, max(0, $0)).rounded(.down) }
        #expect(refusal(["x0": .increasing], classes, .classification(classes: 3))?.kind == .unsupported)
        #expect(
            refusal(["x0": .increasing], target, .multiRegression(others: [target]))?.kind == .unsupported)
        #expect(throws: MetaLearnersError.self) {
            try TreesSpec(.object(SpecObject([("monotone", .object(SpecObject([("x0", .string("up"))])))])))
        }
        #expect(throws: MetaLearnersError.self) {
            try TreesSpec(.object(SpecObject([("monotone", .string("increasing"))])))
        }
    }

    @Test("a spec with directions is read back as it was written")
    func coding() throws {
        var spec = TreesSpec()
        spec.monotone = ["b": .decreasing, "a": .increasing]
        let written = spec.specValue
        #expect(try TreesSpec(written).monotone == spec.monotone)
        #expect(written.objectValue?["monotone"]?.objectValue?.entries.map(\.0) == ["a", "b"])
    }
}
