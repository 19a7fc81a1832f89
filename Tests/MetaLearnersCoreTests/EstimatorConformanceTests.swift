import MetaLearnersCore
import Testing
import _TestSupport

@Suite("The constant baseline conforms")
struct ConstantConformanceTests {
    @Test("Check", arguments: ConformanceCheck.allCases)
    func conforms(check: ConformanceCheck) throws {
        #expect(
            try EstimatorConformance<ConstantEstimator>(.init(), .featureless).violations(of: check) == [])
    }
}

@Suite("The conformance suite finds what is wrong")
struct ConformanceSuiteTests {
    @Test(
        "A learner that ignores weights, targets and capabilities is caught",
        arguments: [
            ConformanceCheck.capabilities, .weights, .constantTargets,
        ])
    func catches(check: ConformanceCheck) throws {
        #expect(try !EstimatorConformance<MemorisingEstimator>(.init()).violations(of: check).isEmpty)
    }
}
