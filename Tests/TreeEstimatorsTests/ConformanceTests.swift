import MetaLearnersCore
import Testing
import TreeEstimators
import _TestSupport

@Suite struct ConformanceTests {
    @Test("boosted trees keep the contract of every backend", arguments: ConformanceCheck.allCases)
    func boostedTrees(check: ConformanceCheck) throws {
        var spec = TreesSpec()
        spec.trees = 5
        spec.minLeafSize = 3
        #expect(try EstimatorConformance<BoostedTrees>(spec, .summarisesAllRows).violations(of: check) == [])
    }
}
