import MetaLearnersCore
import Testing
import TreeEstimators
import _TestSupport

@Suite(.enabled(if: FootprintMeasure.isPossible)) struct FootprintTests {
    enum Case: String, Codable, CaseIterable {
        case regression, weighted, residual, binary, classes, counts, quantile, sampled
        case wideBins, levels, severalResiduals, severalTargets, sharedTrees, manyTrees
        case forest, honestForest, classForest, bart, bartOfEffects
    }

    private static func measure(_ item: Case) throws -> FootprintMeasure {
        var spec = TreesSpec()
        spec.trees = 2
        switch item {
        case .wideBins, .levels: break
        case .forest, .honestForest, .classForest: return try measureForest(item)
        case .bart, .bartOfEffects: return try measureBart(item)
        case .manyTrees:
            let data = try FootprintData(rows: 3000, numbers: 4)
            spec.trees = 400
            spec.maxLeaves = 200
            spec.minLeafSize = 1
            return try FootprintMeasure(TreesEstimator(spec), [data.task(.regression)])
        default: break
        }
        if item == .wideBins || item == .levels {
            spec.maxLeaves = 32
            spec.maxBins = item == .wideBins ? 65_535 : 255
            let data = try FootprintData(
                rows: 20_000, numbers: item == .wideBins ? 8 : 4, levels: item == .levels ? 20_000 : 0)
            return try FootprintMeasure(TreesEstimator(spec), [data.task(.regression)])
        }
        let data = try FootprintData(rows: 200_000, numbers: 8)
        let others = [data.weights, data.labels(2), data.weights.map { $0 - 0.5 }]
        let task: TrainingTask
        switch item {
        case .weighted: task = try data.task(.regression, weighted: true)
        case .residual: task = try data.task(.residual(regressor: data.weights), weighted: true)
        case .binary: task = try data.task(.classification(classes: 2), target: data.labels(2))
        case .classes, .sharedTrees:
            spec.multiOutput = item == .sharedTrees
            task = try data.task(.classification(classes: 6), target: data.labels(6))
        case .counts: task = try data.task(.count, target: data.labels(5))
        case .quantile: task = try data.task(.quantile(level: 0.3))
        case .severalResiduals: task = try data.task(.multiResidual(regressors: others))
        case .severalTargets: task = try data.task(.multiRegression(others: others))
        case .sampled:
            spec.rowSample = 0.8
            spec.earlyStopping = 2
            task = try data.task(.regression)
        default: task = try data.task(.regression)
        }
        return try FootprintMeasure(TreesEstimator(spec), [task])
    }

    private static func measureBart(_ item: Case) throws -> FootprintMeasure {
        let data = try FootprintData(rows: 100_000, numbers: 8)
        var spec = BartSpec()
        spec.sweeps = 3
        spec.burnIn = 1
        let task =
            item == .bart
            ? try data.task(.regression) : try data.task(.coefficient(regressor: data.labels(2)))
        return try FootprintMeasure(BartEstimator(spec), [task])
    }

    private static func measureForest(_ item: Case) throws -> FootprintMeasure {
        let data = try FootprintData(rows: 20_000, numbers: 4)
        var spec = ForestSpec()
        spec.trees = 40
        spec.minLeafSize = 1
        spec.honest = item == .honestForest
        let task =
            item == .classForest
            ? try data.task(.classification(classes: 5), target: data.labels(5)) : try data.task(.regression)
        return try FootprintMeasure(ForestEstimator(spec), [task])
    }

    @Test("a fit takes about the memory that its footprint says", arguments: Case.allCases)
    func footprint(item: Case) async throws {
        let result = await #expect(processExitsWith: .success, observing: [\.standardOutputContent]) {
            [item] in
            print(try Self.measure(item).line)
        }
        let measure = try #require(FootprintMeasure(result?.standardOutputContent ?? []))
        #expect(measure.isAbout, "\(item): \(measure)")
    }
}
