import MetaLearnersCore
import Testing
import XGBoostEstimators

@Suite("XGBoost is found at run time, or not")
struct DiscoveryTests {
    @Test("the description tells where it was found, or that it was not")
    func descriptionIsHonest() {
        let backend = XGBoostEstimator.backend
        if XGBoostEstimator.isAvailable {
            #expect(backend.location.contains("xgboost"))
            #expect(backend.version.split(separator: ".").count == 3)
        } else {
            #expect(backend.location == "not found")
            #expect(backend.version.isEmpty)
        }
    }

    @Test("without it, asking for it says what to install", .enabled(if: !XGBoostEstimator.isAvailable))
    func absenceIsTold() {
        let error = TestFit.error { _ = try XGBoostEstimator(XGBoostSpec()) }
        #expect(error?.kind == .unsupported)
        #expect(error?.remedy?.contains("METALEARNERS_XGBOOST") == true)
    }

    @Test("a path that leads nowhere is an error that names the variable")
    func wrongPath() {
        let error = TestFit.error { try XGBoostEstimator.requireLibrary(at: "/nowhere/libxgboost.so") }
        #expect(error?.kind == .unsupported)
        #expect(error?.problem.contains("/nowhere/libxgboost.so") == true)
        #expect(error?.remedy?.contains("METALEARNERS_XGBOOST") == true)
    }

    @Test("an empty path is not this program itself")
    func emptyPath() {
        let error = TestFit.error { try XGBoostEstimator.requireLibrary(at: "") }
        #expect(error?.kind == .unsupported)
    }

    @Test("another library is refused by the function that it lacks")
    func otherLibrary() {
        #if os(Linux)
            let error = TestFit.error { try XGBoostEstimator.requireLibrary(at: "libm.so.6") }
            #expect(error?.kind == .unsupported)
            #expect(error?.problem.contains("XGBoostVersion") == true)
        #endif
    }

    @Test("a spec can be read, checked and described without the library")
    func specNeedsNoLibrary() throws {
        let spec = try XGBoostSpec(["trees": 7, "engine": ["max_cat_to_onehot": 8]])
        #expect(try XGBoostSpec(spec.specValue) == spec)
        #expect(spec.parameterDescriptions.contains { $0.mapping?.engineName == "eta" })
    }
}
