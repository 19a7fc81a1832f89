import MetaLearners
import MetaLearnersCore
import MetaLearnersKit
import Testing
import _TestSupport

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// Model files of this format version that were written once, with what they predicted then.
///
/// They are in `Fixtures/models`, a model and a JSON document each. `METALEARNERS_WRITE_FIXTURES=1 swift test --filter
/// ModelFixtureTests` writes those that are missing; what is there stays, so that every later version is held to it.
struct ModelFixture {
    /// A model of the fixtures: what it is fitted to, and how.
    struct Recipe: Sendable, CustomTestStringConvertible {
        let name: String
        let spec: SpecValue
        var arms = 2
        var outcome = "continuous"
        var testDescription: String { name }
    }

    /// The version of the format that the fixtures were written by.
    static let version = 1

    static let recipes: [Recipe] = [
        Recipe(
            name: "t_trees",
            spec: ["learner": "t", "models": models(outcome: trees, propensity: trees, effect: "ridge")]),
        Recipe(
            name: "dr_linear",
            spec: [
                "learner": "dr", "intervals": ["method": "analytic"],
                "models": models(
                    outcome: "ridge", propensity: ["backend": "logistic", "calibration": "isotonic"],
                    effect: "ols"),
            ], arms: 3),
        Recipe(
            name: "r_joint",
            spec: [
                "learner": "r", "multi_arm": "joint", "cross_fitting": ["folds": 2, "repeats": 2],
                "models": models(outcome: "lasso", propensity: "logistic", effect: trees),
            ], arms: 3),
        Recipe(
            name: "x_forest",
            spec: [
                "learner": "x", "models": models(outcome: forest, propensity: "logistic", effect: forest),
                "prediction": "median",
            ]),
        Recipe(
            name: "x_bart",
            spec: [
                "learner": "x", "models": models(outcome: bart, propensity: "logistic", effect: bart),
            ], arms: 3),
        Recipe(
            name: "t_bootstrap",
            spec: [
                "learner": "t", "intervals": ["method": "bootstrap", "samples": 20],
                "models": models(outcome: "logistic", propensity: "constant", effect: "ridge"),
                "effect_scale": "ratio",
            ], outcome: "binary"),
        Recipe(
            name: "dr_halves",
            spec: [
                "learner": "dr", "intervals": ["method": "half_sampling", "samples": 20],
                "models": models(outcome: "ridge", propensity: "logistic", effect: "ridge"),
            ], arms: 3),
        Recipe(
            name: "x_stack",
            spec: [
                "learner": "x",
                "models": models(
                    outcome: ["backend": "stack", "members": ["ridge", trees]],
                    propensity: ["backend": "stack", "members": ["logistic", trees], "least_advantage": 0],
                    effect: ["backend": "stack", "folds": 2, "members": ["ols", trees]]),
            ], arms: 3),
        Recipe(
            name: "s_classes",
            spec: [
                "learner": "s", "models": models(outcome: trees, propensity: "logistic", effect: "ridge"),
                "keep_training": false,
            ], outcome: "classes"),
    ]

    private static let trees: SpecValue = ["backend": "trees", "trees": 5, "max_leaves": 6]
    private static let bart: SpecValue = [
        "backend": "bart", "trees": 4, "effect_trees": 3, "sweeps": 4, "burn_in": 1,
    ]
    private static let forest: SpecValue = ["backend": "forest", "trees": 4, "max_depth": 4]

    private static func models(outcome: SpecValue, propensity: SpecValue, effect: SpecValue) -> SpecValue {
        ["outcome": outcome, "propensity": propensity, "effect": effect]
    }

    /// 120 rows with a category, missing values, weights and clusters.
    static func dataset(_ recipe: Recipe) throws -> CausalDataset {
        let binary = recipe.outcome == "binary"
        let data =
            binary
            ? try SyntheticDataset.binary(rows: 120, seed: 4)
            : try SyntheticDataset.multiArm(rows: 120, arms: recipe.arms, seed: 4)
        let gaps = data.covariates.columns[0].values.doubles().enumerated().map { $0 % 8 == 0 ? .nan : $1 }
        let kinds = (0..<120).map { $0 % 11 == 0 ? nil : ["a", "b", "é"][$0 % 3] }
        var outcome = data.dataset.outcome
        if recipe.outcome == "classes" {
            outcome = try Outcome(
                data.outcome.map { $0 < 0 ? 0 : $0 < 1 ? 1 : 2 },
                kind: .classes(labels: ["low", "middle", "high"]))
        }
        return try CausalDataset(
            covariates: Table([
                Column("gaps", gaps), data.covariates.columns[1], Column("kind", categories: kinds),
            ]),
            treatment: data.treatment, outcome: outcome,
            weights: (0..<120).map { 1 + Double($0 % 4) },
            clusters: recipe.outcome == "continuous" ? (0..<120).map { Int32($0 / 2) } : nil)
    }

    /// New rows: a category that training knew, one that is missing, one that it never saw.
    static func rows() throws -> Table {
        try Table([
            Column("kind", categories: ["a", "é", nil, "new", "b"]),
            Column("gaps", [0.25, -1.5, .nan, 0.75, 2]), Column("x2", [-0.5, 0.125, 1, -2, 0.3]),
        ])
    }

    /// Everything that the model predicts of the new rows, by output and column; numbers that are none are null.
    static func predictions(_ model: CATEModel) throws -> SpecObject {
        var object = SpecObject()
        for output in PredictionRequest.Output.allCases {
            guard let result = try? model.predict(PredictionRequest(output), for: .new(rows())) else {
                continue
            }
            var columns = SpecObject()
            for (name, values) in zip(result.names, result.columns) {
                columns[name] = .array(values.map { $0.isFinite ? .number($0) : .null })
            }
            object[output.rawValue] = .object(columns)
        }
        return object
    }

    /// The path of a file of the fixtures.
    static func path(_ name: String, beside file: String = #filePath) -> String {
        URL(fileURLWithPath: file).deletingLastPathComponent()
            .appendingPathComponent("Fixtures/models/format\(version)_\(name)").path
    }

    /// Writes a recipe's model and predictions where they are missing, and of a model that is there those of outputs that came later.
    static func write(_ recipe: Recipe) throws {
        guard !FileManager.default.fileExists(atPath: path(recipe.name + ".model")) else {
            let model = try CATEModel(contentsOf: path(recipe.name + ".model"))
            var document =
                try Fixture("models/format\(version)_\(recipe.name)").value.objectValue ?? SpecObject()
            var stored = document["predictions"]?.objectValue ?? SpecObject()
            let found = try predictions(model)
            for output in found.keys where stored[output] == nil { stored[output] = found[output] }
            document["predictions"] = .object(stored)
            try AtomicFile.write(
                Array((SpecValue.object(document).json(indented: true) + "\n").utf8),
                to: path(recipe.name + ".json"))
            return
        }
        let spec = try MetaLearnerSpec(recipe.spec.withFolds)
        let model = try MetaLearnerFitter(spec).fit(dataset(recipe))
        try model.save(to: path(recipe.name + ".model"))
        let document: SpecValue = [
            "training_effects": .array(
                model.spec.keepTraining
                    ? model.trainingEffects.map { .array($0.map { .number($0) }) } : []),
            "predictions": .object(try predictions(model)),
        ]
        try AtomicFile.write(
            Array((document.json(indented: true) + "\n").utf8), to: path(recipe.name + ".json"))
    }
}

extension SpecValue {
    /// The spec on three folds, where it says nothing of them.
    fileprivate var withFolds: SpecValue {
        var object = objectValue ?? SpecObject()
        if object["cross_fitting"] == nil { object["cross_fitting"] = ["folds": 3] }
        return .object(object)
    }
}
