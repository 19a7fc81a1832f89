import MetaLearnersCore
import MetaLearnersKit
import Testing
import _TestSupport

@testable import AutoLearner
@testable import MetaLearners

@Suite("Explanations of effects")
struct ExplanationTests {
    private static let trees: SpecValue = ["backend": "trees", "trees": 5, "max_leaves": 6]
    private static let bart: SpecValue = [
        "backend": "bart", "trees": 4, "effect_trees": 3, "sweeps": 4, "burn_in": 1,
    ]
    private static let forest: SpecValue = ["backend": "forest", "trees": 4, "max_depth": 4]
    private static let backends: [SpecValue] = [
        ["outcome": "ridge", "propensity": "logistic", "effect": "ols"],
        [
            "outcome": trees, "propensity": ["backend": "logistic", "calibration": "isotonic"],
            "effect": trees,
        ],
        ["outcome": forest, "propensity": ["backend": "forest", "trees": 4], "effect": forest],
        ["outcome": bart, "propensity": "logistic", "effect": bart],
        [
            "outcome": ["backend": "ridge", "expansion": "splines_interactions"],
            "propensity": ["backend": "trees", "trees": 5],
            "effect": ["backend": "lasso", "expansion": "splines"],
        ],
    ]

    private func fit(
        _ learner: LearnerKind, arms: Int = 2, outcome: String = "continuous", _ models: SpecValue,
        _ keys: [(String, SpecValue)] = [], registry: Registry = .default
    ) throws -> CATEModel {
        var object = SpecObject([("learner", .string(learner.rawValue)), ("cross_fitting", ["folds": 3])])
        if learner != .auto { object["models"] = models }
        for (key, value) in keys { object[key] = value }
        let recipe = ModelFixture.Recipe(name: "", spec: .object(object), arms: arms, outcome: outcome)
        let data = try ModelFixture.dataset(recipe)
        var settings = AutoSettings(rowCount: data.rowCount)
        settings.rounds = 20
        settings.lassoStages = 10
        return try MetaLearnerFitter(MetaLearnerSpec(.object(object)), registry: registry).withAuto(settings)
            .fit(data)
    }

    private static func background() throws -> Table {
        try ModelFixture.dataset(ModelFixture.Recipe(name: "", spec: [:])).covariates
            .selecting(rows: [0, 8, 17, 23, 42, 55, 61, 90, 100, 117])
    }

    private func request(_ method: ExplanationRequest.Method) -> ExplanationRequest {
        var request = ExplanationRequest()
        request.method = method
        return request
    }

    /// Values add up to what the model predicts, and nothing but rounding had to be shared out for that.
    private func requireSums(_ explanation: Explanation, _ model: CATEModel, _ note: String) throws {
        let predicted = try model.predict(PredictionRequest(), for: .new(ModelFixture.rows()))
        #expect(explanation.outputNames == predicted.names && explanation.effects == predicted.columns)
        let features = explanation.featureNames.count
        for (output, column) in predicted.columns.enumerated() {
            for (row, effect) in column.enumerated() {
                let sum = (0..<features).reduce(explanation.baseValues[output]) {
                    $0 + explanation.value(row: row, output: output, feature: $1)
                }
                #expect(abs(sum - effect) < 1e-9 * max(1, abs(effect)), "\(note)")
            }
        }
        #expect(explanation.largestGap < 1e-9, "\(note): \(explanation.largestGap)")
        #expect(
            explanation.values.count == explanation.rowCount * explanation.outputNames.count * features,
            "\(note)")
    }

    /// The values by their definition: predictions of rows that have a set of covariates from the row explained and the others
    /// from each row of the background.
    private func definition(_ model: CATEModel, _ background: Table, row: Int) throws -> (
        base: [Double], values: [[Double]]
    ) {
        let rows = try model.schema.align(ModelFixture.rows()).table
        let others = try model.schema.align(background).table
        let width = rows.columns.count
        var means: [[Double]] = []
        for set in 0..<1 << width {
            let mixed = try Table(
                rows.columns.indices.map { column in
                    set >> column & 1 == 1
                        ? rows.columns[column].selecting(
                            [Int32](repeating: Int32(row), count: others.rowCount))
                        : others.columns[column]
                })
            means.append(
                try model.predict(PredictionRequest(), for: .new(mixed)).columns.map {
                    $0.reduce(0, +) / Double(others.rowCount)
                })
        }
        // Of three columns: a third for first and last, a sixth for each order in between.
        #expect(width == 3)
        let values = means[0].indices.map { output in
            (0..<3).map { column in
                (0..<8).filter { $0 >> column & 1 == 0 }.reduce(0) { sum, set in
                    let weight = set.nonzeroBitCount == 1 ? 1.0 / 6 : 1.0 / 3
                    return sum + weight * (means[set | 1 << column][output] - means[set][output])
                }
            }
        }
        return (means[0], values)
    }

    @Test(
        "Every learner's effects are explained by the definition of interventional values",
        arguments: LearnerKind.allCases, [2, 3])
    func learners(learner: LearnerKind, arms: Int) throws {
        let background = try Self.background()
        let rows = try ModelFixture.rows()
        for (index, models) in Self.backends.enumerated()
        where learner == .auto ? index == 0 : arms == 2 || index == 1 {
            for prediction in ["full", "median"] where index == 1 || prediction == "full" {
                let model = try fit(learner, arms: arms, models, [("prediction", .string(prediction))])
                let note = "\(learner.rawValue), \(arms) arms, models \(index), \(prediction)"
                let explanation = try model.explain(rows, request(.interventional), background: background)
                #expect(explanation.method == .interventional && explanation.standardErrors.isEmpty)
                try requireSums(explanation, model, note)
                for row in [1, 2, 3] {
                    let expected = try definition(model, background, row: row)
                    for (output, values) in expected.values.enumerated() {
                        let found = (0..<3).map { explanation.value(row: row, output: output, feature: $0) }
                        #expect(
                            Approximate.equal(found, values, 1e-9), "\(note), row \(row): \(found) \(values)")
                        #expect(
                            Approximate.equal(explanation.baseValues[output], expected.base[output], 1e-9))
                    }
                }
            }
        }
    }

    @Test(
        "By default trees are explained by their training rows, whatever is no sum of trees by a background")
    func defaults() throws {
        let rows = try ModelFixture.rows()
        let ofTrees: SpecValue = ["outcome": Self.trees, "propensity": "logistic", "effect": Self.trees]
        let ofForests: SpecValue = ["outcome": Self.forest, "propensity": "logistic", "effect": Self.forest]
        for learner in LearnerKind.single where learner != .x {
            for models in [ofTrees, ofForests] {
                let model = try fit(learner, arms: 3, models)
                let explanation = try model.explain(rows)
                #expect(explanation.method == .pathDependent, "\(learner.rawValue)")
                #expect(explanation.backgroundRowCount == 0)
                try requireSums(explanation, model, learner.rawValue)
            }
        }
        for (learner, models) in [(LearnerKind.x, ofTrees), (.t, Self.backends[0]), (.auto, ofTrees)] {
            let model = try fit(learner, models)
            let explanation = try model.explain(rows)
            #expect(explanation.method == .interventional && explanation.backgroundRowCount == rows.rowCount)
            try requireSums(explanation, model, learner.rawValue)
        }
        let mixed = try fit(.x, ofTrees)
        let refused = #expect(throws: MetaLearnersError.self) {
            try mixed.explain(rows, request(.pathDependent))
        }
        #expect(refused.says(.unsupported, "method", "interventional"))
    }

    @Test("T and S are the exact combination of their models' values: linear in what they compare")
    func combination() throws {
        let rows = try ModelFixture.rows()
        let models: SpecValue = ["outcome": Self.trees, "propensity": "logistic"]
        for learner in [LearnerKind.s, .t] {
            let model = try fit(learner, arms: 3, models)
            func values(_ arm: String, _ baseline: String?) throws -> Explanation {
                var request = request(.pathDependent)
                request.arm = arm
                request.baseline = baseline
                return try model.explain(rows, request)
            }
            let labels = model.armLabels
            let first = try values(labels[1], nil)
            let second = try values(labels[2], nil)
            let between = try values(labels[2], labels[1])
            for (place, value) in between.values.enumerated() {
                #expect(abs(value - (second.values[place] - first.values[place])) < 1e-12)
            }
            #expect(abs(between.baseValues[0] - (second.baseValues[0] - first.baseValues[0])) < 1e-12)
        }
    }

    @Test("Classes, binary outcomes, other scales and joint effects are explained as well")
    func outcomes() throws {
        let rows = try ModelFixture.rows()
        let background = try Self.background()
        let binary: [SpecValue] = [
            ["outcome": "logistic", "propensity": "logistic", "effect": "lasso"],
            ["outcome": Self.trees, "propensity": Self.trees, "effect": Self.trees],
            ["outcome": Self.forest, "propensity": "logistic", "effect": Self.forest],
        ]
        for models in binary {
            for (learner, outcome, arms) in [
                (LearnerKind.s, "classes", 3), (.t, "classes", 2), (.t, "binary", 2), (.x, "binary", 2),
                (.r, "binary", 2), (.dr, "binary", 2),
            ] {
                let model = try fit(learner, arms: arms, outcome: outcome, models)
                let explanation = try model.explain(rows, background: background)
                try requireSums(explanation, model, "\(learner.rawValue), \(outcome)")
            }
        }
        let joint = try fit(.r, arms: 3, Self.backends[1], [("multi_arm", "joint")])
        try requireSums(joint.explain(rows, background: background), joint, "joint")
        let model = try fit(.t, outcome: "binary", binary[0])
        for scale in EffectScale.allCases {
            var request = ExplanationRequest()
            request.scale = scale.rawValue
            let explanation = try model.explain(rows, request, background: background)
            let predicted = try model.predict(PredictionRequest(scale: scale), for: .new(rows))
            #expect(explanation.outputNames == predicted.names)
            for (row, effect) in predicted.columns[0].enumerated() {
                let sum = (0..<3).reduce(explanation.baseValues[0]) {
                    $0 + explanation.value(row: row, output: 0, feature: $1)
                }
                #expect(abs(sum - effect) < 1e-9 * max(1, abs(effect)))
            }
        }
    }

    @Test(
        "Base learners that say nothing are asked: sums hold, and errors say how far values are from exact ones"
    )
    func opaque() throws {
        let registry = Registry(EstimatorRegistry.default.registering(MemorisingEstimator.self))
            .registering(TLearner.self).registering(XLearner.self).registering(DRLearner.self)
        let rows = try ModelFixture.rows()
        let background = try Self.background()
        for learner in [LearnerKind.t, .dr] {
            let model = try fit(
                learner, ["outcome": "memorising", "propensity": "logistic", "effect": "memorising"],
                registry: registry)
            let explanation = try model.explain(rows, background: background)
            #expect(explanation.method == .permutation && explanation.note.contains("from predictions"))
            #expect(explanation.standardErrors.count == explanation.values.count)
            try requireSums(explanation, model, learner.rawValue)
            let refused = #expect(throws: MetaLearnersError.self) {
                try model.explain(rows, request(.interventional), background: background)
            }
            #expect(refused.says(.unsupported, "memorising"))
        }
    }

    @Test("What is asked of predictions is what formulas give, with the same orders")
    func predictions() throws {
        let rows = try ModelFixture.rows()
        let background = try Self.background()
        let model = try fit(.x, arms: 3, Self.backends[1])
        let compiled = try model.explain(rows, request(.permutation), background: background)
        let drawn = try model.schema.align(background).table
        let predicted = try PredictedShapley(
            model, PredictionRequest(), drawn, CovariateMatrix(drawn), pairs: 2, seed: 0, ExecutionContext())
        let found = try predicted.explain(
            CovariateMatrix(model.schema.align(rows).table), ExecutionContext())
        #expect(compiled.method == .permutation)
        #expect(Approximate.equal(compiled.values, found.values, 1e-9))
        #expect(Approximate.equal(compiled.standardErrors, found.errors, 1e-9))
    }

    @Test("Results do not depend on threads or on the rows beside a row, and a saved model says the same")
    func determinism() throws {
        let rows = try ModelFixture.rows()
        let background = try Self.background()
        let model = try fit(.x, arms: 3, Self.backends[2])
        let loaded = try CATEModel(bytes: model.encoded())
        for method in [ExplanationRequest.Method.interventional, .permutation] {
            let request = request(method)
            let all = try model.explain(rows, request, background: background)
            let again = try loaded.explain(
                rows, request, background: background, ExecutionOptions(threads: 3))
            #expect(all.values == again.values && all.standardErrors == again.standardErrors)
            let one = try model.explain(rows.selecting(rows: [3]), request, background: background)
            let width = all.values.count / rows.rowCount
            #expect(
                Approximate.equal(one.values, Array(all.values[3 * width..<4 * width]), 1e-12))
        }
        var other = request(.permutation)
        other.seed = 1
        let first = try model.explain(rows, request(.permutation), background: background)
        #expect(try model.explain(rows, other, background: background).values != first.values)
    }

    @Test("Requests, rows and backgrounds that cannot be are refused")
    func refusals() throws {
        let model = try fit(.t, Self.backends[0])
        let rows = try ModelFixture.rows()
        func error(_ change: (inout ExplanationRequest) -> Void) -> MetaLearnersError? {
            var request = ExplanationRequest()
            change(&request)
            do {
                _ = try model.explain(rows, request)
                return nil
            } catch { return error as? MetaLearnersError }
        }
        #expect(error { $0.backgroundRows = 0 }.says(.invalidSpec, "background_rows"))
        #expect(error { $0.scale = "diference" }.says(.invalidSpec, "scale", "difference"))
        #expect(error { $0.arm = "9" }.says(.invalidArgument, "arm"))
        #expect(error { $0.arm = model.armLabels[0] }.says(.invalidArgument, "itself"))
        let empty = #expect(throws: MetaLearnersError.self) {
            try model.explain(rows, background: rows.selecting(rows: []))
        }
        #expect(empty.says(.invalidData, "background"))
        let narrow = #expect(throws: MetaLearnersError.self) {
            try model.explain(rows.selecting(columns: [0]), background: rows)
        }
        #expect(narrow.says(.invalidData, "is missing"))
        let none = try model.explainer(background: rows).explain(rows.selecting(rows: []))
        #expect(none.values.isEmpty && none.rowCount == 0)
    }

    @Test("Effects that depend on known propensities of each row are no functions of covariates")
    func knownPropensities() throws {
        let data = try ModelFixture.dataset(ModelFixture.Recipe(name: "", spec: [:]))
        let known = try CausalDataset(
            covariates: data.covariates, treatment: data.treatment, outcome: data.outcome,
            knownPropensities: [0.7, 0.3].map { [Double](repeating: $0, count: data.rowCount) })
        let spec: SpecValue = [
            "learner": "x", "data": ["propensity": ["p"]], "models": ["outcome": "ridge", "effect": "ridge"],
        ]
        let model = try MetaLearnerFitter(MetaLearnerSpec(spec)).fit(known)
        let error = #expect(throws: MetaLearnersError.self) { try model.explain(ModelFixture.rows()) }
        #expect(error.says(.unsupported, "known propensities"))
    }
}
