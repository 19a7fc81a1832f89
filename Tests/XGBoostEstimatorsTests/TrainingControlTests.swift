import MetaLearnersCore
import Testing
import XGBoostEstimators
import _TestSupport

@Suite("XGBoost follows its parameters", .enabled(if: XGBoostEstimator.isAvailable))
struct TrainingControlTests {
    static let changes: [(name: String, value: SpecValue)] = [
        ("trees", 5), ("learning_rate", 0.1), ("max_leaves", 3), ("max_depth", 2), ("min_leaf_size", 60),
        ("min_child_weight", 70), ("min_split_gain", 20), ("l1", 5), ("l2", 30), ("max_bins", 4),
        ("row_sample", 0.5), ("column_sample", 0.4), ("growth", "depth_wise"), ("early_stopping", 2),
    ]

    @Test("each common parameter changes the model", arguments: changes.indices)
    func parameterActs(index: Int) throws {
        let (name, value) = Self.changes[index]
        let data = try TestFit(rows: 400)
        let standard: SpecObject = SpecObject([("trees", 20), ("learning_rate", 0.3), ("max_leaves", 12)])
        var changed = standard
        changed[name] = value
        let left = try data.predictions(data.fit(XGBoostSpec(.object(standard))))
        let right = try data.predictions(data.fit(XGBoostSpec(.object(changed))))
        #expect(Approximate.largestDifference(left, right) > 1e-6)
    }

    @Test("the share held out acts where training may stop early")
    func validationShareActs() throws {
        let data = try TestFit(rows: 400)
        var spec = TestFit.spec()
        spec.earlyStopping = 3
        let left = try data.predictions(data.fit(spec))
        spec.validationShare = 0.5
        #expect(try Approximate.largestDifference(left, data.predictions(data.fit(spec))) > 1e-6)
    }

    @Test("every common parameter says how it is mapped, and each of these is tried above")
    func mappingIsComplete() {
        let described = XGBoostSpec().parameterDescriptions
        for parameter in described where parameter.name != "engine" {
            #expect(parameter.mapping != nil, "\(parameter.name)")
        }
        let usable = described.filter { $0.mapping.map { $0.kind != "unsupported" } ?? false }.map(\.name)
        #expect(Set(usable) == Set(Self.changes.map(\.name) + ["validation_share"]))
        #expect(described.first { $0.name == "min_leaf_size" }?.mapping?.kind == "approximate")
    }

    @Test("early stopping learns less from noise than all rounds would")
    func earlyStoppingStops() throws {
        let data = try TestFit(rows: 400)
        var stream = RandomStream(seed: 2)
        let noise = data.target.map { _ in stream.normal() }
        var spec = TestFit.spec(trees: 100)
        let all = try data.predictions(data.fit(spec, target: noise))
        spec.earlyStopping = 5
        let few = try data.predictions(data.fit(spec, target: noise))
        let mean = [Double](repeating: Approximate.mean(noise), count: 400)
        #expect(Approximate.rootMeanSquare(few, mean) < 0.5 * Approximate.rootMeanSquare(all, mean))
    }

    @Test("clusters are held out whole: one cluster cannot be, and says so")
    func clustersStayWhole() throws {
        let data = try TestFit(rows: 200)
        var spec = TestFit.spec(trees: 5)
        let all = try data.predictions(data.fit(spec))
        spec.earlyStopping = 2
        let model = try data.fit(spec, clusters: [Int32](repeating: 4, count: 200))
        #expect(model.warnings.contains { $0.contains("clusters") })
        #expect(try data.predictions(model) == all)
    }

    @Test("an approximate parameter gives a warning where it is approximate, and none where it is exact")
    func approximationIsTold() throws {
        let data = try TestFit(rows: 200)
        let binary = try data.fit(
            TestFit.spec(), target: data.labels, objective: .classification(classes: 2))
        #expect(binary.warnings.contains { $0.contains("min_leaf_size") })
        #expect(try data.fit(TestFit.spec()).warnings == [])
    }

    @Test("a parameter that cannot be followed is an error")
    func unsupportedIsRefused() throws {
        let error = TestFit.error { _ = try XGBoostSpec(["category_l2": 3]) }
        #expect(error?.kind == .unsupported)
        #expect(error?.location == "category_l2")
    }

    @Test(
        "a parameter with a name of ours, or set by the backend, is refused under engine",
        arguments: ["eta", "lambda", "objective", "nthread", "subsample"])
    func coveredNamesAreRefused(name: String) throws {
        let error = TestFit.error { _ = try XGBoostSpec(["engine": .object(SpecObject([(name, 1)]))]) }
        #expect(error?.kind == .invalidSpec)
        #expect(error?.location == "engine." + name)
    }

    @Test("a parameter that XGBoost does not know is an error that names it")
    func unknownEngineParameter() throws {
        let data = try TestFit(rows: 100)
        var spec = TestFit.spec(trees: 2)
        spec.engine = SpecObject([("colour", "red")])
        let error = TestFit.error { _ = try data.fit(spec) }
        #expect(error?.kind == .invalidSpec)
        #expect(error?.location == "engine.colour")
    }

    @Test("a value that XGBoost refuses is an error that quotes it")
    func refusedEngineValue() throws {
        let data = try TestFit(rows: 100)
        var spec = TestFit.spec(trees: 2)
        spec.engine = SpecObject([("max_delta_step", -1)])
        let error = TestFit.error { _ = try data.fit(spec) }
        #expect(error?.kind == .invalidSpec)
        #expect(error?.problem.contains("max_delta_step") == true)
    }

    @Test("parameters under engine reach XGBoost")
    func engineParametersAct() throws {
        let data = try TestFit(rows: 300)
        var spec = TestFit.spec()
        let plain = try data.predictions(data.fit(spec))
        spec.engine = SpecObject([("monotone_constraints", "(1,0,0,0,0)"), ("colsample_bynode", 0.5)])
        #expect(try Approximate.largestDifference(plain, data.predictions(data.fit(spec))) > 1e-6)
        spec.engine = SpecObject([("tree_method", "exact")])
        spec.growth = .depthWise
        spec.maxLeaves = 0
        spec.maxDepth = 3
        let exact = try data.predictions(data.fit(spec))
        let mean = [Double](repeating: Approximate.mean(data.target), count: 300)
        #expect(
            Approximate.rootMeanSquare(exact, data.target) < 0.7
                * Approximate.rootMeanSquare(mean, data.target))
    }

    @Test("monotone constraints hold in every row")
    func monotoneConstraints() throws {
        let data = try TestFit(rows: 400)
        var spec = TestFit.spec(trees: 40)
        let falls = { (model: any FittedEstimator) throws -> Int in
            let columns = data.features.columns
            let steps = try stride(from: -2.0, through: 2, by: 0.25).map { value in
                try data.predictions(
                    model,
                    features: Table(
                        [Column("x0", [Double](repeating: value, count: 400))] + columns.dropFirst()))
            }
            return zip(steps, steps.dropFirst()).reduce(0) { $0 + zip($1.0, $1.1).count { $0 > $1 + 1e-6 } }
        }
        let free = try data.fit(spec)
        spec.engine = SpecObject([("monotone_constraints", "(1,0,0,0,0)")])
        let constrained = try data.fit(spec)
        #expect(try falls(free) > 0)
        #expect(try falls(constrained) == 0)
    }

    @Test("device: cuda reaches XGBoost, which answers: by an error, a warning, or by computing there")
    func device() throws {
        let data = try TestFit(rows: 200)
        var spec = TestFit.spec(trees: 3)
        let plain = try data.predictions(data.fit(spec))
        spec.engine = SpecObject([("device", "cuda")])
        let isKnown = XGBoostEstimator.backend.version.prefix(2) != "1."
        do {
            let model = try data.fit(spec)
            #expect(isKnown)
            #expect(try Approximate.largestDifference(plain, data.predictions(model)) < 0.1)
        } catch let error as MetaLearnersError {
            #expect(isKnown || error.location == "engine.device")
        }
        spec.engine = SpecObject([("device", "no such device")])
        #expect(TestFit.error { _ = try data.fit(spec) }?.kind == .invalidSpec)
    }

    @Test("trees without any limit are refused")
    func limitIsRequired() {
        let error = TestFit.error { _ = try XGBoostSpec(["max_leaves": 0]) }
        #expect(error?.kind == .invalidSpec)
    }
}
