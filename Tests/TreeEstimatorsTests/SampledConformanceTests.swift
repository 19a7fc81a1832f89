import MetaLearnersCore
import Testing
import TreeEstimators
import _TestSupport

@Suite("Boosted trees that sample conform")
struct SampledConformanceTests {
    private static func spec(_ change: (inout TreesSpec) -> Void = { _ in }) -> TreesSpec {
        var spec = TreesSpec()
        spec.trees = 20
        spec.learningRate = 0.3
        change(&spec)
        return spec
    }

    @Test("sampling rows and columns", arguments: ConformanceCheck.allCases)
    func sampled(check: ConformanceCheck) throws {
        let spec = Self.spec {
            $0.rowSample = 0.7
            $0.columnSample = 0.7
            $0.minLeafSize = 3
        }
        // A weighted mean is only expected of a learner that uses every row.
        guard check != .weights else { return }
        #expect(
            try EstimatorConformance<TreesEstimator>(spec, .summarisesAllRows).violations(of: check) == [])
    }
}
