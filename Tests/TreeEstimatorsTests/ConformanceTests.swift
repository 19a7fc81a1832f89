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
        #expect(
            try EstimatorConformance<TreesEstimator>(spec, .summarisesAllRows).violations(of: check) == [])
    }

    @Test("forests keep the contract of every backend", arguments: ConformanceCheck.allCases)
    func forests(check: ConformanceCheck) throws {
        var spec = ForestSpec()
        spec.trees = 20
        spec.rowSample = 1
        spec.ciGroupSize = 1
        #expect(
            try EstimatorConformance<ForestEstimator>(spec, .summarisesAllRows).violations(of: check) == [])
    }

    // Not the weights: other draws are made of twice a row than of a row of weight two.
    @Test(
        "Bayesian trees keep the contract of every backend",
        arguments: ConformanceCheck.allCases.filter { $0 != .weights })
    func bayesianTrees(check: ConformanceCheck) throws {
        var spec = BartSpec()
        spec.trees = 10
        spec.effectTrees = 10
        spec.minLeafSize = 3
        #expect(
            try EstimatorConformance<BartEstimator>(spec, .summarisesAllRows).violations(of: check) == [])
    }

    // Not the weights: each tree of a bag sees some of the rows, so the weighted mean is not that of all rows.
    @Test(
        "honest forests in little bags keep the contract of every backend",
        arguments: ConformanceCheck.allCases.filter { $0 != .weights })
    func honestForests(check: ConformanceCheck) throws {
        var spec = ForestSpec()
        spec.trees = 40
        spec.honest = true
        spec.minLeafSize = 1
        #expect(
            try EstimatorConformance<ForestEstimator>(spec, .summarisesAllRows).violations(of: check) == [])
    }
}
