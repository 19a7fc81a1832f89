import MetaLearnersCore
import Testing
import _TestSupport

@testable import LinearEstimators

@Suite("Linear models of rows that several processes hold")
struct CollectiveLinearTests {
    private static let partitions = [[1, 1], [9, 1], [1, 0], [2, 0, 3]]
    private let context = ExecutionContext(threads: 2)

    /// The rows of each process, by their shares.
    private func ranges(_ count: Int, _ shares: [Int]) -> [Range<Int>] {
        let total = shares.reduce(0, +)
        return shares.indices.map { rank in
            shares[..<rank].reduce(0, +) * count / total..<shares[...rank].reduce(0, +) * count / total
        }
    }

    /// What each process makes of its part of `sample`.
    private func run<Result: Sendable>(
        _ sample: SampleTask, clusters: [Int32]? = nil, _ shares: [Int],
        _ body: @escaping @Sendable (TrainingTask, Range<Int>) throws -> Result
    ) throws -> [Result] {
        let ranges = ranges(sample.rows.count, shares)
        return try ThreadGroup.run(shares.count) { collective in
            let range = ranges[collective.rank]
            let own = sample.selecting(range.map { Int32($0) })
            let distribution = try DistributedRows(collective, rows: range.count)
            let task = try TrainingTask(
                features: own.table().distributed(distribution), rows: own.rows, target: own.target,
                weights: own.weights, clusters: clusters.map { Array($0[range]) }, objective: own.objective,
                seed: 5)
            let result = try body(task, range)
            try distribution.finish()
            return result
        }.results.map { try $0.get() }
    }

    private func bytes(_ model: any FittedEstimator) -> [UInt8] {
        var writer = BinaryWriter()
        model.encode(to: &writer)
        return writer.bytes
    }

    /// Checks that `estimator` gives the model of one process in every process.
    private func check(
        _ estimator: some BaseEstimator, _ sample: SampleTask, clusters: [Int32]? = nil, _ shares: [Int],
        _ name: String
    ) throws {
        let table = try sample.table()
        let alone = try estimator.fit(
            TrainingTask(
                features: table, rows: sample.rows, target: sample.target, weights: sample.weights,
                clusters: clusters, objective: sample.objective, seed: 5), context)
        let expected = try alone.predict(table, rows: nil, context)
        let models = try run(sample, clusters: clusters, shares) { [context] task, _ in
            try estimator.fit(task, context)
        }
        for model in models {
            let found = try model.predict(table, rows: nil, context)
            #expect(largestDifference(found, expected) < 1e-9, "\(name), \(shares)")
            #expect(model.warnings == alone.warnings)
            #expect(bytes(model) == bytes(models[0]), "\(name), \(shares)")
        }
    }

    @Test("Penalties that the data choose are those of one process", arguments: partitions)
    func chosenPenalties(shares: [Int]) throws {
        var sample = try SampleTask(rows: 120, seed: 3)
        for selection in [RidgeSelection.gcv, .loo, .cv] {
            try check(RidgeEstimator(RidgeSpec(selection: selection)), sample, shares, "\(selection)")
        }
        sample.weights = (0..<120).map { Double($0 % 4) }
        try check(RidgeEstimator(RidgeSpec(selection: .cv)), sample, shares, "weighted")
        for selection in [LambdaSelection.min, .oneStandardError] {
            try check(LassoEstimator(LassoSpec(selection: selection)), sample, shares, "lasso")
            try check(ElasticNetEstimator(ElasticNetSpec(selection: selection)), sample, shares, "net")
        }
        try check(LassoEstimator(LassoSpec(lambda: 0.05)), sample, shares, "given")
        let clusters = (0..<120).map { Int32($0 * 7 % 13) }
        try check(LassoEstimator(), sample, clusters: clusters, shares, "clusters")
        sample.objective = .residual(regressor: (0..<120).map { Double($0 % 5) / 3 - 0.6 })
        try check(LassoEstimator(), sample, shares, "residual")
    }

    @Test(
        "Curves and products are those of one process, also with more columns than rows",
        arguments: partitions)
    func expansions(shares: [Int]) throws {
        let sample = try SampleTask(rows: 90, seed: 4)
        for expansion in [FeatureExpansion.splines, .splinesInteractions] {
            var ridge = RidgeSpec(l2: 2)
            ridge.expansion = expansion
            try check(RidgeEstimator(ridge), sample, shares, "ridge on \(expansion)")
            var lasso = LassoSpec()
            lasso.expansion = expansion
            try check(LassoEstimator(lasso), sample, shares, "lasso on \(expansion)")
        }
        let few = try SampleTask(rows: 30, seed: 6)
        var ridge = RidgeSpec(selection: .cv)
        ridge.expansion = .splinesInteractions
        try check(RidgeEstimator(ridge), few, shares, "few rows")
    }

    @Test("Logistic models are those of one process, whatever penalty they have", arguments: partitions)
    func logistic(shares: [Int]) throws {
        var chosen = LogisticSpec()
        chosen.selection = .min
        chosen.pathLength = 8
        var sparse = LogisticSpec()
        (sparse.l1, sparse.l2) = (2, 0)
        var curved = LogisticSpec()
        curved.expansion = .splinesInteractions
        for classes in 2...3 {
            let sample = try SampleTask(rows: 150, seed: 8, classes: classes)
            for (name, spec) in [("chosen", chosen), ("l1", sparse), ("curved", curved)] {
                try check(LogisticEstimator(spec), sample, shares, "\(name), \(classes) classes")
            }
            // By products with the Hessian, which nobody makes as a whole.
            var wide = try LogisticEstimator(LogisticSpec())
            wide.denseLimit = 4
            try check(wide, sample, shares, "wide, \(classes) classes")
        }
    }

    @Test("Rows are cut into parts for threads without a change of the model")
    func parts() throws {
        let sample = try SampleTask(rows: 20_000, seed: 9, classes: 2)
        try check(LogisticEstimator(), sample, [2, 0, 3], "many rows")
    }

    @Test(
        "Paths over shared columns are those of one process, level scores and modulation included",
        arguments: partitions)
    func paths(shares: [Int]) throws {
        var sample = try SampleTask(rows: 400, seed: 11)
        var stream = RandomStream(seed: 12)
        let codes = (0..<400).map { _ in Int32(stream.integer(below: 70)) }
        sample.columns.append(
            Column("large", codes: StridedValues(codes), levels: (0..<70).map { "\($0)" }))
        sample.weights = (0..<400).map { Double(1 + $0 % 3) }
        let folds = try FoldAssignment((0..<400).map { Int32($0 % 3) }, count: 3)
        let modulation = (0..<400).map { Double($0 % 7) / 7 - 0.5 }
        let binary = sample.target.map { $0 > 0.5 ? 1.0 : 0 }
        @Sendable func paths(_ task: TrainingTask, _ rows: Range<Int>) throws -> [LinearFoldPath] {
            let own = try FoldAssignment(part: RowCodes(Array(folds.folds[rows])), count: 3)
            let design = try LassoEstimator.makeDesign(
                task.features, weights: task.weights, largest: .splinesInteractions,
                scoring: LevelScoring(targets: [task.target], folds: Array(own.folds)), context)
            let classified = try TrainingTask(
                features: task.features, rows: task.rows, target: Array(binary[rows]), weights: task.weights,
                objective: .classification(classes: 2))
            return [
                try LassoEstimator().fitFolds(
                    design, .splinesInteractions, task, own, modulation: nil, context),
                try LassoEstimator().fitFolds(
                    design, .none, task, own,
                    modulation: DesignModulation(
                        Array(modulation[rows]), mainFactor: 20, map: .none, columnFactor: 2), context),
                try RidgeEstimator().fitFolds(design, .none, task, own, modulation: nil, context),
                try LogisticEstimator().fitFolds(design, .none, classified, own, modulation: nil, context),
            ]
        }
        let alone = try paths(
            TrainingTask(
                features: sample.table(), rows: sample.rows, target: sample.target, weights: sample.weights,
                seed: 5), 0..<400)
        let parts = try run(sample, shares) { task, rows in try paths(task, rows) }
        for path in alone.indices {
            let outOfFold = parts.flatMap { $0[path].outOfFold }
            #expect(largestDifference(outOfFold, alone[path].outOfFold) < 1e-9)
            let slopes = parts.flatMap { $0[path].outOfFoldSlopes }
            #expect(largestDifference(slopes, alone[path].outOfFoldSlopes) < 1e-9)
            for part in parts {
                for fold in 0..<3 {
                    let (own, other) = (part[path].functions[fold], alone[path].functions[fold])
                    #expect(largestDifference(own.coefficients, other.coefficients) < 1e-9)
                    #expect(own.coefficients == parts[0][path].functions[fold].coefficients)
                    #expect(own.intercept == parts[0][path].functions[fold].intercept)
                }
            }
        }
    }

    @Test("Knots of many rows come from the same rows in every partition", arguments: [[1, 1], [2, 0, 3]])
    func knots(shares: [Int]) throws {
        var stream = RandomStream(seed: 13)
        let values = (0..<5000).map { _ in stream.uniform() }
        let weights = (0..<5000).map { _ in 1 + stream.uniform() }
        let alone = try KnotRows(weights, limit: 1000, nil)
        let ranges = ranges(5000, shares)
        let parts = try ThreadGroup.run(shares.count) { collective in
            let range = ranges[collective.rank]
            let distribution = try DistributedRows(collective, rows: range.count)
            let rows = try KnotRows(Array(weights[range]), limit: 1000, distribution)
            return (rows.weights, try rows.values(Array(values[range])))
        }.results.map { try $0.get() }
        #expect(alone.weights.count == 1000 && alone.places?.count == 1000)
        let expected = try alone.values(values)
        for part in parts {
            #expect(part.0 == alone.weights && part.1 == expected)
        }
        let spline = try SplineEncoding(
            values, weights: weights, totalWeight: weights.reduce(0, +), factor: 1, range: 0...1, alone, nil)
        for (knot, quantile) in zip(spline.knots, [0.05, 0.275, 0.5, 0.725, 0.95]) {
            #expect(abs(knot - quantile) < 0.03)
        }
        // Columns are standardised over all rows, not those that gave the knots.
        for column in spline.columns {
            let standardised = values.map { column($0) }
            let mean = zip(standardised, weights).reduce(0) { $0 + $1.0 * $1.1 } / weights.reduce(0, +)
            #expect(abs(mean) < 1e-9)
        }
    }
}
