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

    @Test("logistic regression with an elastic net conforms", arguments: ConformanceCheck.allCases)
    func logisticElasticNet(check: ConformanceCheck) throws {
        var given = LogisticSpec(l2: 0.5)
        given.l1 = 0.5
        #expect(try EstimatorConformance<LogisticEstimator>(given).violations(of: check) == [])
        var chosen = LogisticSpec(selection: .min)
        (chosen.folds, chosen.pathLength, chosen.pathRatio) = (3, 6, 0.01)
        #expect(try EstimatorConformance<LogisticEstimator>(chosen).violations(of: check) == [])
    }

    @Test("the elastic net conforms", arguments: ConformanceCheck.allCases)
    func elasticNet(check: ConformanceCheck) throws {
        #expect(try EstimatorConformance<ElasticNetEstimator>().violations(of: check) == [])
    }

    @Test("the lasso conforms", arguments: ConformanceCheck.allCases)
    func lasso(check: ConformanceCheck) throws {
        #expect(try EstimatorConformance<LassoEstimator>().violations(of: check) == [])
    }

    @Test(
        "ridge with a chosen penalty conforms", arguments: ConformanceCheck.allCases,
        [RidgeSelection.gcv, .loo, .cv])
    func ridgeSelection(check: ConformanceCheck, selection: RidgeSelection) throws {
        let conformance = try EstimatorConformance<RidgeEstimator>(RidgeSpec(selection: selection))
        #expect(try conformance.violations(of: check) == [])
    }

    @Test(
        "expanded features conform", arguments: ConformanceCheck.allCases,
        [FeatureExpansion.splines, .splinesInteractions])
    func expansion(check: ConformanceCheck, expansion: FeatureExpansion) throws {
        var ridge = RidgeSpec()
        ridge.expansion = expansion
        #expect(try EstimatorConformance<RidgeEstimator>(ridge).violations(of: check) == [])
        var logistic = LogisticSpec()
        logistic.expansion = expansion
        #expect(try EstimatorConformance<LogisticEstimator>(logistic).violations(of: check) == [])
    }
}
