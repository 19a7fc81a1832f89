import MetaLearnersCore
import MetaLearnersKit
import Testing
import _TestSupport

@testable import AutoLearner
@testable import MetaLearners

/// A learner that says less than it does: a regression whose effect is the model's prediction doubled.
private struct DoublingLearner: EffectRegressionLearner {
    static let kind: LearnerKind = "doubling"
    static let reference = LearnerReference(target: "–", weight: "1", effect: "twice", citation: "a test")

    init(_ spec: MetaLearnerSpec) {}

    func nuisanceRoles(armCount: Int) -> [NuisanceRole] { DRLearner().nuisanceRoles(armCount: armCount) }

    func pseudoOutcome(_ role: EffectRole, _ dataset: CausalDataset, _ nuisances: NuisanceEstimates)
        throws(MetaLearnersError) -> PseudoOutcome
    { try DRLearner().pseudoOutcome(role, dataset, nuisances) }

    func effect(of arm: Int, _ nuisances: NuisanceEstimates, _ effects: EffectPredictions)
        throws(MetaLearnersError) -> [Double]
    { try effects(EffectRole(arm: arm)).map { 2 * $0 } }
}

@Suite("Models as graphs of formulas")
struct EffectFormulaTests {
    // MARK: Backends

    /// Rows with numbers, missing ones, and a category with levels missing and, where new, never seen.
    private static func features(_ count: Int, seed: UInt64, isNew: Bool = false) throws -> Table {
        var stream = RandomStream(seed: seed)
        let numbers = (0..<2).map { column in
            (0..<count).map { _ in (isNew ? 1.5 : 1) * (stream.normal() * (column == 0 ? 1 : 40) + 3) }
        }
        let gaps = (0..<count).map { _ in stream.uniform() < 0.2 ? Double.nan : stream.normal() }
        // Level 4 never occurs in training.
        let codes = (0..<count).map { _ in
            stream.uniform() < 0.1 ? Int32(-1) : Int32(stream.integer(below: isNew ? 5 : 4))
        }
        return try Table([
            Column("x1", numbers[0]), Column("x2", numbers[1]), Column("gaps", gaps),
            Column("kind", codes: StridedValues(codes), levels: ["a", "b", "c", "d", "e"]),
        ])
    }

    private static func agree(_ left: [Double], _ right: [Double]) -> Bool {
        left.count == right.count
            && zip(left, right).allSatisfy { abs($0 - $1) <= 1e-10 * max(1, abs($0), abs($1)) }
    }

    struct Case: Sendable, CustomTestStringConvertible {
        let backend: String
        let objective: String
        var parameters = SpecObject()
        var testDescription: String { "\(backend), \(objective) \(SpecValue.object(parameters).json())" }
    }

    private static let small = SpecObject([("trees", 12)])

    static let cases: [Case] =
        ["constant", "ols", "ridge", "lasso", "elastic_net"].map { Case(backend: $0, objective: "number") }
        + ["splines", "splines_interactions"].flatMap { expansion in
            let parameters = SpecObject([("expansion", .string(expansion))])
            return [
                Case(backend: "ridge", objective: "number", parameters: parameters),
                Case(backend: "lasso", objective: "residual", parameters: parameters),
                Case(backend: "logistic", objective: "two classes", parameters: parameters),
                Case(backend: "logistic", objective: "three classes", parameters: parameters),
            ]
        }
        + ["two classes", "three classes", "one class"].flatMap { objective in
            [
                Case(backend: "constant", objective: objective),
                Case(backend: "logistic", objective: objective),
            ]
        }
        + ["number", "two classes", "three classes", "residual", "residuals", "numbers", "count", "quantile"]
        .map { Case(backend: "trees", objective: $0, parameters: small) }
        + ["number", "two classes", "three classes", "residual"].map {
            Case(backend: "forest", objective: $0, parameters: small)
        }
        + ["number", "residual"].map {
            Case(backend: "bart", objective: $0, parameters: SpecObject([("sweeps", 6), ("burn_in", 2)]))
        }

    private static func task(_ objective: String, _ features: Table, weights: [Double]?) throws
        -> TrainingTask
    {
        let first = features.columns[0].values.doubles()
        let second = features.columns[1].values.doubles()
        let gaps = features.columns[2].values.doubles()
        let codes = features.columns[3].values.doubles()
        var target = first.indices.map { row in
            first[row] + (gaps[row].isNaN ? 0.5 : gaps[row]) * second[row] / 40 + codes[row]
        }
        var kind = TrainingTask.Objective.regression
        switch objective {
        case "two classes":
            target = target.map { $0 > 4 ? 1 : 0 }
            kind = .classification(classes: 2)
        case "three classes":
            target = target.map { $0 > 6 ? 2 : $0 > 3 ? 1 : 0 }
            kind = .classification(classes: 3)
        case "one class":
            target = target.map { _ in 1 }
            kind = .classification(classes: 3)
        case "residual": kind = .residual(regressor: codes.map { 0.5 + abs($0) })
        case "residuals": kind = .multiResidual(regressors: [codes.map { 0.5 + abs($0) }, first])
        case "numbers": kind = .multiRegression(others: [second])
        case "count":
            target = target.map { max($0.rounded(), 0) }
            kind = .count
        case "quantile": kind = .quantile(level: 0.3)
        default: break
        }
        return try TrainingTask(
            features: features, rows: (0..<Int32(features.rowCount)).map { $0 }, target: target,
            weights: weights, objective: kind, seed: 5)
    }

    @Test("The formulas of every backend's model give its predictions of new rows", arguments: cases)
    func backends(_ single: Case) throws {
        let features = try Self.features(240, seed: 11)
        let new = try Self.features(1500, seed: 12, isNew: true)
        for weights in [nil, (0..<240).map { 0.5 + Double($0 % 3) / 2 }] {
            let task = try Self.task(single.objective, features, weights: weights)
            let estimator = try EstimatorRegistry.default.makeEstimator(
                EstimatorChoice(single.backend, single.parameters), at: .root)
            let model = try estimator.fit(task, ExecutionContext())
            let formulas = try #require(model as? any FormulaProviding).formulas()
            #expect(formulas.count == model.outputCount)
            let graph = FormulaGraph(formulas)
            for rows in [nil, [3, 1400, 3]] as [[Int32]?] {
                let expected = try model.predict(new, rows: rows, ExecutionContext())
                let values = try graph.evaluate(new, rows: rows)
                for (output, column) in values.enumerated() {
                    let own = stride(from: output, to: expected.count, by: model.outputCount).map {
                        expected[$0]
                    }
                    #expect(Self.agree(column, own), "output \(output)")
                    // Trees of numbers are added up in the same order.
                    if single.backend == "trees", single.objective == "number" { #expect(column == own) }
                }
            }
            // No number is left out: what JSON cannot hold is null there.
            #expect(!graph.specValue.json().contains("null"))
        }
    }

    // MARK: Learners

    /// A model's formulas and its predictions of new rows agree, of everything that it predicts of them; and so do those that
    /// went through JSON.
    private func requireAgreement(_ model: CATEModel, _ note: String, on rows: Table? = nil) throws {
        let rows = try rows ?? ModelFixture.rows()
        let loaded = try CATEModel(bytes: model.encoded())
        for output in [PredictionRequest.Output.effects, .armMeans, .propensities] {
            let request = PredictionRequest(output)
            let expected: Prediction
            do throws(MetaLearnersError) {
                expected = try model.predict(request, for: .new(rows))
            } catch {
                let refused = #expect(throws: MetaLearnersError.self) { try model.formulas(request) }
                #expect(refused?.kind == error.kind, "\(note), \(output)")
                continue
            }
            let document = try model.formulaDocument(request)
            let read = try FormulaDocument(
                SpecValue(json: document.specValue.json().utf8, source: "formulas"))
            #expect(read == document && read.graph.formulas == document.graph.formulas)
            #expect(document.names == expected.names)
            let values = try read.evaluate(rows).values
            #expect(values.count == expected.columns.count)
            for (column, own) in zip(values, expected.columns) {
                #expect(Self.agree(column, own), "\(note), \(output): \(column) \(own)")
            }
            // What was saved and loaded says the same.
            #expect(try loaded.formulaDocument(request) == document)
        }
    }

    private func fit(
        _ learner: LearnerKind, arms: Int, outcome: String = "continuous", _ models: SpecValue,
        _ keys: [(String, SpecValue)] = [], known: CausalDataset? = nil
    ) throws -> CATEModel {
        var object = SpecObject([
            ("learner", .string(learner.rawValue)), ("cross_fitting", ["folds": 3]),
        ])
        if learner != .auto { object["models"] = models }
        for (key, value) in keys { object[key] = value }
        let recipe = ModelFixture.Recipe(name: "", spec: .object(object), arms: arms, outcome: outcome)
        let data = try known ?? ModelFixture.dataset(recipe)
        var settings = AutoSettings(rowCount: data.rowCount)
        settings.rounds = 20
        settings.lassoStages = 10
        return try MetaLearnerFitter(MetaLearnerSpec(.object(object))).withAuto(settings).fit(data)
    }

    private static let trees: SpecValue = ["backend": "trees", "trees": 5, "max_leaves": 6]
    private static let bart: SpecValue = [
        "backend": "bart", "trees": 4, "effect_trees": 3, "sweeps": 4, "burn_in": 1,
    ]
    private static let forest: SpecValue = ["backend": "forest", "trees": 4, "max_depth": 4]
    private static let kinds: [SpecValue] = [
        ["outcome": "ridge", "propensity": "logistic", "effect": "ols"],
        [
            "outcome": trees, "propensity": ["backend": "logistic", "calibration": "isotonic"],
            "effect": trees,
        ],
        ["outcome": forest, "propensity": ["backend": "forest", "trees": 4], "effect": forest],
        ["outcome": bart, "propensity": "logistic", "effect": bart],
        [
            "outcome": ["backend": "stack", "members": ["ridge", trees]],
            "propensity": ["backend": "stack", "members": ["logistic", trees], "least_advantage": 0],
            "effect": ["backend": "stack", "folds": 2, "members": ["ols", trees]],
        ],
    ]
    private static let binaryKinds: [SpecValue] = [
        ["outcome": "logistic", "propensity": "logistic", "effect": "lasso"],
        [
            "outcome": trees, "propensity": ["backend": "trees", "trees": 5, "calibration": "platt"],
            "effect": trees,
        ],
    ]

    @Test("The formulas of every learner's effects are its predictions", arguments: LearnerKind.allCases)
    func learners(learner: LearnerKind) throws {
        let isOwn = learner == .auto
        for arms in [2, 3] {
            for (index, models) in Self.kinds.enumerated() where !isOwn || index == 0 {
                try requireAgreement(fit(learner, arms: arms, models), "\(arms) arms, models \(index)")
            }
            try requireAgreement(
                fit(learner, arms: arms, Self.kinds[1], [("prediction", "median")]), "\(arms) arms, median")
        }
        for (index, models) in Self.binaryKinds.enumerated() where !isOwn || index == 0 {
            try requireAgreement(fit(learner, arms: 2, outcome: "binary", models), "binary \(index)")
        }
    }

    @Test("So they are for outcomes of several classes", arguments: [LearnerKind.s, .t])
    func classes(learner: LearnerKind) throws {
        for models in Self.binaryKinds {
            try requireAgreement(fit(learner, arms: 3, outcome: "classes", models), "classes")
        }
    }

    @Test("And for joint effects, calibrated propensities, models of some columns and the mean of the folds")
    func settings() throws {
        try requireAgreement(fit(.r, arms: 3, Self.kinds[1], [("multi_arm", "joint")]), "joint")
        for (arms, method) in [(2, "isotonic"), (3, "isotonic"), (2, "platt"), (3, "platt")] {
            let models: SpecValue = [
                "outcome": "ridge",
                "propensity": ["backend": "logistic", "calibration": .string(method), "columns": ["x2"]],
                "effect": ["backend": "ridge", "columns": ["kind", "x2"]],
            ]
            for prediction in ["mean", "full"] {
                let model = try fit(
                    .x, arms: arms, models,
                    [("prediction", .string(prediction)), ("overlap", ["bounds": [0.2, 0.6]])])
                try requireAgreement(model, "\(arms) arms, \(method), \(prediction)")
            }
        }
        let joint: SpecValue = ["outcome": ["backend": "trees", "trees": 5, "columns": ["kind", "gaps"]]]
        try requireAgreement(fit(.s, arms: 3, joint), "columns beside the treatment")
    }

    @Test("Effects on every scale, of any arm against any other, have formulas")
    func requests() throws {
        let binary = try fit(.t, arms: 2, outcome: "binary", Self.binaryKinds[0])
        let several = try fit(.s, arms: 3, Self.kinds[1])
        let rows = try ModelFixture.rows()
        var requests: [(CATEModel, PredictionRequest)] = EffectScale.allCases.map {
            (binary, PredictionRequest(scale: $0))
        }
        let labels = several.armLabels
        requests += [
            (several, PredictionRequest(arm: labels[2], baseline: labels[1])),
            (several, PredictionRequest(arm: labels[0], baseline: labels[2])),
            (several, PredictionRequest(baseline: labels[1])),
            (several, PredictionRequest(.armMeans, arm: labels[1])),
            (several, PredictionRequest(.propensities, arm: labels[2])),
        ]
        for (model, request) in requests {
            let expected = try model.predict(request, for: .new(rows))
            let document = try model.formulaDocument(request)
            let values = try document.evaluate(rows).values
            #expect(document.names == expected.names && values.count == expected.columns.count)
            for (own, other) in zip(values, expected.columns) { #expect(Self.agree(own, other)) }
        }
    }

    @Test("So have candidates that auto was given, and columns with so many levels that these are scored")
    func auto() throws {
        var stream = RandomStream(seed: 17)
        let count = 300
        let x = (0..<count).map { _ in stream.normal() }
        let city = (0..<count).map { _ in Int(90 * stream.uniform() * stream.uniform()) }
        let arms = x.map { Int32(stream.uniform() < Logistic.share($0) ? 1 : 0) }
        let outcome = (0..<count).map { row in
            Double(arms[row]) * x[row] + Double(city[row] % 7) / 3 + 0.2 * stream.normal()
        }
        let data = try CausalDataset(
            covariates: Table([Column("x", x), Column("city", categories: city.map { "city \($0)" })]),
            treatment: Treatment(arms: arms, labels: ["0", "1"]), outcome: Outcome(outcome))
        let new = try Table([
            Column("x", [0.3, -1, 2, 0.1]), Column("city", categories: ["city 1", nil, "city 80", "Ulm"]),
        ])
        let keys: [SpecObject] = [
            SpecObject([
                (
                    "auto",
                    [
                        "also": [
                            ["learner": "r", "models": ["effect": Self.trees]],
                            ["learner": "x", "models": ["outcome": "ridge", "effect": "ridge"]],
                        ]
                    ]
                )
            ]),
            SpecObject([
                ("prediction", "median"),
                (
                    "auto",
                    [
                        "also": [
                            ["learner": "t", "models": ["outcome": "ridge"]],
                            ["learner": "r", "models": ["effect": "ridge"]],
                        ]
                    ]
                ),
            ]),
            SpecObject([("learner", "x"), ("models", ["outcome": "lasso", "effect": "elastic_net"])]),
            SpecObject([("learner", "dr"), ("models", ["outcome": Self.trees, "effect": Self.forest])]),
        ]
        for var spec in keys {
            spec["cross_fitting"] = ["folds": 3]
            var settings = AutoSettings(rowCount: count)
            settings.rounds = 20
            settings.lassoStages = 10
            // Every candidate weighs something.
            settings.weights.temperature = 1e6
            let model = try MetaLearnerFitter(MetaLearnerSpec(.object(spec))).withAuto(settings).fit(data)
            try requireAgreement(model, SpecValue.object(spec).json(), on: new)
        }
    }

    @Test("The document has columns with their levels, the effects' names and the graph")
    func document() throws {
        let model = try fit(.t, arms: 3, Self.kinds[1])
        let document = try #require(model.formulaDocument().specValue.objectValue)
        #expect(document.keys == ["columns", "unseen_levels", "names", "nodes", "outputs"])
        #expect(document["columns"]?.arrayValue?.count == model.schema.fields.count)
        #expect(document["columns"]?.arrayValue?.last?.objectValue?["levels"] == ["a", "b", "é"])
        #expect(document["names"]?.arrayValue?.count == 2)
        #expect(document["outputs"]?.arrayValue?.count == 2)
        // The control's trees serve both arms: two differences, and the trees of three arms.
        #expect(document["nodes"]?.arrayValue?.count == 5)
    }

    // MARK: What has none

    @Test("Intervals and stability have no formula")
    func intervals() throws {
        let model = try fit(.dr, arms: 2, Self.kinds[0], [("intervals", ["method": "analytic"])])
        for output in [PredictionRequest.Output.intervals, .stability, .individualIntervals] {
            let error = #expect(throws: MetaLearnersError.self) {
                try model.formulas(PredictionRequest(output))
            }
            #expect(error.says(.unsupported, output.rawValue, "no formula"))
        }
    }

    @Test("What has no formula is named")
    func unsupported() throws {
        func error(_ body: () throws -> [Formula]) -> String {
            do {
                _ = try body()
                return "no error"
            } catch let error as MetaLearnersError {
                #expect(error.kind == .unsupported)
                return error.description
            } catch { return "\(error)" }
        }
        let recipe = ModelFixture.Recipe(name: "", spec: [:])
        let data = try ModelFixture.dataset(recipe)
        let registry = Registry(
            EstimatorRegistry.default.registering(MemorisingEstimator.self)
        ).registering(TLearner.self).registering(DoublingLearner.self)
        func fit(_ spec: SpecValue) throws -> CATEModel {
            try MetaLearnerFitter(MetaLearnerSpec(spec), registry: registry).fit(data)
        }
        let opaque = try fit([
            "learner": "t", "models": ["outcome": "memorising", "propensity": "logistic"],
        ])
        let message = error { try opaque.formulas() }
        #expect(message.contains("outcome of arm '0'") && message.contains("memorising"), "\(message)")
        let doubling = try fit([
            "learner": "doubling",
            "models": ["outcome": "ridge", "propensity": "logistic", "effect": "ridge"],
        ])
        #expect(error { try doubling.formulas() }.contains("'doubling'"))
    }

    @Test("The known shares of a trial are constants of the formula; known numbers of each row have none")
    func knownPropensities() throws {
        let data = try ModelFixture.dataset(ModelFixture.Recipe(name: "", spec: [:]))
        let count = data.rowCount
        let known = try CausalDataset(
            covariates: data.covariates, treatment: data.treatment, outcome: data.outcome,
            knownPropensities: [0.7, 0.3].map { [Double](repeating: $0, count: count) })
        func fit(_ learner: SpecValue, _ data: SpecValue) throws -> CATEModel {
            let spec: SpecValue = [
                "learner": learner, "data": data,
                "models": ["outcome": "ridge", "effect": "ridge"],
            ]
            return try MetaLearnerFitter(MetaLearnerSpec(spec)).fit(known)
        }
        let shares = try fit("x", ["propensity": [0.7, 0.3]])
        #expect(shares.overlap.isKnown)
        try requireAgreement(shares, "shares")
        // The outcomes that auto stacks depend on them.
        try requireAgreement(
            self.fit(.auto, arms: 2, [:], [("data", ["propensity": [0.7, 0.3]])], known: known), "auto")
        let ofRows = try fit("x", ["propensity": ["p"]])
        let error = #expect(throws: MetaLearnersError.self) { try ofRows.formulas() }
        #expect(error.says(.unsupported, "known propensities"))
        // Effects that do not take them have a formula all the same.
        let dr = try fit("dr", ["propensity": ["p"]])
        let rows = try ModelFixture.rows()
        let effects = try dr.formulaDocument().evaluate(rows).values[0]
        #expect(try Self.agree(effects, dr.predict(rows).effects[0]))
        let propensities = #expect(throws: MetaLearnersError.self) {
            try dr.formulas(PredictionRequest(.propensities))
        }
        #expect(propensities.says(.unsupported, "known propensities"))
    }
}
