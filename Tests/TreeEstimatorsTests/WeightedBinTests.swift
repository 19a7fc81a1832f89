import MetaLearnersCore
import Testing
import TreeEstimators

/// Bins of columns whose rows have weights.
@Suite struct WeightedBinTests {
    /// A step within a stretch that holds one row in 100 and most of the weight; few bins for all.
    private func step(rows: Int) -> (column: [Double], target: [Double], weights: [Double]) {
        var numbers = TestNumbers(61)
        let column = numbers.uniform(rows)
        let target = column.map { $0 > 0.505 ? 1.0 : 0 }
        let weights = column.map { $0 > 0.5 && $0 < 0.51 ? 1000.0 : 1 }
        return (column, target, weights)
    }

    private func error(rows: Int, weighted: Bool, cache: FeatureCache? = nil) throws -> Double {
        let (column, target, weights) = step(rows: rows)
        let table = try numericTable([column])
        var spec = plainSpec(trees: 1, leaves: 8)
        spec.maxBins = 16
        let task = try TrainingTask(
            features: table, rows: (0..<Int32(rows)).map { $0 }, target: target,
            weights: weighted ? weights : nil, cache: cache)
        let model = try TreesEstimator(spec).fit(task, ExecutionContext(threads: 2))
        var sum = 0.0
        var total = 0.0
        for (fitted, row) in zip(try predictions(model, table), 0..<rows) {
            sum += weights[row] * (fitted - target[row]) * (fitted - target[row])
            total += weights[row]
        }
        return sum / total
    }

    @Test("bins are finer where the weight is, of all rows and of a sample", arguments: [3000, 210_000])
    func quantiles(rows: Int) throws {
        #expect(try error(rows: rows, weighted: true) < 0.01)
    }

    @Test("fits that share bins share those of the dataset's weights, whichever comes first")
    func sharing() throws {
        let plain = FeatureCache()
        #expect(try error(rows: 3000, weighted: true, cache: plain) > 0.05)
        let weights = step(rows: 3000).weights
        for isWeightedFirst in [true, false] {
            let cache = FeatureCache(rowWeights: weights)
            if !isWeightedFirst { _ = try error(rows: 3000, weighted: false, cache: cache) }
            #expect(try error(rows: 3000, weighted: true, cache: cache) < 0.01)
        }
    }

    @Test("equal weights, of any size, change no bin; nor do weights where numbers are few")
    func unchanged() throws {
        var numbers = TestNumbers(62)
        let table = try numericTable([numbers.uniform(2000), numbers.integers(2000, below: 40)])
        let target = numbers.uniform(2000)
        var spec = plainSpec(trees: 3, leaves: 8)
        spec.maxBins = 50
        let one = try predictions(try fitTrees(spec, table, target), table)
        let seven = try fitTrees(spec, table, target, weights: target.map { _ in 7 })
        #expect(distance(try predictions(seven, table), one) < 1e-6)
        let few = try numericTable([table.columns[1].values.doubles()])
        let weights = numbers.uniform(2000)
        let rows = (0..<Int32(2000)).map { $0 }
        let models = try [nil, weights].map { rowWeights in
            let task = try TrainingTask(
                features: few, rows: rows, target: target, weights: weights,
                cache: FeatureCache(rowWeights: rowWeights))
            return encoded(try TreesEstimator(spec).fit(task, ExecutionContext()))
        }
        #expect(models[0] == models[1])
    }

    @Test("weights that no fit may use, and any magnitude, spoil no bin")
    func oddWeights() throws {
        let (column, target, weights) = step(rows: 3000)
        let table = try numericTable([column])
        var spec = plainSpec(trees: 1, leaves: 4)
        spec.maxBins = 16
        var odd = weights.map { $0 * 1e300 }
        odd[0] = .nan
        odd[1] = .infinity
        odd[2] = -1
        let task = try TrainingTask(
            features: table, rows: (3..<Int32(3000)).map { $0 }, target: target,
            cache: FeatureCache(rowWeights: odd))
        let model = try TreesEstimator(spec).fit(task, ExecutionContext())
        let near = column.indices.filter { $0 > 2 && abs(column[$0] - 0.505) < 0.004 }
        let fitted = try predictions(model, table)
        #expect(near.allSatisfy { abs(fitted[$0] - target[$0]) < 0.5 })
    }
}
