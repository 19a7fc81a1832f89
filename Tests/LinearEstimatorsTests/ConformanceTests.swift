import LinearEstimators
import MetaLearnersCore
import Testing
import _TestSupport

@Suite struct ConformanceTests {
    @Test("OLS conforms", arguments: ConformanceCheck.allCases)
    func ols(check: ConformanceCheck) throws {
        #expect(try EstimatorConformance<OLSEstimator>().violations(of: check) == [])
    }

    @Test("ridge conforms", arguments: ConformanceCheck.allCases)
    func ridge(check: ConformanceCheck) throws {
        #expect(try EstimatorConformance<RidgeEstimator>().violations(of: check) == [])
    }

    @Test("logistic regression conforms", arguments: ConformanceCheck.allCases)
    func logistic(check: ConformanceCheck) throws {
        #expect(try EstimatorConformance<LogisticEstimator>().violations(of: check) == [])
    }
}
