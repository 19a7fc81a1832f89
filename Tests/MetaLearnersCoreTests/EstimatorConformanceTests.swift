import MetaLearnersCore
import Testing
import _TestSupport

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
