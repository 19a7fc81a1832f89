import MetaLearners
import MetaLearnersCore
import MetaLearnersKit
import Testing

@Suite("Names of other programs")
struct ForeignNameTests {
    private func message(_ spec: SpecValue) -> String {
        do throws(MetaLearnersError) {
            _ = try MetaLearnerFitter(MetaLearnerSpec(spec, at: .root))
            return "no error"
        } catch {
            return error.description
        }
    }

    @Test(
        "a base learner, a parameter or a key by its name elsewhere gives the name here",
        arguments: [
            (["models": ["outcome": "xgb"]], "did you mean 'xgboost'?"),
            (["models": ["outcome": "LGBMRegressor"]], "did you mean 'trees'?"),
            (["models": ["outcome": "random_forest"]], "did you mean 'forest'?"),
            (["models": ["outcome": "LinearRegression"]], "did you mean 'ols'?"),
            (["models": ["propensity": "logit"]], "did you mean 'logistic'?"),
            (["models": ["outcome": ["backend": "trees", "n_estimators": 9]]], "did you mean 'trees'?"),
            (["models": ["outcome": ["backend": "xgboost", "num_boost_round": 9]]], "did you mean 'trees'?"),
            (["models": ["outcome": ["backend": "trees", "eta": 0.1]]], "did you mean 'learning_rate'?"),
            (["models": ["outcome": ["backend": "trees", "depth": 3]]], "did you mean 'max_depth'?"),
            (["models": ["outcome": ["backend": "trees", "num_leaves": 3]]], "did you mean 'max_leaves'?"),
            (
                ["models": ["outcome": ["backend": "forest", "min_node_size": 3]]],
                "did you mean 'min_leaf_size'?"
            ),
            (["models": ["outcome": ["backend": "trees", "subsample": 0.5]]], "did you mean 'row_sample'?"),
            (["models": ["outcome": ["backend": "ridge", "lambda": 1]]], "did you mean 'l2'?"),
            (["model_y": "ridge"], "did you mean 'models'?"), (["random_state": 1], "did you mean 'seed'?"),
            (["cross_fitting": ["n_splits": 3]], "did you mean 'folds'?"),
            (["cv": 3], "did you mean 'cross_fitting'?"),
            (["learner": "DRLearner"], "did you mean 'dr'?"), (["learner": "T-learner"], "did you mean 't'?"),
            (["data": ["treatment_col": "w"]], "did you mean 'treatment'?"),
            (["data": ["target": "y"]], "did you mean 'outcome'?"),
            (["learner": "ensemble", "ensemble": ["members": ["x_learner"]]], "did you mean 'x'?"),
        ] as [(SpecValue, String)])
    func meanings(_ spec: SpecValue, _ words: String) {
        #expect(message(spec).contains(words), "\(message(spec))")
    }

    @Test("what a backend refuses is no advice")
    func refusedNamesAreNoAdvice() {
        let message = message(["models": ["outcome": ["backend": "ridge", "n_estimators": 9]]])
        #expect(message.contains("unknown key") && !message.contains("'trees'"), "\(message)")
    }

    @Test("choices may be written in any case, with hyphens or without")
    func choicesInAnyCase() throws {
        func checked(_ spec: SpecValue) throws -> MetaLearnerSpec {
            try MetaLearnerFitter(MetaLearnerSpec(spec, at: .root)).spec
        }
        let spec = try checked(["learner": "DR", "cross_fitting": ["in_sample": "Out-Of-Fold"]])
        #expect(spec.learner == .dr)
        #expect(spec.crossFitting.inSample == .outOfFold)
        #expect(try checked(["learner": "PW"]).learner == .m)
        #expect(
            try checked(["learner": "Ensemble", "ensemble": ["members": ["T", "X"]]]).learner == .ensemble)
    }

    @Test("every name that is suggested is one of a spec or a base learner")
    func suggestionsExist() throws {
        // Of plug-ins, of sections that are no lists of parameters, and of keys that hold a choice.
        var known: Set<String> = [
            "lightgbm", "backend", "learner", "models", "outcome", "propensity", "effect",
        ]
        known.formUnion(LearnerKind.allCases.map(\.rawValue))
        func add(_ parameters: [ParameterDescription]) {
            for parameter in parameters {
                known.insert(parameter.name)
                add(parameter.nested)
            }
        }
        add(MetaLearnerSpec().parameterDescriptions)
        for backend in EstimatorRegistry.default.descriptions {
            known.insert(backend.name)
            add(try EstimatorRegistry.default.parameters(of: backend.name))
        }
        for (_, ours) in ForeignName.words {
            for name in ours where name != "covariates" { #expect(known.contains(name), "\(name)") }
        }
    }
}
