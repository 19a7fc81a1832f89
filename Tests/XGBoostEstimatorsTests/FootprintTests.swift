import MetaLearnersCore
import Testing
import XGBoostEstimators
import _TestSupport

@Suite(.enabled(if: XGBoostEstimator.isAvailable && FootprintMeasure.isPossible)) struct FootprintTests {
    enum Case: String, Codable, CaseIterable { case folds, wideBins, classes, exact }

    private static func measure(_ item: Case) throws -> FootprintMeasure {
        var spec = XGBoostSpec()
        spec.trees = 3
        switch item {
        case .folds:
            // As many sets of rows as the store keeps matrices of.
            let data = try FootprintData(rows: 200_000, numbers: 30)
            let cache = FeatureCache()
            let tasks = try (0..<9).map { fold in
                let task = try data.task(.regression, without: Int32(fold))
                return try TrainingTask(
                    features: task.features, rows: task.rows, target: task.target, cache: cache)
            }
            return try FootprintMeasure(XGBoostEstimator(spec), tasks)
        case .wideBins:
            let data = try FootprintData(rows: 20_000, numbers: 10)
            spec.maxBins = 65_536
            spec.maxLeaves = 16
            return try FootprintMeasure(XGBoostEstimator(spec), [data.task(.regression)])
        case .classes:
            let data = try FootprintData(rows: 200_000, numbers: 5)
            return try FootprintMeasure(
                XGBoostEstimator(spec), [data.task(.classification(classes: 5), target: data.labels(5))])
        case .exact:
            let data = try FootprintData(rows: 200_000, numbers: 10)
            spec.engine = SpecObject([("tree_method", "exact")])
            spec.growth = .depthWise
            spec.maxLeaves = 0
            spec.maxDepth = 3
            return try FootprintMeasure(XGBoostEstimator(spec), [data.task(.regression)])
        }
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
