import MetaLearners
import MetaLearnersCore
import MetaLearnersKit
import Testing
import _TestSupport

@Suite("Reuse of nuisances")
struct NuisanceReuseTests {
    /// Counts the fits of nuisance models as progress reports them.
    private final class FitCounter: Sendable {
        private let total = Counter()

        func options() -> ExecutionOptions {
            ExecutionOptions(
                threads: 2,
                progress: { [total] progress in
                    if progress.stage == "nuisances", progress.done > 0 { total.add(1) }
                    return true
                })
        }

        var count: Int { total.value }
    }

    @Test("Nine learners in turn fit the union of their nuisances, each once, and give the same bytes")
    func union() throws {
        let data = try SyntheticDataset.multiArm(rows: 120, seed: 2).dataset
        let counter = FitCounter()
        var nuisances: NuisanceFit?
        for learner in LearnerKind.single {
            let fitter = try MetaLearnerFitter(Linear.spec(learner))
            let model = try fitter.fit(data, nuisances: nuisances, counter.options())
            nuisances = model.nuisances
            #expect(try model.encoded() == fitter.fit(data).encoded())
        }
        let all = try #require(nuisances)
        // Three arm outcomes, two marginal ones, a joint one, the propensity, in three folds each; and refits on all
        // rows where prediction needs them: S (1), T (3) and X (1).
        #expect(Set(all.roles).count == 7 && all.roles.count == 7)
        #expect(counter.count == 7 * 3 + 5)
        #expect(all.modelCount == counter.count)
    }

    @Test("Nuisances of other rows, folds, seeds or models are refused; those left out are fitted again")
    func refusals() throws {
        let data = try SyntheticDataset.linear(rows: 90, seed: 2).dataset
        let known = try #require(try Linear.fit(data, .dr).nuisances)
        func refusal(_ spec: SpecValue, _ dataset: CausalDataset, _ given: NuisanceFit) -> MetaLearnersError?
        {
            #expect(throws: MetaLearnersError.self) {
                try MetaLearnerFitter(MetaLearnerSpec(spec)).fit(dataset, nuisances: given)
            }
        }
        let models = Linear.models
        let folds: SpecValue = ["folds": 3]
        let other = try SyntheticDataset.linear(rows: 90, seed: 3).dataset
        let base: SpecValue = ["learner": "t", "models": models, "cross_fitting": folds]
        #expect(refusal(base, other, known).says(.invalidArgument, "other data"))
        let moreFolds: SpecValue = ["learner": "t", "models": models, "cross_fitting": ["folds": 4]]
        #expect(refusal(moreFolds, data, known).says(.invalidArgument, "other folds"))
        let reseeded: SpecValue = ["learner": "t", "models": models, "cross_fitting": folds, "seed": 9]
        #expect(
            refusal(reseeded, data, known).says(
                .invalidArgument, "other folds", "same cross_fitting and seed"))
        let sameFolds = #expect(throws: MetaLearnersError.self) {
            try MetaLearnerFitter(MetaLearnerSpec(reseeded)).fit(data, folds: known.folds, nuisances: known)
        }
        #expect(sameFolds.says(.invalidArgument, "was fitted with another models.outcome or seed"))
        let ridge: SpecValue = ["outcome": "ridge", "propensity": "logistic", "effect": "ols"]
        let changed: SpecValue = ["learner": "t", "models": ridge, "cross_fitting": folds]
        #expect(refusal(changed, data, known).says(.invalidArgument, "models.outcome"))
        let fitter = try MetaLearnerFitter(MetaLearnerSpec(changed))
        let propensity = try fitter.fit(data, nuisances: known.selecting([.propensity]))
        #expect(try propensity.encoded() == fitter.fit(data).encoded())
    }

    @Test("Nuisances alone are those of the fit", arguments: [LearnerKind.r, .dr, .s])
    func alone(learner: LearnerKind) throws {
        let data = try SyntheticDataset.linear(rows: 90, seed: 4).dataset
        let fitter = try MetaLearnerFitter(Linear.spec(learner))
        let nuisances = try fitter.fitNuisances(data)
        let model = try fitter.fit(data, nuisances: nuisances)
        #expect(model.training?.nuisances == nuisances.estimates)
        #expect(try model.encoded() == fitter.fit(data).encoded())
    }

    /// Specs of several kinds of nuisances: repeats, columns of roles, calibration, trees, known propensities.
    private static let variants: [SpecValue] = [
        ["models": Linear.models, "cross_fitting": ["folds": 3, "repeats": 2]],
        [
            "models": [
                "outcome": ["backend": "trees", "trees": 4, "columns": ["all_but": ["x2"]]],
                "propensity": ["backend": "logistic", "calibration": "platt", "columns": ["x1", "x2"]],
                "effect": ["backend": "ridge"],
            ], "cross_fitting": ["folds": 3], "overlap": ["bounds": [0.2, 0.8]],
        ],
        ["models": Linear.models, "cross_fitting": ["folds": 1]],
        ["models": Linear.models, "data": ["propensity": [0.4, 0.3, 0.3]]],
    ]

    @Test(
        "A model out of its file serves the next learner as the model itself does", arguments: 0..<4,
        LearnerKind.single)
    func fromFile(variant: Int, learner: LearnerKind) throws {
        var data = try SyntheticDataset.multiArm(rows: 120, seed: 5).dataset
        if variant == 3 {
            data = try CausalDataset(
                covariates: data.covariates, treatment: data.treatment, outcome: data.outcome,
                knownPropensities: [0.4, 0.3, 0.3].map { [Double](repeating: $0, count: 120) })
        }
        func fitter(_ learner: LearnerKind) throws -> MetaLearnerFitter {
            var spec = Self.variants[variant].objectValue ?? SpecObject()
            spec["learner"] = .string(learner.rawValue)
            return try MetaLearnerFitter(MetaLearnerSpec(.object(spec)))
        }
        let read = try CATEModel(bytes: fitter(learner).fit(data).encoded())
        #expect(read.nuisances == nil)
        for next in [learner, .dr, .s] {
            let counter = FitCounter()
            let fitter = try fitter(next)
            let known = try fitter.nuisances(of: read, fittedTo: data)
            let model = try fitter.fit(data, nuisances: known, counter.options())
            #expect(try model.encoded() == fitter.fit(data).encoded())
            if next == learner { #expect(counter.count == 0) }
        }
    }

    @Test(
        "Of a model with other base learners or another seed nothing is taken over, of other rows nothing can be"
    )
    func otherModels() throws {
        let data = try SyntheticDataset.linear(rows: 90, seed: 2).dataset
        let model = try CATEModel(bytes: Linear.fit(data, .dr).encoded())
        let ridge: SpecValue = ["outcome": "ridge", "propensity": "logistic", "effect": "ols"]
        let other = try MetaLearnerFitter(Linear.spec(.t, models: ridge))
        #expect(try other.nuisances(of: model, fittedTo: data).roles == [.propensity])
        let reseeded = try MetaLearnerFitter(Linear.spec(.t, seed: 2))
        #expect(try reseeded.nuisances(of: model, fittedTo: data).roles.isEmpty)
        let rows = try SyntheticDataset.linear(rows: 90, seed: 3).dataset
        let error = #expect(throws: MetaLearnersError.self) {
            try other.nuisances(of: model, fittedTo: rows)
        }
        #expect(error?.kind == .invalidData)
        var spec = try Linear.spec(.dr)
        spec.keepTraining = false
        let bare = try CATEModel(bytes: MetaLearnerFitter(spec).fit(data).encoded())
        let without = #expect(throws: MetaLearnersError.self) {
            try other.nuisances(of: bare, fittedTo: data)
        }
        #expect(without.says(.unsupported, "keep_training: true"))
    }
}
