import MetaLearnersCore
import Testing
import _TestSupport

@Suite struct ConstantConformanceTests {
    @Test("the constant baseline conforms", arguments: ConformanceCheck.allCases)
    func conforms(check: ConformanceCheck) throws {
        #expect(
            try EstimatorConformance<ConstantEstimator>(ConstantSpec(), .featureless).violations(of: check)
                == [])
    }
}
