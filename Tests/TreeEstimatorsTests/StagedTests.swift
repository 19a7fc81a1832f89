import MetaLearnersCore
import Testing
import TreeEstimators

@Suite struct StagedTests {
    private static let count = 700
    private let table: Table
    private let target: [Double]

    init() throws {
        var numbers = TestNumbers(31)
        var gappy = numbers.uniform(Self.count)
        for row in stride(from: 0, to: Self.count, by: 9) { gappy[row] = .nan }
        let codes = numbers.integers(Self.count, below: 7).map { Int32($0) }
        table = try Table([
            Column("a", numbers.uniform(Self.count)), Column("b", gappy),
            Column("c", codes: StridedValues(codes), levels: (0..<7).map { "\($0)" }),
        ])
        let noise = numbers.uniform(Self.count)
        let a = table.columns[0].values.doubles()
        target = (0..<Self.count).map { 3 * a[$0] + Double(codes[$0] % 3) + noise[$0] }
    }

    private func path(_ spec: TreesSpec, classes: Int = 0) throws -> any StagedModel {
        let labels = target.map { min(max($0.rounded(.down) - 1, 0), Double(max(classes, 1) - 1)) }
        let task = try TrainingTask(
            features: table, rows: (0..<Int32(Self.count)).filter { $0 % 5 != 0 },
            target: classes > 0 ? labels : target,
            objective: classes > 0 ? .classification(classes: classes) : .regression, seed: 3)
        return try TreesEstimator(spec).fitPath(task, ExecutionContext())
    }

    @Test("each stage predicts what a fit of so many rounds predicts, to the bit", arguments: [0, 2, 3])
    func stagesAreFits(classes: Int) throws {
        var spec = TreesSpec()
        spec.trees = 12
        spec.rowSample = 0.8
        let model = try path(spec, classes: classes)
        #expect(model.stageCount == 12)
        let stages = try model.predictStages(table, rows: nil, stages: [0, 1, 5, 12], ExecutionContext())
        for (stage, values) in zip([1, 5, 12], stages.dropFirst()) {
            spec.trees = .exactly(stage)
            #expect(try predictions(path(spec, classes: classes), table) == values)
            #expect(try predictions(model.truncated(to: stage), table) == values)
        }
        #expect(Set(stages[0]).count == max(classes, 1))
        #expect(try predictions(model.truncated(to: 0), table) == stages[0])
        #expect(try predictions(model, table) == stages[3])
    }

    @Test("stages of listed rows, and of fewer rows than a block, are those of all rows")
    func rowLists() throws {
        var spec = TreesSpec()
        spec.trees = 6
        let model = try path(spec)
        let context = ExecutionContext(threads: 2)
        let all = try model.predictStages(table, rows: nil, stages: [2, 6], context)
        let some = try model.predictStages(table, rows: [7, 0, 699], stages: [2, 6], context)
        for (all, some) in zip(all, some) { #expect(some == [all[7], all[0], all[699]]) }
        #expect(try model.predictStages(table, rows: nil, stages: [], context).isEmpty)
        #expect(try model.predictStages(table, rows: [], stages: [1], context) == [[]])
    }

    @Test("a truncated model is written and read as such, and has the importances of its own trees")
    func truncation() throws {
        var spec = TreesSpec()
        spec.trees = 20
        let model = try path(spec)
        let short = try model.truncated(to: 3)
        #expect(short.stageCount == 3)
        #expect(encoded(short).count < encoded(model).count / 2)
        var reader = BinaryReader(encoded(short)[...])
        let copy = try TreesEstimator.decode(from: &reader)
        #expect(encoded(copy) == encoded(short))
        #expect(try predictions(copy, table) == predictions(short, table))
        spec.trees = 3
        let fitted = try #require(path(spec) as? any ExplainableEstimator)
        let truncated = try #require(copy as? any ExplainableEstimator)
        for kind in ImportanceKind.allCases {
            let scale = fitted.importances(kind).reduce(0, +)
            #expect(distance(fitted.importances(kind), truncated.importances(kind)) < 0.01 * scale)
        }
        #expect(try encoded(model.truncated(to: 99)) == encoded(model))
    }

    @Test("gains are in the units of the loss: those of a hand-computed split")
    func gains() throws {
        // Gradients of −3, −3, 3 and 3 in two leaves: 36/2 + 36/2 − 0.
        let model = try fitTrees(plainSpec(), numericTable([[1, 2, 3, 4]]), [1, 1, 7, 7])
        let gain = try #require(model as? any ExplainableEstimator).importances(.gain)[0]
        #expect(abs(gain - 36) < 1e-6)
    }

    @Test("a path does not stop early, and every stage counts even when nothing is left to learn")
    func wholePath() throws {
        var spec = plainSpec(trees: 30, leaves: 4)
        spec.earlyStopping = 1
        let task = try TrainingTask(
            features: numericTable([[1, 2, 3, 4]]), rows: [0, 1, 2, 3], target: [1, 1, 2, 2])
        let model = try TreesEstimator(spec).fitPath(task, ExecutionContext())
        #expect(model.stageCount == 30)
        #expect(try predictions(model.truncated(to: 30), task.features) == [1, 1, 2, 2])
    }

    @Test("stages that do not ascend or are negative are refused")
    func badStages() throws {
        var spec = TreesSpec()
        spec.trees = 2
        let model = try path(spec)
        for stages in [[1, 1], [2, 1], [-1, 0]] {
            #expect(throws: MetaLearnersError.self) {
                try model.predictStages(table, rows: nil, stages: stages, ExecutionContext())
            }
        }
        #expect(throws: MetaLearnersError.self) { try model.truncated(to: -1) }
    }
}
