import Foundation
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

    @Test("a folder may be named: the library's own, of packages, or a Python environment")
    func folders() throws {
        let root = NSTemporaryDirectory() + "xgboost-" + UUID().uuidString
        defer { try? FileManager.default.removeItem(atPath: root) }
        let own = "lib/python3.9/site-packages/xgboost/lib"
        for folder in [own, "lib/python3.12/site-packages/xgboost/lib", "empty"] {
            try FileManager.default.createDirectory(
                atPath: root + "/" + folder, withIntermediateDirectories: true)
        }
        #if canImport(Darwin)
            let name = "libxgboost.dylib"
        #else
            let name = "libxgboost.so"
        #endif
        let library = root + "/" + own + "/" + name
        try Data().write(to: URL(fileURLWithPath: library))
        for folder in [root, root + "/", root + "/lib/python3.9/site-packages", root + "/" + own] {
            let found = XGBoostPlaces(named: folder).candidates
            #expect(found.count == 1 && found[0].hasSuffix("/" + name))
            #expect(try Data(contentsOf: URL(fileURLWithPath: found.first ?? "")).isEmpty)
        }
        let newer = library.replacing("3.9", with: "3.12")
        try Data().write(to: URL(fileURLWithPath: newer))
        #expect(XGBoostPlaces(named: root).candidates == [newer, library])
        // An environment comes before the system's library, and a folder without one is an error that names it.
        let places = XGBoostPlaces(named: nil, environments: [root + "/empty", root])
        #expect(places.candidates.prefix(3) == [newer, library, name])
        let error = TestFit.error { try XGBoostEstimator.requireLibrary(at: root + "/empty") }
        #expect(error?.problem.contains("empty/" + name) == true)
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
