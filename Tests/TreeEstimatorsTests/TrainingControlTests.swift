import MetaLearnersCore
import Testing
import TreeEstimators

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

@Suite struct TrainingControlTests {
    private static let count = 6000
    private let table: Table
    private let target: [Double]
    private let labels: [Double]
    private let weights: [Double]

    init() throws {
        var numbers = TestNumbers(21)
        let columns = (0..<5).map { _ in numbers.uniform(Self.count) }
        let codes = numbers.integers(Self.count, below: 30)
        let noise = numbers.uniform(Self.count)
        var list = columns.enumerated().map { Column("x\($0)", $1) }
        list.append(
            Column("level", codes: StridedValues(codes.map { Int32($0) }), levels: (0..<30).map { "\($0)" }))
        table = try Table(list)
        target = (0..<Self.count).map { row -> Double in
            columns[0][row] * 2 + (codes[row] * 7).truncatingRemainder(dividingBy: 3) + noise[row]
        }
        labels = target.map { $0 > 2.2 ? 1 : 0 }
        weights = numbers.uniform(Self.count)
    }

    private func everyObjective() -> [(target: [Double], weights: [Double]?, TrainingTask.Objective)] {
        [
            (target, nil, .regression), (target, weights, .regression),
            (target, nil, .residual(regressor: weights.map { $0 - 0.5 })),
            (labels, weights, .classification(classes: 2)),
            (target.map { $0.rounded(.down) }, nil, .classification(classes: 5)),
            (target.map { $0.rounded(.down) }, weights, .count), (target, weights, .quantile(level: 0.2)),
        ]
    }

    @Test("the same bytes with one, two and five threads")
    func threads() throws {
        var spec = TreesSpec()
        spec.trees = 4
        spec.rowSample = 0.7
        spec.columnSample = 0.6
        spec.columnSampleNode = 0.7
        spec.earlyStopping = 3
        for (target, weights, objective) in everyObjective() {
            let one = try fitTrees(spec, table, target, weights: weights, objective: objective)
            for threads in [2, 5] {
                let several = try fitTrees(
                    spec, table, target, weights: weights, objective: objective, threads: threads)
                #expect(encoded(several) == encoded(one))
                let context = ExecutionContext(threads: threads)
                #expect(try several.predict(table, rows: nil, context) == predictions(one, table))
            }
        }
    }

    @Test("sampling depends on the seed and on nothing else")
    func sampling() throws {
        var spec = TreesSpec()
        spec.trees = 3
        spec.rowSample = 0.5
        let first = encoded(try fitTrees(spec, table, target, seed: 1))
        #expect(encoded(try fitTrees(spec, table, target, seed: 1)) == first)
        #expect(encoded(try fitTrees(spec, table, target, seed: 2)) != first)
        spec.rowSample = 1
        spec.columnSample = 0.4
        let columns = encoded(try fitTrees(spec, table, target, seed: 1))
        #expect(encoded(try fitTrees(spec, table, target, seed: 1)) == columns)
        #expect(encoded(try fitTrees(spec, table, target, seed: 2)) != columns)
    }

    @Test("boosting on samples still lowers the error of all rows")
    func sampledBoosting() throws {
        var spec = TreesSpec()
        spec.trees = 60
        spec.learningRate = 0.2
        let all = meanSquare(try predictions(try fitTrees(spec, table, target), table), target)
        spec.rowSample = 0.3
        let sampled = meanSquare(try predictions(try fitTrees(spec, table, target), table), target)
        #expect(sampled < all * 1.3)
    }

    @Test("full steps on tiny samples stay finite: the grid of sums is widened in time")
    func divergingSamples() throws {
        var spec = plainSpec(trees: 40, leaves: 200)
        spec.rowSample = 0.02
        for weights in [nil, weights] {
            let fitted = try predictions(try fitTrees(spec, table, target, weights: weights), table)
            #expect(fitted.allSatisfy { $0.isFinite })
        }
    }

    @Test("early stopping ends with fewer trees and no worse error on new rows", arguments: [false, true])
    func earlyStopping(classification: Bool) throws {
        var spec = plainSpec(trees: 400, leaves: 31, learningRate: 0.5)
        let objective: TrainingTask.Objective = classification ? .classification(classes: 2) : .regression
        let goal = classification ? labels : target
        let rows = (0..<Int32(Self.count)).filter { $0 % 3 != 0 }
        let others = (0..<Int32(Self.count)).filter { $0 % 3 == 0 }
        func error(_ model: any FittedEstimator) throws -> Double {
            let fitted = try predictions(model, table, rows: others)
            let width = model.outputCount
            return meanSquare(
                others.indices.map { fitted[$0 * width + width - 1] }, others.map { goal[Int($0)] })
        }
        spec.trees = 100
        let full = try fitTrees(spec, table, goal, rows: rows, objective: objective)
        spec.earlyStopping = 5
        let stopped = try fitTrees(spec, table, goal, rows: rows, objective: objective)
        #expect(encoded(stopped).count < encoded(full).count / 2)
        #expect(try error(stopped) < error(full))
    }

    @Test(
        "early stopping learns from the rows that are not held out, and keeps the stage that is best on those that are",
        arguments: ["regression", "weighted", "binary", "count", "quantile", "several"])
    func bestStage(kind: String) throws {
        let spec = plainSpec(trees: 40, leaves: 20, learningRate: 0.5)
        let objective: TrainingTask.Objective
        var goal = target
        switch kind {
        case "binary":
            objective = .classification(classes: 2)
            goal = labels
        case "count":
            objective = .count
            goal = target.map { $0.rounded(.down) }
        case "quantile": objective = .quantile(level: 0.5)
        case "several": objective = .multiRegression(others: [labels])
        default: objective = .regression
        }
        let weights = kind == "weighted" ? weights : nil
        func task(_ rows: [Int32]) throws -> TrainingTask {
            try TrainingTask(
                features: table, rows: rows, target: goal, weights: weights, objective: objective, seed: 1)
        }
        let whole = try task((0..<Int32(Self.count)).filter { $0 % 3 != 2 })
        let parting = HeldOutRows(whole, share: 0.5, patience: 6)
        let others = parting.heldOut
        let path = try TreesEstimator(spec).fitPath(task(parting.learned), ExecutionContext())
        let stages = try path.predictStages(table, rows: others, stages: Array(0...40), ExecutionContext())
        let losses = stages.map { fitted -> Double in
            var sum = 0.0
            for (position, row) in others.enumerated() {
                let value = goal[Int(row)]
                let weight = weights?[Int(row)] ?? 1
                switch kind {
                case "binary": sum -= log(fitted[2 * position + (value == 1 ? 1 : 0)])
                case "count": sum += fitted[position] - value * log(fitted[position])
                case "quantile": sum += abs(value - fitted[position])
                case "several":
                    let second = labels[Int(row)] - fitted[2 * position + 1]
                    sum += (value - fitted[2 * position]) * (value - fitted[2 * position]) + second * second
                default: sum += weight * (value - fitted[position]) * (value - fitted[position])
                }
            }
            return sum
        }
        var best = 0
        for stage in 1...40 where stage - best <= 6 && losses[stage] < losses[best] { best = stage }
        #expect(best > 0 && best < 34)
        var stopping = spec
        stopping.earlyStopping = 6
        stopping.validationShare = 0.5
        let model = try TreesEstimator(stopping).fit(whole, ExecutionContext())
        #expect(try predictions(model, table) == predictions(path.truncated(to: best), table))
    }

    @Test("a share of the columns at each split: by the seed alone, and of the columns of the tree")
    func columnsOfSplits() throws {
        var numbers = TestNumbers(8)
        let columns = (0..<5).map { _ in numbers.uniform(600) }
        let table = try numericTable(columns)
        // Steps of one column: any tree that may splits by it alone.
        let target = columns[0].map { ($0 * 8).rounded(.down) }
        var spec = plainSpec(trees: 1, leaves: 6)
        func columnsUsed(_ seed: UInt64) throws -> Int {
            let model = try fitTrees(spec, table, target, seed: seed)
            let explained = try #require(model as? any ExplainableEstimator)
            return explained.importances(.splits).count { $0 > 0 }
        }
        #expect(try columnsUsed(1) == 1)
        spec.columnSampleNode = 0.2
        let used = try (1...10).map { try columnsUsed($0) }
        #expect(used.contains { $0 > 2 })
        #expect(try (1...10).map { try columnsUsed($0) } == used)
        // One column of the tree: nothing is left to be drawn.
        spec.columnSample = 0.2
        #expect(try (1...10).allSatisfy { try columnsUsed($0) <= 1 })
        let first = encoded(try fitTrees(spec, table, target, seed: 4))
        #expect(encoded(try fitTrees(spec, table, target, seed: 4, threads: 3)) == first)
    }

    @Test("early stopping holds out whole clusters")
    func clusters() throws {
        // The target is a cluster's own number: only whole held-out clusters show that nothing can be learnt.
        var numbers = TestNumbers(2)
        let clusters = (0..<Self.count).map { Int32($0 / 60) }
        let effects = numbers.uniform(100)
        let marks = numbers.uniform(100)
        let column = clusters.map { marks[Int($0)] }
        let features = try numericTable([column])
        let target = clusters.map { effects[Int($0)] }
        var spec = plainSpec(trees: 50, leaves: 16, learningRate: 0.3)
        spec.earlyStopping = 3
        let blind = try fitTrees(spec, features, target)
        let aware = try fitTrees(spec, features, target, clusters: clusters)
        #expect(encoded(aware).count < encoded(blind).count / 2)
    }

    @Test("fits on the same columns share their bins")
    func sharedBins() throws {
        let cache = FeatureCache()
        var spec = TreesSpec()
        spec.trees = 2
        let rows = (0..<Int32(Self.count)).map { $0 }
        let plain = try TrainingTask(features: table, rows: rows, target: target, cache: cache)
        let arm = Column("arm", StridedValues(weights.map { Int32($0 > 0.5 ? 1 : 0) }))
        let joint = try TrainingTask(features: table.appending(arm), rows: rows, target: target, cache: cache)
        let estimator = try TreesEstimator(spec)
        let first = try estimator.fit(plain, ExecutionContext())
        let second = try estimator.fit(joint, ExecutionContext())
        #expect(encoded(first) == encoded(try fitTrees(spec, table, target, seed: 0)))
        #expect(encoded(second) == encoded(try fitTrees(spec, table.appending(arm), target, seed: 0)))
    }

    @Test("a cancelled fit stops")
    func cancellation() throws {
        let token = CancellationToken()
        token.cancel()
        let task = try TrainingTask(features: table, rows: [0, 1, 2], target: target)
        #expect(throws: MetaLearnersError.self) {
            try TreesEstimator(TreesSpec()).fit(task, ExecutionContext(threads: 2, cancellation: token))
        }
    }
}
