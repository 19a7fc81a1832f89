import MetaLearnersCore
import Testing
import TreeEstimators
import _TestSupport

@Suite("Boosted trees conform")
struct ConformanceTests {
    private static func spec(_ change: (inout TreesSpec) -> Void = { _ in }) -> TreesSpec {
        var spec = TreesSpec()
        spec.trees = 20
        spec.learningRate = 0.3
        change(&spec)
        return spec
    }

    @Test("leaf-wise", arguments: ConformanceCheck.allCases)
    func leafWise(check: ConformanceCheck) throws {
        #expect(
            try EstimatorConformance<BoostedTrees>(Self.spec { $0.minLeafSize = 1 }, .summarisesAllRows)
                .violations(of: check) == [])
    }

    @Test("sampling rows and columns, stopping early", arguments: ConformanceCheck.allCases)
    func sampled(check: ConformanceCheck) throws {
        let spec = Self.spec {
            $0.rowSample = 0.7
            $0.columnSample = 0.7
            $0.minLeafSize = 3
        }
        // A weighted mean is only expected of a learner that uses every row.
        guard check != .weights else { return }
        #expect(try EstimatorConformance<BoostedTrees>(spec, .summarisesAllRows).violations(of: check) == [])
    }
}
