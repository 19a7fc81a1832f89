import MetaLearners
import MetaLearnersCore
import MetaLearnersKit
import Testing
import _TestSupport

@Suite("Joint effects of several arms")
struct JointEffectTests {
    private func spec(_ multiArm: String, _ effect: SpecValue) throws(MetaLearnersError) -> MetaLearnerSpec {
        try MetaLearnerSpec([
            "learner": "r", "multi_arm": .string(multiArm), "cross_fitting": ["folds": 3],
            "models": ["outcome": "ridge", "propensity": "logistic", "effect": effect],
        ])
    }

    private static let trees: SpecValue = [
        "backend": "trees", "trees": 30, "max_leaves": 4, "min_leaf_size": 10, "early_stopping": 0,
    ]

    @Test("One loss of all arms finds the effects of each")
    func accuracy() throws {
        let data = try SyntheticDataset.multiArm(rows: 900, arms: 4, seed: 5)
        let model = try MetaLearnerFitter(spec("joint", Self.trees)).fit(data.dataset)
        for (found, truth) in zip(model.trainingEffects, data.effects) {
            let mean = truth.reduce(0, +) / Double(truth.count)
            let error = zip(found, truth).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }
            let none = truth.reduce(0) { $0 + $1 * $1 }
            let spread = truth.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
            #expect(error < 0.5 * none + 0.5 * spread)
        }
        let bytes = model.encoded()
        let read = try CATEModel(bytes: bytes)
        #expect(read.encoded() == bytes)
        #expect(try read.predict(data.covariates).effects == model.predict(data.covariates).effects)
    }

    @Test("With two arms it is the pairwise loss")
    func twoArms() throws {
        let data = try SyntheticDataset.linear(rows: 90, seed: 5).dataset
        let joint = try MetaLearnerFitter(spec("joint", "ols")).fit(data)
        let pairwise = try MetaLearnerFitter(spec("pairwise", "ols")).fit(data)
        #expect(joint.trainingEffects == pairwise.trainingEffects)
    }

    @Test("A backend of one output is refused, with those that can")
    func refusal() throws {
        let data = try SyntheticDataset.multiArm(rows: 90, seed: 5).dataset
        let error = #expect(throws: MetaLearnersError.self) {
            try MetaLearnerFitter(spec("joint", "lasso")).fit(data)
        }
        #expect(error?.kind == .unsupported && error?.location == "models.effect")
        #expect(error?.remedy?.contains("trees") == true)
    }

    @Test("Threads change no byte, and nesting works for it as well")
    func determinism() throws {
        let data = try SyntheticDataset.multiArm(rows: 150, seed: 5).dataset
        var spec = try spec("joint", Self.trees)
        spec.crossFitting.inSample = .nested
        let fitter = try MetaLearnerFitter(spec)
        let one = try fitter.fit(data, ExecutionOptions(threads: 1)).encoded()
        #expect(try fitter.fit(data, ExecutionOptions(threads: 3)).encoded() == one)
    }
}
