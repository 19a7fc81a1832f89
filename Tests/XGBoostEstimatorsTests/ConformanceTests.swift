import MetaLearnersCore
import Testing
import XGBoostEstimators
import _TestSupport

@Suite("XGBoost conforms", .enabled(if: XGBoostEstimator.isAvailable, "XGBoost is not installed"))
struct ConformanceTests {
    @Test("the backend keeps the contract of base estimators", arguments: ConformanceCheck.allCases)
    func conforms(check: ConformanceCheck) throws {
        var spec = XGBoostSpec()
        spec.trees = 30
        spec.learningRate = 0.3
        spec.minLeafSize = 3
        #expect(try EstimatorConformance<XGBoostEstimator>(spec).violations(of: check) == [])
    }

    @Test(
        "it keeps it with sampling, early stopping and depth-wise growth too",
        arguments: [
            ConformanceCheck.capabilities, .determinism, .coding, .cancellation, .features, .rowSubsets,
        ])
    func conformsWithSampling(check: ConformanceCheck) throws {
        var spec = XGBoostSpec()
        spec.trees = 12
        spec.learningRate = 0.3
        spec.minLeafSize = 2
        spec.rowSample = 0.7
        spec.columnSample = 0.7
        spec.earlyStopping = 5
        spec.maxLeaves = 0
        spec.maxDepth = 3
        spec.growth = .depthWise
        #expect(try EstimatorConformance<XGBoostEstimator>(spec).violations(of: check) == [])
    }
}
