import MetaLearners
import MetaLearnersCore
import MetaLearnersKit
import Testing
import XGBoostEstimators
import _TestSupport

/// Whether the library found can join processes.
private let canJoin = XGBoostEstimator.backend.foundCapabilities.contains(.collective)

@Suite("XGBoost learns from rows that several processes hold")
struct CollectiveTests {
    /// Rows with numbers of few values, or of many, a category and missing values.
    private static func rows(_ count: Int, distinct: Int?) throws -> Table {
        var stream = RandomStream(seed: 11)
        var columns: [[Double]] = [[], [], []]
        var place: [String?] = []
        var arm: [String] = []
        var outcome: [Double] = []
        for _ in 0..<count {
            let numbers = (0..<3).map { _ in
                distinct.map { Double(stream.integer(below: $0)) / Double($0) } ?? stream.uniform()
            }
            for (index, number) in numbers.enumerated() {
                columns[index].append(index == 2 && stream.uniform() < 0.1 ? .nan : number)
            }
            let region = stream.integer(below: 3)
            place.append(["east", "north", "west"][region])
            arm.append(stream.uniform() < 0.3 + 0.4 * numbers[0] ? "1" : "0")
            outcome.append(
                numbers[0] + Double(region) + (arm.last == "1" ? 1 + numbers[1] : 0) + stream.uniform())
        }
        return try Table(
            columns.enumerated().map { Column("x\($0)", $1) } + [
                Column("place", categories: place), Column("w", categories: arm), Column("y", outcome),
            ])
    }

    private static func spec(_ learner: String, _ options: SpecObject = SpecObject()) throws
        -> MetaLearnerSpec
    {
        var model: SpecObject = ["backend": "xgboost", "trees": 8, "learning_rate": 0.3, "min_leaf_size": 10]
        for entry in options.entries { model[entry.key] = entry.value }
        return try MetaLearnerSpec([
            "learner": .string(learner), "cross_fitting": ["folds": 2], "keep_training": false,
            "data": ["treatment": "w", "outcome": "y"],
            "models": ["outcome": .object(model), "effect": .object(model), "propensity": .object(model)],
        ])
    }

    private static func fit(_ table: Table, _ spec: MetaLearnerSpec, _ shares: [Int]) throws -> [CATEModel] {
        let total = shares.reduce(0, +)
        let ends = shares.indices.map { shares[...$0].reduce(0, +) * table.rowCount / total }
        let fitter = try MetaLearnerFitter(spec)
        return try ThreadGroup.run(shares.count) { collective in
            let first = collective.rank == 0 ? 0 : ends[collective.rank - 1]
            let own = table.selecting(rows: (first..<ends[collective.rank]).map { Int32($0) })
            let dataset = try CausalDataset(own, spec.data, partOf: collective)
            return try fitter.fit(dataset, ExecutionOptions(threads: 1, collective: collective))
        }.results.map { try $0.get() }
    }

    private static func effects(_ model: CATEModel, _ table: Table) throws -> [Double] {
        try model.predict(table).effects[0]
    }

    @Test(
        "every process gets the same model, close to that of one",
        .enabled(if: canJoin), arguments: ["t", "x", "r", "dr"], [[1, 1], [9, 1], [1, 0, 2]])
    func sameModel(learner: String, shares: [Int]) throws {
        let table = try Self.rows(3000, distinct: nil)
        let spec = try Self.spec(learner)
        let models = try Self.fit(table, spec, shares)
        for model in models { #expect(model.encoded() == models[0].encoded()) }
        let alone = try MetaLearnerFitter(spec).fit(CausalDataset(table, spec.data))
        let expected = try Self.effects(alone, table)
        let found = try Self.effects(models[0], table)
        let error = zip(found, expected).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }
        let mean = expected.reduce(0, +) / Double(expected.count)
        let spread = expected.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
        #expect(error < 0.1 * spread, "\(learner) \(shares): \(error / spread)")
    }

    @Test(
        "columns of few values have the same bins wherever rows are, and the model is that of one process",
        .enabled(if: canJoin), arguments: [[1, 1], [9, 1], [0, 1]])
    func fewValues(shares: [Int]) throws {
        let table = try Self.rows(2000, distinct: 20)
        for spec in [
            try Self.spec("dr"), try Self.spec("r", ["column_sample": 0.7, "growth": "depth_wise"]),
        ] {
            let alone = try MetaLearnerFitter(spec).fit(CausalDataset(table, spec.data))
            for model in try Self.fit(table, spec, shares) { #expect(model.encoded() == alone.encoded()) }
        }
    }

    @Test("rows may be drawn for each tree", .enabled(if: canJoin))
    func drawnRows() throws {
        let table = try Self.rows(1500, distinct: nil)
        let models = try Self.fit(table, try Self.spec("t", ["row_sample": 0.5]), [2, 1])
        #expect(models[0].encoded() == models[1].encoded())
        let all = try Self.fit(table, try Self.spec("t"), [2, 1])
        #expect(models[0].encoded() != all[0].encoded())
    }

    @Test(
        "what takes no part is refused before anything is fitted",
        .enabled(if: canJoin),
        arguments: [
            (["early_stopping": 5], "early_stopping"),
            (["engine": ["tree_method": "approx"]], "engine.tree_method"),
            (["engine": ["booster": "gblinear"]], "engine.booster"),
            (["engine": ["device": "cuda"]], "engine.device"),
        ] as [(SpecObject, String)])
    func refusals(options: SpecObject, place: String) throws {
        let table = try Self.rows(200, distinct: 20)
        let error = TestFit.error { _ = try Self.fit(table, try Self.spec("t", options), [1, 1]) }
        #expect(
            error?.kind == .unsupported && error?.location?.hasSuffix(place) == true,
            "\(String(describing: error))")
    }

    @Test(
        "a library that cannot join processes says which can",
        .enabled(if: XGBoostEstimator.isAvailable && !canJoin))
    func oldLibrary() throws {
        let table = try Self.rows(200, distinct: 20)
        let error = TestFit.error { _ = try Self.fit(table, try Self.spec("t"), [1, 1]) }
        #expect(error?.kind == .unsupported && error?.problem.contains("cannot join processes") == true)
        #expect(error?.remedy?.contains("3.0 or later") == true)
    }

    @Test("a process that fails ends all", .enabled(if: canJoin), arguments: [30, 60, 120, 200])
    func failures(calls: Int) throws {
        let table = try Self.rows(400, distinct: 20)
        let spec = try Self.spec("t")
        let fitter = try MetaLearnerFitter(spec)
        let results = ThreadGroup.run(2, failing: (rank: 1, after: calls)) { collective in
            let own = table.selecting(rows: (0..<200).map { Int32($0 + 200 * collective.rank) })
            let dataset = try CausalDataset(own, spec.data, partOf: collective)
            return try fitter.fit(dataset, ExecutionOptions(threads: 1, collective: collective))
        }.results
        for result in results {
            #expect(throws: MetaLearnersError.self) { try result.get() }
        }
    }
}
