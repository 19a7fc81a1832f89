import MetaLearnersCore
import MetaLearnersKit
import Testing
import _TestSupport

@testable import AutoLearner
@testable import MetaLearners

@Suite("Rows predicted one at a time")
struct RowPredictorTests {
    private static let backends: [SpecValue] = [
        ["outcome": "ridge", "propensity": "logistic", "effect": "ols"],
        ["outcome": "lasso", "propensity": "constant", "effect": "elastic_net"],
        [
            "outcome": ["backend": "ridge", "expansion": "splines_interactions"],
            "propensity": ["backend": "logistic", "calibration": "isotonic"],
            "effect": ["backend": "ridge", "expansion": "splines"],
        ],
        [
            "outcome": ["backend": "trees", "trees": 9, "max_leaves": 6],
            "propensity": ["backend": "trees", "trees": 5], "effect": ["backend": "trees", "trees": 9],
        ],
        [
            "outcome": ["backend": "forest", "trees": 5], "propensity": ["backend": "forest", "trees": 5],
            "effect": ["backend": "forest", "trees": 5],
        ],
        [
            "outcome": ["backend": "bart", "sweeps": 6, "burn_in": 2], "propensity": "logistic",
            "effect": ["backend": "bart", "sweeps": 6, "burn_in": 2],
        ],
    ]
    private static let binary: [SpecValue] = [
        ["outcome": "logistic", "propensity": "logistic", "effect": "lasso"],
        [
            "outcome": ["backend": "trees", "trees": 9],
            "propensity": ["backend": "logistic", "calibration": "platt"], "effect": "ridge",
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

    private static let order = ["x2", "unused", "kind", "gaps"]
    private static let kinds: [String?] = ["a", "é", nil, nil, "b", "a"]
    private static let gaps = [0.25, -1.5, .nan, 0.75, 2, -40]
    private static let x2 = [-0.5, 0.125, 1, -2, 0.3, 12]

    /// Every output that the model has, of every row by itself, is that of the table.
    private func requireAgreement(_ model: CATEModel, _ note: String) throws {
        let rows = try Table([
            Column("kind", categories: Self.kinds), Column("gaps", Self.gaps), Column("x2", Self.x2),
        ])
        for output in PredictionRequest.Output.allCases {
            let request = PredictionRequest(output)
            let expected: Prediction
            do throws(MetaLearnersError) {
                expected = try model.predict(request, for: .new(rows))
            } catch {
                let refused = #expect(throws: MetaLearnersError.self) {
                    try model.rowPredictor(request).predict([0, 0, 0])
                }
                #expect(refused?.kind == error.kind, "\(note), \(output)")
                continue
            }
            let predictor = try model.rowPredictor(columns: Self.order, request)
            let hasFormulas = [.effects, .armMeans, .propensities].contains(output)
            #expect(predictor.isCompiled == hasFormulas, "\(note), \(output)")
            #expect(predictor.outputNames == expected.names)
            let levels = predictor.levels[2]
            // What the results are made of may be larger than they.
            let size = expected.columns.joined().filter(\.isFinite).reduce(1) { max($0, abs($1)) } + 40
            for row in 0..<rows.rowCount {
                let code = Self.kinds[row].flatMap { levels.firstIndex(of: $0) }.map(Double.init)
                let found = try predictor.predict([Self.x2[row], 99, code ?? -1, Self.gaps[row]])
                let distance =
                    zip(found, expected.columns).map { $0 == $1[row] ? 0 : abs($0 - $1[row]) }.max() ?? 0
                #expect(distance <= 1e-12 * size, "\(note), \(output), row \(row)")
            }
        }
    }

    @Test("are predicted as in a table, by every learner", arguments: LearnerKind.allCases)
    func learners(learner: LearnerKind) throws {
        for arms in [2, 3] {
            for (index, models) in Self.backends.enumerated() where learner != .auto || index == 0 {
                try requireAgreement(fit(learner, arms: arms, models), "\(arms) arms, models \(index)")
            }
            for rule in ["mean", "median"] {
                try requireAgreement(
                    fit(learner, arms: arms, Self.backends[3], [("prediction", .string(rule))]),
                    "\(arms) arms, \(rule)")
            }
        }
        for (index, models) in Self.binary.enumerated() where learner != .auto || index == 0 {
            try requireAgreement(fit(learner, outcome: "binary", models), "binary \(index)")
        }
        if learner == .s || learner == .t {
            try requireAgreement(fit(learner, outcome: "classes", Self.binary[1]), "classes")
        }
    }

    @Test("are those of the table to the bit where trees are compared and averaged")
    func bits() throws {
        for learner in [LearnerKind.t, .dr, .r] {
            for rule in ["full", "mean"] {
                let models: SpecValue = [
                    "outcome": ["backend": "trees", "trees": 9], "effect": ["backend": "trees", "trees": 9],
                ]
                let model = try fit(learner, models, [("prediction", .string(rule))])
                let rows = try Table([
                    Column("kind", categories: Self.kinds), Column("gaps", Self.gaps), Column("x2", Self.x2),
                ])
                let expected = try model.predict(rows).effects[0]
                let predictor = try model.rowPredictor()
                for row in expected.indices {
                    let code = Self.kinds[row].flatMap { ["a", "b", "é"].firstIndex(of: $0) }.map(Double.init)
                    var values = [Double](repeating: 0, count: 3)
                    for (place, name) in predictor.columnNames.enumerated() {
                        values[place] =
                            name == "kind" ? code ?? .nan : name == "gaps" ? Self.gaps[row] : Self.x2[row]
                    }
                    #expect(try predictor.predict(values)[0].bitPattern == expected[row].bitPattern)
                }
            }
        }
    }

    @Test("by models without formulas, and of outputs without, take the way of tables")
    func withoutFormulas() throws {
        let registry = Registry(EstimatorRegistry.default.registering(MemorisingEstimator.self)).registering(
            TLearner.self)
        let recipe = ModelFixture.Recipe(name: "", spec: [:])
        let spec: SpecValue = [
            "learner": "t", "models": ["outcome": "memorising", "propensity": "logistic"],
        ]
        let model = try MetaLearnerFitter(MetaLearnerSpec(spec), registry: registry).fit(
            ModelFixture.dataset(recipe))
        let predictor = try model.rowPredictor()
        #expect(!predictor.isCompiled)
        let table = try Table([Column("gaps", [0.5]), Column("x2", [1.0]), Column("kind", categories: ["b"])])
        #expect(
            try predictor.predict(predictor.columnNames.map { $0 == "gaps" ? 0.5 : 1 }) == [
                model.predict(table).effects[0][0]
            ])
        try requireAgreement(
            fit(.dr, Self.backends[0], [("intervals", ["method": "analytic"])]), "intervals")
    }

    @Test("have missing values where the spec names them, and known propensities where the row has them")
    func dataSpec() throws {
        let marked = try fit(.t, Self.backends[0], [("data", ["missing_values": ["-40", "é"]])])
        try requireAgreement(marked, "missing values")
        let data = try ModelFixture.dataset(ModelFixture.Recipe(name: "", spec: [:]))
        let known = try CausalDataset(
            covariates: data.covariates, treatment: data.treatment, outcome: data.outcome,
            knownPropensities: [0.7, 0.3].map { [Double](repeating: $0, count: data.rowCount) })
        let spec: SpecValue = [
            "learner": "x", "data": ["propensity": ["p"]], "models": ["outcome": "ridge", "effect": "ridge"],
        ]
        let model = try MetaLearnerFitter(MetaLearnerSpec(spec)).fit(known)
        let predictor = try model.rowPredictor(columns: ["gaps", "x2", "kind", "p"])
        #expect(!predictor.isCompiled)
        for share in [0.2, 0.9] {
            let table = try Table([
                Column("gaps", [0.5]), Column("x2", [1.0]), Column("kind", categories: ["b"]),
                Column("p", [share]),
            ])
            #expect(try predictor.predict([0.5, 1, 1, share]) == [model.predict(table).effects[0][0]])
        }
    }

    @Test("say what is wrong with them")
    func refusals() throws {
        let model = try fit(.t, Self.backends[0])
        func error(_ body: () throws -> Void) -> MetaLearnersError? {
            #expect(throws: MetaLearnersError.self) { try body() }
        }
        let missing = error { _ = try model.rowPredictor(columns: ["gaps", "kind", "x_2"]) }
        #expect(missing.says(.invalidData, "x2", "missing"))
        let twice = error { _ = try model.rowPredictor(columns: ["gaps", "kind", "x2", "x2"]) }
        #expect(twice.says(.invalidData, "x2", "twice"))
        #expect(
            error { _ = try model.rowPredictor(PredictionRequest(arm: "none")) }?.kind == .invalidArgument)
        let predictor = try model.rowPredictor(columns: ["gaps", "kind", "x2"])
        #expect(error { _ = try predictor.predict([1, 2]) }?.kind == .invalidArgument)
        for code in [3, 1.5, 1e300, .infinity] {
            #expect(error { _ = try predictor.predict([1, code, 2]) }?.kind == .invalidData, "\(code)")
        }
        #expect(error { _ = try predictor.predict([.infinity, 1, 2]) }?.kind == .numericalFailure)
    }

    @Test("may be asked for by any number of threads")
    func threads() throws {
        let model = try fit(.x, Self.backends[2])
        let predictor = try model.rowPredictor()
        let rows: [[Double]] = (0..<64).map { row in
            let number = Double(row)
            return [number / 9, 1 - number / 50, Double(row % 3)]
        }
        let expected = try rows.map { try predictor.predict($0) }
        let answers = ResultSlots<Bool>(count: 8)
        ExecutionContext(threads: 8).concurrently(8) { thread in
            var isSame = true
            for _ in 0..<200 {
                for (row, values) in zip(rows, expected) where (try? predictor.predict(row)) != values {
                    isSame = false
                }
            }
            answers[thread] = isSame
        }
        #expect((0..<8).allSatisfy { answers[$0] == true })
    }
}
