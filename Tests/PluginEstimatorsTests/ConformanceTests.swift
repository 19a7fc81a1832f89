import MetaLearnersCore
import PluginEstimators
import Testing
import _TestSupport

@Suite("The plug-ins of the examples conform")
struct ConformanceTests {
    private func violations(
        _ path: String, _ choice: EstimatorChoice, _ check: ConformanceCheck,
        _ options: ConformanceOptions = []
    ) throws -> [String] {
        let registry = try BuiltPlugin.registry(path)
        let estimator = try #require(
            try registry.makeEstimator(choice, at: .root) as? PluginEstimator)
        let conformance = EstimatorConformance(estimator, options) { reader throws(MetaLearnersError) in
            try registry.decode(choice.backend, from: &reader)
        }
        return try conformance.violations(of: check)
    }

    @Test("nearest neighbours keep the contract of base estimators", arguments: ConformanceCheck.allCases)
    func neighbours(check: ConformanceCheck) throws {
        let choice = EstimatorChoice("knn", SpecObject([("neighbours", 3)]))
        // Neighbours of one constant column are the first three rows: no weighted mean of all.
        let all = EstimatorChoice("knn", SpecObject([("neighbours", 1000)]))
        #expect(try violations(BuiltPlugin.neighbours(), check == .weights ? all : choice, check) == [])
    }

    @Test(
        "LightGBM keeps the contract of base estimators",
        .enabled(
            if: BuiltPlugin.hasLightGBM, "LightGBM is not found: set METALEARNERS_LIGHTGBM to lib_lightgbm.so"
        ),
        arguments: ConformanceCheck.allCases)
    func lightGBM(check: ConformanceCheck) throws {
        let choice = EstimatorChoice(
            "lightgbm", SpecObject([("trees", 30), ("learning_rate", 0.3), ("min_leaf_size", 3)]))
        #expect(try violations(BuiltPlugin.lightGBM(), choice, check) == [])
    }

    @Test(
        "LightGBM keeps it with sampling and other limits too",
        .enabled(
            if: BuiltPlugin.hasLightGBM, "LightGBM is not found: set METALEARNERS_LIGHTGBM to lib_lightgbm.so"
        ),
        arguments: [ConformanceCheck.capabilities, .determinism, .coding, .features, .rowSubsets])
    func lightGBMWithSampling(check: ConformanceCheck) throws {
        let choice = EstimatorChoice(
            "lightgbm",
            SpecObject([
                ("trees", 12), ("learning_rate", 0.3), ("min_leaf_size", 2), ("row_sample", 0.7),
                ("column_sample", 0.7), ("max_leaves", 0), ("max_depth", 3), ("l1", 0.1),
                ("engine", ["extra_trees": true, "path_smooth": 0.5]),
            ]))
        #expect(try violations(BuiltPlugin.lightGBM(), choice, check) == [])
    }
}
