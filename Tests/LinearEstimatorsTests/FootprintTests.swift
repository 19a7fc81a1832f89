import LinearEstimators
import MetaLearnersCore
import Testing
import _TestSupport

@Suite(.enabled(if: FootprintMeasure.isPossible)) struct FootprintTests {
    enum Case: String, Codable, CaseIterable {
        case manyRows, manyLevels, moreColumnsThanRows, interactions, ridge, ridgeByFolds, lasso
        case elasticNet, logistic, logisticOfLevels, classes
    }

    private static func measure(_ item: Case) throws -> FootprintMeasure {
        switch item {
        case .manyRows:
            let data = try FootprintData(rows: 200_000, numbers: 5)
            return try FootprintMeasure(OLSEstimator(), [data.task(.regression, weighted: true)])
        case .manyLevels:
            let data = try FootprintData(rows: 6000, numbers: 2, levels: 1200)
            return try FootprintMeasure(OLSEstimator(), [data.task(.regression)])
        case .moreColumnsThanRows:
            let data = try FootprintData(rows: 600, numbers: 1500)
            return try FootprintMeasure(RidgeEstimator(), [data.task(.regression)])
        case .interactions:
            let data = try FootprintData(rows: 3000, numbers: 45)
            var spec = RidgeSpec()
            spec.expansion = .splinesInteractions
            return try FootprintMeasure(RidgeEstimator(spec), [data.task(.residual(regressor: data.weights))])
        case .ridge:
            let data = try FootprintData(rows: 3000, numbers: 2, levels: 900)
            return try FootprintMeasure(
                RidgeEstimator(RidgeSpec(selection: .gcv)), [data.task(.regression)])
        case .ridgeByFolds:
            let data = try FootprintData(rows: 2000, numbers: 2, levels: 500)
            return try FootprintMeasure(RidgeEstimator(RidgeSpec(selection: .cv)), [data.task(.regression)])
        case .lasso:
            let data = try FootprintData(rows: 3000, numbers: 2, levels: 700)
            return try FootprintMeasure(LassoEstimator(), [data.task(.regression)])
        case .elasticNet:
            let data = try FootprintData(rows: 200, numbers: 2500)
            return try FootprintMeasure(ElasticNetEstimator(), [data.task(.regression)])
        case .logistic:
            let data = try FootprintData(rows: 100_000, numbers: 10)
            return try FootprintMeasure(
                LogisticEstimator(), [data.task(.classification(classes: 2), target: data.labels(2))])
        case .logisticOfLevels:
            let data = try FootprintData(rows: 4000, numbers: 2, levels: 900)
            return try FootprintMeasure(
                LogisticEstimator(), [data.task(.classification(classes: 2), target: data.labels(2))])
        case .classes:
            let data = try FootprintData(rows: 30_000, numbers: 20)
            return try FootprintMeasure(
                LogisticEstimator(), [data.task(.classification(classes: 4), target: data.labels(4))])
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
