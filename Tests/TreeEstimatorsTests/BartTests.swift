import MetaLearnersCore
import Testing
import _TestSupport

@testable import TreeEstimators

@Suite("Bayesian additive regression trees")
struct BartTests {
    private func fit(_ task: TrainingTask, _ spec: BartSpec = BartSpec(), threads: Int = 1) throws
        -> any FittedEstimator
    {
        try BartEstimator(spec).fit(task, ExecutionContext(threads: threads))
    }

    private func error(_ values: [Double], _ truth: [Double]) -> Double {
        (zip(values, truth).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) } / Double(truth.count))
            .squareRoot()
    }

    /// What the rows of a problem of the fixture are, which to learn from, and the error on the others.
    private func errorOnFreshRows(_ key: String, _ spec: BartSpec) throws -> (ours: Double, theirs: [Double])
    {
        let fixture = try Fixture("bart")
        let problem = try fixture.part(key)
        let table = try numericTable(try fixture.lists("columns"))
        let train = Int32(try fixture.number("train"))
        let objective: TrainingTask.Objective =
            key == "regression" ? .regression : .coefficient(regressor: try problem.numbers("regressor"))
        let task = try TrainingTask(
            features: table, rows: Array(0..<train), target: try problem.numbers("target"),
            objective: objective, seed: 1)
        let fresh = Array(train..<Int32(table.rowCount))
        let values = try fit(task, spec).predict(table, rows: fresh, ExecutionContext())
        let truth = try problem.numbers("truth")
        let errors = try #require(problem.part("error").value.objectValue)
        return (
            error(values, fresh.map { truth[Int($0)] }), errors.entries.compactMap { $0.value.doubleValue }
        )
    }

    @Test("A sum of trees comes as near to the truth as stochtree's")
    func regression() throws {
        let (ours, theirs) = try errorOnFreshRows("regression", BartSpec())
        #expect(theirs.count == 2)
        #expect(ours < 1.05 * (theirs.max() ?? 0))
    }

    @Test("A coefficient beside its level comes as near to the truth as stochtree's Bayesian causal forest")
    func coefficient() throws {
        let (ours, theirs) = try errorOnFreshRows("coefficient", BartSpec())
        #expect(theirs.count == 2)
        #expect(ours < 1.1 * (theirs.min() ?? 0))
    }

    @Test("Splits and leaves are drawn as often as Bayes' theorem says")
    func posterior() throws {
        // Two columns of two values each: two ways to split, and none; then no side can be split by the same column again.
        let first: [Double] = [0, 0, 0, 0, 0, 1, 1, 1, 1, 1]
        let second: [Double] = [0, 1, 0, 1, 0, 1, 0, 1, 0, 1]
        let residuals = [-0.9, -0.1, -0.6, 0.2, -0.4, 0.8, 0.1, 0.7, 0.3, 0.6]
        let table = try numericTable([first, second])
        let matrix = try BinStore().matrix(table, limits: .narrow(10), ExecutionContext())
        let rows = try BartRows(matrix, Array(0..<10))
        let prior = BartTreeGrower.Prior(splitProbability: 0.6, splitDecay: 60, leastLeaf: 5)
        let grower = try BartTreeGrower(rows, prior, mostColumns: 2, nil)
        try grower.choose([0, 1])
        let unit = 1e6
        for (row, residual) in residuals.enumerated() {
            grower.numbers.start[row] = SIMD2(Int32((residual * unit).rounded()), Int32(unit))
        }
        let (variance, noise) = (0.5, 0.8)
        let scale = BartTreeGrower.Scale(
            leafVariance: variance, gradient: 1 / (unit * noise), hessian: 1 / (unit * noise))
        // The density of residuals that share a normal mean: N(0, σ²I + s·11ᵀ), but for a factor that all partitions have.
        func evidence(_ values: [Double]) -> Double {
            let (sum, count) = (values.reduce(0, +), Double(values.count))
            let inflated = noise + count * variance
            return Double.exp(variance * sum * sum / (2 * noise * inflated)) * (noise / inflated).squareRoot()
        }
        func split(_ column: [Double]) -> Double {
            evidence(residuals.indices.filter { column[$0] == 0 }.map { residuals[$0] })
                * evidence(residuals.indices.filter { column[$0] == 1 }.map { residuals[$0] })
        }
        let weights = [0.4 * evidence(residuals), 0.3 * split(first), 0.3 * split(second)]
        let total = weights.reduce(0, +)
        var counts = [0, 0, 0]
        var stream = RandomStream(seed: 5)
        let draws = 20_000
        var values: [Double] = []
        for _ in 0..<draws {
            let tree = try grower.grow(scale, &stream)
            #expect(tree.splits.count < 2)
            let column = tree.splits.first.map { $0.candidate.feature + 1 } ?? 0
            counts[column] += 1
            if column == 1 { values.append(tree.values[0]) }
        }
        for (count, weight) in zip(counts, weights) {
            let share = weight / total
            let deviation = (share * (1 - share) / Double(draws)).squareRoot()
            #expect(abs(Double(count) / Double(draws) - share) < 4 * deviation)
        }
        // The left leaf of the first column: five residuals of sum −1.8.
        let precision = 1 / variance + 5 / noise
        let mean = values.reduce(0, +) / Double(values.count)
        let spread =
            values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(values.count)
        #expect(abs(mean - -1.8 / noise / precision) < 4 / (precision * Double(values.count)).squareRoot())
        #expect(abs(spread * precision - 1) < 4 * (2 / Double(values.count)).squareRoot())
    }

    @Test("Normal and Gamma draws have their moments", arguments: [1.0, 2.5, 40, 3000])
    func draws(shape: Double) {
        var stream = RandomStream(seed: 9)
        let count = 100_000
        func moments(_ draw: () -> Double) -> (mean: Double, variance: Double) {
            let values = (0..<count).map { _ in draw() }
            let mean = values.reduce(0, +) / Double(count)
            return (mean, values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(count))
        }
        let gamma = moments { stream.gamma(shape: shape) }
        #expect(abs(gamma.mean - shape) < 4 * (shape / Double(count)).squareRoot())
        #expect(abs(gamma.variance / shape - 1) < 0.05)
        let normal = moments { stream.standardNormal() }
        #expect(abs(normal.mean) < 4 / Double(count).squareRoot())
        #expect(abs(normal.variance - 1) < 0.02)
    }

    /// Rows with a step, a curve, gaps and categories; `wide` columns of noise beside them.
    private func sample(rows: Int, wide: Int = 0) throws -> (
        table: Table, target: [Double], treatment: [Double], effect: [Double]
    ) {
        var numbers = TestNumbers(3)
        let x = numbers.uniform(rows)
        var z = numbers.uniform(rows)
        let levels = numbers.integers(rows, below: 5)
        let noise = (0..<4).map { _ in numbers.uniform(rows) }
        let treatment = numbers.integers(rows, below: 2)
        for row in stride(from: 0, to: rows, by: 6) { z[row] = .nan }
        let effect = (0..<rows).map { (x[$0] > 0.5 ? 2.0 : 0) + (levels[$0] == 3 ? 1.5 : 0) }
        let target = (0..<rows).map { row in
            let gap = z[row].isNaN ? 2 : z[row]
            let error = noise.reduce(-2) { $0 + $1[row] }
            return gap + treatment[row] * effect[row] + error
        }
        var columns = [
            Column("x", x), Column("z", z),
            Column(
                "level", codes: StridedValues(levels.map { Int32($0) }), levels: ["a", "b", "c", "d", "e"]),
        ]
        for column in 0..<wide { columns.append(Column("noise\(column)", numbers.uniform(rows))) }
        return (try Table(columns), target, treatment, effect)
    }

    private func task(
        _ table: Table, _ target: [Double], _ objective: TrainingTask.Objective, weights: [Double]? = nil
    ) throws -> TrainingTask {
        try TrainingTask(
            features: table, rows: Array(0..<Int32(table.rowCount)), target: target, weights: weights,
            objective: objective, seed: 4)
    }

    @Test(
        "Steps, gaps and levels are found, also among more columns than a sweep may split by",
        arguments: [0, 60])
    func finds(wide: Int) throws {
        let (table, target, treatment, effect) = try sample(rows: 1500, wide: wide)
        let model = try fit(try task(table, target, .coefficient(regressor: treatment)))
        let values = try model.predict(table, rows: nil, ExecutionContext())
        #expect(error(values, effect) < 0.2)
        // The regressor less its mean, which the R-learner has.
        let residual = try fit(
            try task(
                table, zip(target, zip(treatment, effect)).map { $0 - 0.5 * $1.1 },
                .residual(regressor: treatment.map { $0 - 0.5 })))
        #expect(error(try residual.predict(table, rows: nil, ExecutionContext()), effect) < 0.4)
    }

    @Test("Rows of weight 0 do not count, and the unit of weights has no meaning")
    func weights() throws {
        let (table, target, treatment, _) = try sample(rows: 300)
        let objective = TrainingTask.Objective.coefficient(regressor: treatment)
        let weights = (0..<300).map { Double($0 % 3) }
        let bytes = encoded(try fit(try task(table, target, objective, weights: weights)))
        #expect(
            encoded(try fit(try task(table, target, objective, weights: weights.map { 1024 * $0 }))) == bytes)
        let changed = target.enumerated().map { weights[$0] == 0 ? 1e6 : $1 }
        #expect(encoded(try fit(try task(table, changed, objective, weights: weights))) == bytes)
        #expect(encoded(try fit(try task(table, target, objective))) != bytes)
        // Weights whose squares leave the range of numbers.
        for unit in [1e-170, 1e200] {
            let model = try fit(try task(table, target, objective, weights: weights.map { unit * $0 }))
            #expect(try model.predict(table, rows: nil, ExecutionContext()).allSatisfy(\.isFinite))
        }
    }

    @Test("The rounding errors of a mean are no variation")
    func roundedMean() throws {
        let (table, _, _, _) = try sample(rows: 60)
        let weights = (0..<60).map { 1 + 0.37 * Double($0 % 7) }
        let model = try fit(
            try task(table, [Double](repeating: 0.3, count: 60), .regression, weights: weights))
        let values = try model.predict(table, rows: nil, ExecutionContext())
        #expect(Set(values).count == 1 && abs(values[0] - 0.3) < 1e-15)
    }

    @Test("A leaf may ask for more rows than there can be")
    func leastLeaf() throws {
        let (table, target, _, _) = try sample(rows: 60)
        var spec = BartSpec()
        spec.minLeafSize = .max
        let values = try fit(try task(table, target, .regression), spec).predict(
            table, rows: nil, ExecutionContext())
        #expect(Set(values).count == 1)
    }

    @Test("A fit ends within a sweep when it is cancelled")
    func cancelled() throws {
        let (table, target, _, _) = try sample(rows: 60)
        let context = ExecutionContext()
        context.cancellation.cancel()
        #expect { try BartEstimator(BartSpec()).fit(try task(table, target, .regression), context) } throws: {
            ($0 as? MetaLearnersError)?.kind == .cancelled
        }
    }

    @Test(
        "Whatever the target is measured in, predictions are measured in",
        arguments: [1e-200, 1e-40, 1024, 1e40, 1e300])
    func units(unit: Double) throws {
        let (table, target, treatment, _) = try sample(rows: 300)
        let objective = TrainingTask.Objective.coefficient(regressor: treatment)
        let plain = try fit(try task(table, target, objective)).predict(table, rows: nil, ExecutionContext())
        let scaled = try fit(try task(table, target.map { $0 * unit }, objective)).predict(
            table, rows: nil, ExecutionContext())
        for (value, other) in zip(plain, scaled) { #expect(abs(other / unit - value) < 1e-4) }
        guard unit < 1e200 else { return }
        // A coefficient's unit is one of the regressor.
        for objective in [
            TrainingTask.Objective.coefficient(regressor: treatment.map { $0 / unit }),
            .residual(regressor: treatment.map { ($0 - 0.5) / unit }),
        ] {
            let values = try fit(try task(table, target, objective)).predict(
                table, rows: nil, ExecutionContext())
            #expect(values.allSatisfy { $0.isFinite && abs($0) < 100 * unit })
            guard case .coefficient = objective else { continue }
            for (value, other) in zip(plain, values) { #expect(abs(other / unit - value) < 1e-4) }
        }
    }

    @Test("Where nothing varies there are no trees: the mean, or no effect")
    func constants() throws {
        let (table, _, treatment, _) = try sample(rows: 60)
        let target = [Double](repeating: 7, count: 60)
        for (objective, value) in [
            (TrainingTask.Objective.regression, 7.0), (.coefficient(regressor: treatment), 0),
        ] {
            let values = try fit(try task(table, target, objective)).predict(
                table, rows: nil, ExecutionContext())
            #expect(values.allSatisfy { $0 == value })
        }
        let none = try fit(
            try task(table, treatment, .coefficient(regressor: [Double](repeating: 0, count: 60))))
        #expect(try none.predict(table, rows: nil, ExecutionContext()).allSatisfy { $0 == 0 })
    }

    @Test(
        "The bytes are those of one process, whoever holds the rows",
        arguments: [[1, 1], [5, 1], [2, 0, 1]])
    func collective(shares: [Int]) throws {
        let (table, target, treatment, _) = try sample(rows: 240, wide: 40)
        var few = BartSpec()
        (few.trees, few.effectTrees, few.sweeps, few.burnIn) = (4, 3, 5, 2)
        let spec = few
        let weights = (0..<240).map { 1 + Double($0 % 4) }
        let total = shares.reduce(0, +)
        let objectives: [@Sendable (Range<Int>) -> TrainingTask.Objective] = [
            { _ in .regression }, { .residual(regressor: treatment[$0].map { $0 - 0.4 }) },
            { .coefficient(regressor: Array(treatment[$0])) },
        ]
        for objective in objectives {
            let whole = try task(table, target, objective(0..<240), weights: weights)
            let alone = encoded(try fit(whole, spec))
            #expect(encoded(try fit(whole, spec, threads: 3)) == alone)
            let parts = try ThreadGroup.run(shares.count) { collective in
                let first = shares[..<collective.rank].reduce(0, +) * 240 / total
                let range = first..<first + shares[collective.rank] * 240 / total
                let distribution = try DistributedRows(collective, rows: range.count)
                let own = try TrainingTask(
                    features: table.selecting(rows: range.map { Int32($0) }).distributed(distribution),
                    rows: Array(0..<Int32(range.count)), target: Array(target[range]),
                    weights: Array(weights[range]),
                    objective: objective(range), seed: 4)
                let model = try BartEstimator(spec).fit(own, ExecutionContext())
                try distribution.finish()
                return encoded(model)
            }.results.map { try $0.get() }
            for part in parts {
                let isSame = part == alone
                #expect(isSame)
            }
        }
    }

    @Test("What it cannot do is said")
    func refused() throws {
        var spec = BartSpec()
        spec.burnIn = spec.sweeps
        #expect { try BartEstimator(spec) } throws: { ($0 as? MetaLearnersError)?.kind == .invalidSpec }
        let (table, target, _, _) = try sample(rows: 60)
        let count = try task(table, target.map { max(0, $0.rounded()) }, .count)
        #expect { try fit(count) } throws: { ($0 as? MetaLearnersError)?.kind == .unsupported }
    }
}
