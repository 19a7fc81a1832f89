import MetaLearners
import MetaLearnersCore
import MetaLearnersKit
import Testing
import _TestSupport

/// A learner of an app: the R-learner's regression without its weights, by another name.
private struct HalfLearner: EffectRegressionLearner {
    static let kind: LearnerKind = "half"
    static let aliases = ["moiety"]
    static let reference = LearnerReference(
        target: "half of the doubly robust score", weight: "1", effect: "effect model", citation: "a test")

    init(_ spec: MetaLearnerSpec) {}

    func nuisanceRoles(armCount: Int) -> [NuisanceRole] { DRLearner().nuisanceRoles(armCount: armCount) }

    func pseudoOutcome(_ role: EffectRole, _ dataset: CausalDataset, _ nuisances: NuisanceEstimates)
        throws(MetaLearnersError) -> PseudoOutcome
    {
        let whole = try DRLearner().pseudoOutcome(role, dataset, nuisances)
        return PseudoOutcome(whole.values.map { $0 / 2 }, rows: whole.rows)
    }
}

/// A strategy of an app: every row has the difference of the arms' mean outcomes as its effect.
private struct MeanStrategy: FittingStrategy {
    static let kind: LearnerKind = "means"
    static let traits = LearnerTraits(.combination)
    static let reference = LearnerReference(target: "–", weight: "–", effect: "ȳ_k − ȳ_0", citation: "a test")
    static let predictors: [any EffectPredictor.Type] = [MeanPredictor.self]

    let spec: MetaLearnerSpec
    let models: RoleModels

    init(_ spec: MetaLearnerSpec, _ registry: Registry) throws(MetaLearnersError) {
        self.spec = spec
        models = try RoleModels(spec, registry)
    }

    var completeSpec: SpecValue { spec.specValue }

    func nuisanceRoles(armCount: Int) -> [NuisanceRole] {
        (0..<armCount).map { .armOutcome($0) } + [.propensity]
    }

    func check(_ request: FitRequest) {}

    func footprint(_ dataset: CausalDataset) -> Int { 64 * dataset.rowCount }

    func planNuisances(_ request: FitRequest, _ roles: [NuisanceRole]?) throws(MetaLearnersError)
        -> any NuisanceSource
    {
        let roles = roles ?? nuisanceRoles(armCount: request.dataset.armCount)
        return try NuisancePlan(request, models, roles.map { ($0, .folds) })
    }

    func plan(_ request: FitRequest, for purpose: FitPurpose) throws(MetaLearnersError) -> any FitPlan {
        MeanPlan(request: request, nuisances: try planNuisances(request, nil))
    }
}

private struct MeanPlan: FitPlan {
    let request: FitRequest
    let nuisances: any NuisanceSource

    func schedule(in graph: inout TaskGraph) { nuisances.schedule(in: &graph) }

    func result(_ context: ExecutionContext) throws(MetaLearnersError) -> FittedLearner {
        let data = request.dataset
        let means = (0..<data.armCount).map { arm in
            let rows = data.outcome.values.indices.filter { data.treatment.arms[$0] == arm }
            return rows.reduce(0.0) { $0 + data.outcome.values[$1] } / Double(rows.count)
        }
        let effects = means.dropFirst().map { $0 - means[0] }
        let fit = try nuisances.fit()
        return FittedLearner(
            fit, keeping: fit.roles, predictor: MeanPredictor(effects: effects),
            trainingEffects: effects.map { [Double](repeating: $0, count: data.rowCount) })
    }
}

private struct MeanPredictor: EffectPredictor {
    static let tag = "means"
    let effects: [Double]

    init(effects: [Double]) { self.effects = effects }

    func nuisanceRoles(armCount: Int) -> Set<NuisanceRole> { [] }

    func effects(_ input: PredictorInput, _ context: ExecutionContext) -> [[Double]] {
        effects.map { [Double](repeating: $0, count: input.features.rowCount) }
    }

    func encode(to writer: inout BinaryWriter) { writer.write(effects) }

    init(from reader: inout BinaryReader, _ model: PredictorSurroundings) throws(MetaLearnersError) {
        effects = try reader.readDoubles()
        guard effects.count == model.armCount - 1 else {
            throw BinaryReader.corrupt("there is not an effect for each arm")
        }
    }
}

@Suite("Learners and strategies of an app")
struct RegistrationTests {
    private let registry = Registry.default.registering(HalfLearner.self).registering(MeanStrategy.self)

    private func fit(_ spec: SpecValue, _ data: CausalDataset) throws -> CATEModel {
        try MetaLearnerFitter(MetaLearnerSpec(spec), registry: registry).fit(data)
    }

    @Test("A learner that an app registers is fitted, saved, read and averaged like any other")
    func learner() throws {
        let data = try SyntheticDataset.linear(rows: 120, seed: 3).dataset
        let models: SpecValue = ["outcome": "ols", "effect": "ols"]
        let whole = try fit(["learner": "dr", "models": models], data)
        let half = try fit(["learner": "moiety", "models": models], data)
        #expect(half.spec.learner == "half")
        #expect(
            Approximate.equal(half.trainingEffects[0].map { 2 * $0 }, whole.trainingEffects[0], 1e-9))
        let loaded = try CATEModel(bytes: half.encoded(), registry: registry)
        #expect(try loaded.predict(data.covariates).effects == half.predict(data.covariates).effects)
        #expect(try half.averageEffects(.ate)[0].estimate == whole.averageEffects(.ate)[0].estimate)
        // It has intervals as its traits say, and takes part in combinations.
        #expect(half.intervalMethod == nil)
        let stack = try fit(
            ["learner": "ensemble", "ensemble": ["members": ["half", "s"]], "models": models], data)
        #expect(stack.trainingEffects[0].allSatisfy { $0.isFinite })
    }

    @Test("A strategy that an app registers is fitted in the same graph, saved and read")
    func strategy() throws {
        let data = try SyntheticDataset.linear(rows: 90, seed: 4).dataset
        let model = try fit(["learner": "means", "models": ["outcome": "ols"]], data)
        let loaded = try CATEModel(bytes: model.encoded(), registry: registry)
        #expect(loaded.encoded() == model.encoded())
        #expect(try loaded.predict(data.covariates).effects[0][3] == model.trainingEffects[0][0])
        #expect(try model.averageEffects(.ate)[0].stdError > 0)
    }

    @Test("A combination that an app registers takes no part in collective fits unless it says so")
    func collective() throws {
        let rows = try PartedRows(rows: 200)
        let parts = rows.parts([1, 1])
        let models: SpecValue = ["outcome": "ols", "effect": "ols"]
        for spec in [
            ["learner": "means", "models": models],
            ["learner": "ensemble", "ensemble": ["members": ["half", "means"]], "models": models],
        ] as [SpecValue] {
            let fitter = try MetaLearnerFitter(MetaLearnerSpec(spec), registry: registry)
            let run = ThreadGroup.run(2) { collective in
                let dataset = try CausalDataset(parts[collective.rank], rows.data, partOf: collective)
                return try fitter.fit(dataset, ExecutionOptions(threads: 1, collective: collective))
            }
            for result in run.results {
                let error = #expect(throws: MetaLearnersError.self) { try result.get() }
                #expect(error?.description.contains("'means' takes no part in a collective fit") == true)
            }
        }
    }

    @Test("What is not registered is an error that names what there is")
    func unknown() throws {
        let data = try SyntheticDataset.linear(rows: 60, seed: 5).dataset
        let bytes = try fit(["learner": "half", "models": ["outcome": "ols", "effect": "ols"]], data)
            .encoded()
        let unread = #expect(throws: MetaLearnersError.self) { try CATEModel(bytes: bytes) }
        #expect(unread.says(.unsupported, "'half'"))
        let misspelt = #expect(throws: MetaLearnersError.self) {
            try MetaLearnerFitter(MetaLearnerSpec(["learner": "halv"]), registry: registry)
        }
        #expect(misspelt?.description.contains("half") == true)
    }

    @Test("Any backend may be a candidate of auto")
    func alsoCandidates() throws {
        let data = try SyntheticDataset.nieWager(.b, rows: 240, noise: 0.5, seed: 6).dataset
        let plain = try fit(["cross_fitting": ["folds": 3]], data)
        let more = try fit(
            [
                "cross_fitting": ["folds": 3],
                "auto": [
                    "also": [
                        ["learner": "r", "models": ["effect": ["backend": "forest", "trees": 20]]],
                        ["learner": "half", "models": ["outcome": "ols", "effect": "ols"]],
                    ]
                ],
            ], data)
        let weights = try #require(
            more.summary.objectValue?["ensemble"]?.objectValue?.entries.first?.value.objectValue)
        #expect(weights.keys.count == 18)
        #expect(weights.keys.contains("r on forest, as specified"))
        #expect(Approximate.largestDifference(plain.trainingEffects[0], more.trainingEffects[0]) > 1e-12)
        let loaded = try CATEModel(bytes: more.encoded(), registry: registry)
        #expect(loaded.encoded() == more.encoded())
        #expect(try loaded.predict(data.covariates).effects == more.predict(data.covariates).effects)
        let refused = #expect(throws: MetaLearnersError.self) {
            try fit(["auto": ["also": ["ensemble"]]], data)
        }
        #expect(refused?.location?.hasPrefix("auto.also.0") == true)
    }
}
