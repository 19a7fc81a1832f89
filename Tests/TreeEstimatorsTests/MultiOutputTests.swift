import MetaLearnersCore
import Testing
import TreeEstimators

/// Trees whose leaves have several values.
@Suite struct MultiOutputTests {
    private static let count = 1200
    private let table: Table
    private let first: [Double]
    private let second: [Double]
    private let regressors: [[Double]]
    private let target: [Double]
    private let weights: [Double]

    init() throws {
        var numbers = TestNumbers(51)
        let columns = (0..<3).map { _ in numbers.uniform(Self.count) }
        var gappy = numbers.uniform(Self.count)
        for row in stride(from: 0, to: Self.count, by: 8) { gappy[row] = .nan }
        let codes = numbers.integers(Self.count, below: 9).map { Int32($0) }
        var list = columns.enumerated().map { Column("x\($0)", $1) }
        list.append(Column("gappy", gappy))
        list.append(Column("level", codes: StridedValues(codes), levels: (0..<9).map { "\($0)" }))
        table = try Table(list)
        first = (0..<Self.count).map { (columns[0][$0] > 0.5 ? 2.0 : -1) + columns[1][$0] }
        second = (0..<Self.count).map { 3 * columns[1][$0] - Double(codes[$0] % 3) }
        let arms = numbers.integers(Self.count, below: 3)
        regressors = [1.0, 2].map { arm in arms.map { ($0 == arm ? 1 : 0) - 1.0 / 3 } }
        let noise = numbers.uniform(Self.count)
        var target = noise.map { 0.2 * ($0 - 0.5) }
        for row in target.indices {
            target[row] += regressors[0][row] * first[row] + regressors[1][row] * second[row]
        }
        self.target = target
        weights = numbers.uniform(Self.count).map { $0 + 0.2 }
    }

    private var spec: TreesSpec {
        var spec = TreesSpec()
        spec.trees = 20
        spec.learningRate = 0.2
        return spec
    }

    private func column(_ output: Int, of predictions: [Double], width: Int) -> [Double] {
        stride(from: output, to: predictions.count, by: width).map { predictions[$0] }
    }

    @Test("the residual loss of one regressor is that of the single loss")
    func oneRegressor() throws {
        for weights in [nil, weights] {
            let single = try predictions(
                try fitTrees(
                    spec, table, target, weights: weights, objective: .residual(regressor: regressors[0])),
                table)
            let joint = try predictions(
                try fitTrees(
                    spec, table, target, weights: weights,
                    objective: .multiResidual(regressors: [regressors[0]])), table)
            #expect(distance(single, joint) < 1e-4)
        }
    }

    @Test("regressors that never meet give the trees of targets that are fitted together")
    func separateRegressors() throws {
        // Rows of two halves: each half has its own regressor, so the Hessian of every leaf is diagonal.
        let half = (0..<Self.count).map { $0 % 2 == 0 ? 1.0 : 0 }
        let other = half.map { 1 - $0 }
        var spec = plainSpec(leaves: 2)
        spec.minLeafSize = 10
        let features = try numericTable([table.columns[0].values.doubles()])
        let goal = (0..<Self.count).map { half[$0] * first[$0] + other[$0] * second[$0] }
        let fitted = try predictions(
            try fitTrees(spec, features, goal, objective: .multiResidual(regressors: [half, other])),
            features)
        // In each leaf, each value is the mean of its own half.
        for leaf in Set(column(0, of: fitted, width: 2)) {
            let rows = (0..<Self.count).filter { fitted[2 * $0] == leaf }
            let own = rows.filter { half[$0] == 1 }.map { first[$0] }
            #expect(abs(own.reduce(0, +) / Double(own.count) - leaf) < 1e-6)
        }
    }

    @Test("a target that comes three times is fitted as one that comes once")
    func equalTargets() throws {
        for weights in [nil, weights] {
            let single = try predictions(try fitTrees(spec, table, first, weights: weights), table)
            let joint = try predictions(
                try fitTrees(
                    spec, table, first, weights: weights, objective: .multiRegression(others: [first, first])),
                table)
            for output in 0..<3 {
                #expect(distance(column(output, of: joint, width: 3), single) < 1e-4)
            }
        }
    }

    @Test("effects of two arms are found together")
    func recovery() throws {
        var spec = spec
        spec.trees = 150
        let fitted = try predictions(
            try fitTrees(spec, table, target, objective: .multiResidual(regressors: regressors)), table)
        #expect(meanSquare(column(0, of: fitted, width: 2), first) < 0.05)
        #expect(meanSquare(column(1, of: fitted, width: 2), second) < 0.05)
    }

    @Test("the order of regressors is the order of outputs, and changes nothing else")
    func symmetry() throws {
        let one = try predictions(
            try fitTrees(spec, table, target, objective: .multiResidual(regressors: regressors)), table)
        let other = try predictions(
            try fitTrees(spec, table, target, objective: .multiResidual(regressors: regressors.reversed())),
            table)
        #expect(distance(column(0, of: one, width: 2), column(1, of: other, width: 2)) < 1e-4)
        #expect(distance(column(1, of: one, width: 2), column(0, of: other, width: 2)) < 1e-4)
    }

    @Test("a regressor in other units scales its effect alone", arguments: [1e-20, 1e3, 1e20])
    func units(scale: Double) throws {
        var spec = spec
        spec.l2 = 0
        spec.categoryL2 = 0
        spec.categorySmoothing = 0
        let one = try predictions(
            try fitTrees(spec, table, target, objective: .multiResidual(regressors: regressors)), table)
        let scaled = [regressors[0].map { $0 * scale }, regressors[1]]
        let other = try predictions(
            try fitTrees(spec, table, target, objective: .multiResidual(regressors: scaled)), table)
        #expect(
            distance(column(0, of: one, width: 2), column(0, of: other, width: 2).map { $0 * scale }) < 1e-3)
        #expect(distance(column(1, of: one, width: 2), column(1, of: other, width: 2)) < 1e-3)
    }

    @Test("a weight of 2 is two rows")
    func duplication() throws {
        let rows = (0..<Int32(400)).map { $0 }
        let doubled = rows.map { $0 % 3 == 0 ? 2.0 : 1 }
        let copies = rows.flatMap { $0 % 3 == 0 ? [$0, $0] : [$0] }
        // Few values, so that bins do not depend on how often each occurs.
        var numbers = TestNumbers(6)
        let coarse = try numericTable((0..<3).map { _ in numbers.integers(Self.count, below: 40) })
        let small = coarse.selecting(rows: rows)
        let large = coarse.selecting(rows: copies)
        func pick(_ values: [Double], _ rows: [Int32]) -> [Double] { rows.map { values[Int($0)] } }
        var spec = spec
        spec.minLeafSize = 1
        spec.minChildWeight = 8
        let weighted = try fitTrees(
            spec, small, pick(target, rows), weights: doubled,
            objective: .multiResidual(regressors: regressors.map { pick($0, rows) }))
        let repeated = try fitTrees(
            spec, large, pick(target, copies),
            objective: .multiResidual(regressors: regressors.map { pick($0, copies) }))
        #expect(distance(try predictions(weighted, small), try predictions(repeated, small)) < 1e-4)
    }

    @Test("the same bytes with one, two and five threads, sampled and stopped early")
    func threads() throws {
        var spec = spec
        spec.trees = 5
        spec.rowSample = 0.7
        spec.columnSample = 0.8
        spec.earlyStopping = 3
        spec.multiOutput = true
        let labels = first.map { min(max($0.rounded(.down), 0), 2) }
        let goals: [([Double], TrainingTask.Objective)] = [
            (target, .multiResidual(regressors: regressors)), (first, .multiRegression(others: [second])),
            (labels, .classification(classes: 3)),
        ]
        for (goal, objective) in goals {
            let one = try fitTrees(spec, table, goal, weights: weights, objective: objective)
            for threads in [2, 5] {
                let several = try fitTrees(
                    spec, table, goal, weights: weights, objective: objective, threads: threads)
                #expect(encoded(several) == encoded(one))
            }
        }
    }

    @Test("stages, truncated models and contributions serve every output")
    func explained() throws {
        let task = try TrainingTask(
            features: table, rows: (0..<Int32(Self.count)).map { $0 }, target: target,
            objective: .multiResidual(regressors: regressors))
        let context = ExecutionContext()
        let model = try TreesEstimator(spec).fitPath(task, context)
        let stages = try model.predictStages(table, rows: nil, stages: [0, 7, 20], context)
        let short = try model.truncated(to: 7)
        #expect(try predictions(short, table) == stages[1])
        var reader = BinaryReader(encoded(short)[...])
        #expect(try predictions(try TreesEstimator.decode(from: &reader), table) == stages[1])
        let explained = try #require(model as? any ExplainableEstimator)
            .contributions(table, rows: [0, 5, 17], background: nil, context)
        let width = table.columns.count + 1
        for (position, row) in [0, 5, 17].enumerated() {
            for output in 0..<2 {
                let start = (position * 2 + output) * width
                let sum = explained.values[start..<start + width].reduce(0, +)
                #expect(abs(sum - stages[2][row * 2 + output]) < 1e-6)
            }
        }
    }

    @Test("targets that are constant, and regressors that are 0, give constants")
    func nothingToLearn() throws {
        let threes = [Double](repeating: 3.1, count: Self.count)
        let constant = try predictions(
            try fitTrees(spec, table, threes, objective: .multiRegression(others: [threes])), table)
        #expect(constant.allSatisfy { $0 == 3.1 })
        let zeros = [Double](repeating: 0, count: Self.count)
        let dead = try predictions(
            try fitTrees(spec, table, target, objective: .multiResidual(regressors: [zeros, zeros])), table)
        #expect(dead.allSatisfy { $0 == 0 })
        let half = try predictions(
            try fitTrees(spec, table, target, objective: .multiResidual(regressors: [regressors[0], zeros])),
            table)
        #expect(column(1, of: half, width: 2).allSatisfy { $0 == 0 })
    }

    @Test("targets of any magnitude are fitted", arguments: [1e-140, 1e-30, 1e30, 1e100])
    func magnitudes(scale: Double) throws {
        let goals = [first, second].map { $0.map { $0 * scale } }
        let plain = try predictions(
            try fitTrees(spec, table, first, objective: .multiRegression(others: [second])), table)
        let fitted = try predictions(
            try fitTrees(spec, table, goals[0], objective: .multiRegression(others: [goals[1]])), table)
        #expect(distance(fitted.map { $0 / scale }, plain) < 1e-4)
    }

    @Test("what cannot be is refused: penalties on absolute values, regressors of another length, or none")
    func refusals() throws {
        var spec = spec
        spec.l1 = 1
        #expect(throws: MetaLearnersError.self) {
            try fitTrees(spec, table, target, objective: .multiResidual(regressors: regressors))
        }
        for regressors in [[], [[1.0]], [[Double](repeating: .nan, count: Self.count)]] {
            #expect(throws: MetaLearnersError.self) {
                try fitTrees(self.spec, table, target, objective: .multiResidual(regressors: regressors))
            }
        }
    }
}
