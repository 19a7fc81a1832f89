import MetaLearners
import MetaLearnersCore
import MetaLearnersKit
import Testing
import _TestSupport

@Suite("Bad input")
struct BadInputTests {
    private func specError(_ value: SpecValue) -> MetaLearnersError? {
        #expect(throws: MetaLearnersError.self) { try MetaLearnerFitter(MetaLearnerSpec(value)) }
    }

    private func fitError(_ spec: SpecValue, _ data: CausalDataset) -> MetaLearnersError? {
        #expect(throws: MetaLearnersError.self) { try MetaLearnerFitter(MetaLearnerSpec(spec)).fit(data) }
    }

    @Test("The shortest specs serve; every default reads back")
    func defaults() throws {
        #expect(try MetaLearnerSpec([:]) == MetaLearnerSpec())
        #expect(try MetaLearnerSpec(MetaLearnerSpec().specValue) == MetaLearnerSpec())
        let fitter = try MetaLearnerFitter(MetaLearnerSpec())
        #expect(try MetaLearnerSpec(fitter.completeSpec).learner == .auto)
        #expect(
            try MetaLearnerFitter(MetaLearnerSpec(fitter.completeSpec)).completeSpec == fitter.completeSpec)
    }

    @Test(
        "Unknown keys and values are named with the nearest known one",
        arguments: [
            (["lerner": "dr"], "lerner: unknown key; did you mean 'learner'?"),
            (["models": ["outcom": "ols"]], "models.outcom: unknown key; did you mean 'outcome'?"),
            (
                ["models": ["outcome": ["backend": "ridge", "l3": 1]]],
                "models.outcome.l3: unknown key; did you mean 'l2'?"
            ),
            (
                ["models": ["outcome": ["backend": "trees", "tres": 1]]],
                "models.outcome.tres: unknown key; did you mean 'trees'?"
            ),
            (["cross_fitting": ["fold": 2]], "cross_fitting.fold: unknown key; did you mean 'folds'?"),
            (["overlap": ["polcy": "clip"]], "overlap.polcy: unknown key; did you mean 'policy'?"),
            (["data": ["treatmnt": "w"]], "data.treatmnt: unknown key; did you mean 'treatment'?"),
            (["overlap": ["policy": "trimm"]], "overlap.policy: unknown value 'trimm'; did you mean 'trim'?"),
            (["prediction": "fulll"], "prediction: unknown value 'fulll'; did you mean 'full'?"),
        ] as [(SpecValue, String)])
    func unknownKeys(spec: SpecValue, expected: String) {
        let error = specError(spec)
        #expect(error?.kind == .invalidSpec)
        #expect(error?.description == expected)
    }

    @Test("An unknown backend comes with the nearest one and with the list")
    func unknownBackend() {
        for role in ["outcome", "propensity", "effect"] {
            let error = specError(["models": [role: ["backend": "rigde"]]])
            #expect(error?.kind == .invalidSpec)
            #expect(error?.description.hasPrefix("models.\(role).backend: unknown backend 'rigde'") == true)
            #expect(error?.description.contains("did you mean 'ridge'?") == true)
            for name in EstimatorRegistry.default.descriptions.map(\.name) {
                #expect(error?.description.contains(name) == true)
            }
        }
    }

    @Test(
        "Values out of range and of the wrong type are refused with their place",
        arguments: [
            (["version": 2], "version"), (["cross_fitting": ["folds": 0]], "cross_fitting.folds"),
            (["cross_fitting": ["folds": 101]], "cross_fitting.folds"), (["seed": -1], "seed"),
            (["overlap": ["bounds": [0, 0.9]]], "overlap.bounds"),
            (["overlap": ["bounds": [0.9, 0.1]]], "overlap.bounds"),
            (["overlap": ["bounds": [0.1]]], "overlap.bounds"),
            (["overlap": ["bounds": [0.1, "x", 0.9]]], "overlap.bounds"),
            (["overlap": ["bounds": 0.5]], "overlap.bounds"), (["models": ["outcome": 3]], "models.outcome"),
            (["models": ["outcome": ["backend": 3]]], "models.outcome.backend"), (["learner": 3], "learner"),
            (["models": ["outcome": ["backend": "ridge", "l2": -1]]], "models.outcome.l2"),
            (
                ["models": ["outcome": ["backend": "trees", "learning_rate": 0.0]]],
                "models.outcome.learning_rate"
            ),
        ] as [(SpecValue, String)])
    func ranges(spec: SpecValue, place: String) {
        let error = specError(spec)
        #expect(error?.kind == .invalidSpec)
        #expect(error?.location == place)
    }

    @Test(
        "A backend that cannot do what its role asks is refused before anything is fitted, with those that can"
    )
    func capabilities() throws {
        let data = try SyntheticDataset.linear(rows: 60, seed: 1).dataset
        let outcome = fitError(["learner": "dr", "models": ["outcome": "logistic"]], data)
        #expect(outcome?.kind == .unsupported)
        #expect(outcome?.location == "models.outcome")
        #expect(outcome?.description.contains("cannot do regression; these can: ") == true)
        let propensity = fitError(["learner": "dr", "models": ["propensity": "ols"]], data)
        #expect(propensity?.location == "models.propensity")
        #expect(propensity?.remedy?.contains("logistic") == true)
        let binary = try SyntheticDataset.binary(rows: 60, seed: 1).dataset
        #expect(
            fitError(["learner": "dr", "models": ["outcome": "ridge"]], binary)?.location == "models.outcome")
        #expect(
            fitError(["learner": "dr", "models": ["effect": "logistic"]], data)?.location == "models.effect")
    }

    @Test("More folds than rows of an arm, folds of other rows, and a fold with a whole arm are refused")
    func folds() throws {
        let data = try SyntheticDataset.linear(rows: 40, share: 0.2, seed: 1).dataset
        let treated = data.treatment.counts[1]
        let error = fitError(["cross_fitting": ["folds": .integer(treated + 1)]], data)
        #expect(error.says(.invalidData, "arm '1' has \(treated) rows, fewer than the \(treated + 1) folds"))
        let fitter = try MetaLearnerFitter(Linear.spec(.dr))
        let short = #expect(throws: MetaLearnersError.self) {
            try fitter.fit(data, folds: FoldAssignment([0, 1, 0], count: 2))
        }
        #expect(short.says(.invalidArgument, "has 3 rows for 40 rows of data"))
        let byArm = try FoldAssignment(data.treatment.arms, count: 2)
        let whole = #expect(throws: MetaLearnersError.self) { try fitter.fit(data, folds: byArm) }
        #expect(whole.says(.invalidData, "is in fold"))
    }

    @Test("Overlap: fail refuses with a count, trim leaves rows out, clip moves them; all say how many")
    func overlap() throws {
        let data = try SyntheticDataset.nieWager(.c, rows: 200, seed: 1).dataset
        func spec(_ policy: String, _ bounds: SpecValue = [0.3, 0.7]) -> SpecValue {
            [
                "learner": "dr", "models": Linear.models,
                "overlap": ["policy": .string(policy), "bounds": bounds],
            ]
        }
        let error = fitError(spec("fail"), data)
        #expect(
            error.says(.invalidData, "of 200 rows have a propensity outside [0.3, 0.7], the first is row"))
        let clipped = try MetaLearnerFitter(MetaLearnerSpec(spec("clip"))).fit(data)
        let trimmed = try MetaLearnerFitter(MetaLearnerSpec(spec("trim"))).fit(data)
        #expect(clipped.overlap.touched == trimmed.overlap.touched)
        #expect(clipped.overlap.touched > 0)
        #expect(clipped.warnings.contains { $0.contains("\(clipped.overlap.touched) of 200 rows") })
        let propensities = try #require(clipped.training?.nuisances.propensities)
        #expect(propensities.joined().allSatisfy { (0.3 - 1e-15...0.7 + 1e-15).contains($0) })
        #expect(trimmed.training?.nuisances.hasOverlap?.count { !$0 } == trimmed.overlap.touched)
        #expect(trimmed.trainingEffects[0].count == 200)
        let none = fitError(spec("trim", [0.999, 0.9999]), data)
        #expect(none?.kind == .invalidData)
    }

    @Test("Predicting needs the columns of training, of their kind; unseen levels are counted or refused")
    func prediction() throws {
        let base = try SyntheticDataset.linear(rows: 60, seed: 1)
        let city = Column("city", categories: (0..<60).map { ["Bonn", "Kiel"][$0 % 2] })
        let data = try CausalDataset(
            covariates: base.covariates.appending(city), treatment: base.treatment,
            outcome: base.dataset.outcome)
        let model = try Linear.fit(data, .t)
        let missing = #expect(throws: MetaLearnersError.self) { try model.predict(base.covariates) }
        #expect(missing?.kind == .invalidData)
        #expect(
            missing?.description.hasPrefix("column 'city': is missing; the model was trained on it") == true)
        let texts = try Table(
            base.covariates.columns.dropFirst() + [
                city, Column("x1", categories: city.codes()?.map { "\($0)" } ?? []),
            ])
        let kind = #expect(throws: MetaLearnersError.self) { try model.predict(texts) }
        #expect(
            kind.says(
                .invalidData, "column 'x1'", "is text: row index 0 has '0'; the model was trained on numbers")
        )
        let elsewhere = base.covariates.appending(
            Column("city", categories: [String?](repeating: "Ulm", count: 60)))
        let prediction = try model.predict(elsewhere)
        #expect(prediction.warnings.count == 1)
        #expect(prediction.warnings[0].contains("60 of 60 rows"))
        #expect(prediction.effects[0].allSatisfy { $0.isFinite })
        var strict = try Linear.spec(.t)
        strict.data.unseenLevels = .error
        let refusing = try MetaLearnerFitter(strict).fit(data)
        let unseen = #expect(throws: MetaLearnersError.self) { try refusing.predict(elsewhere) }
        #expect(
            unseen.says(
                .invalidData, "column 'city'",
                "60 of 60 rows have a level not seen in training, such as 'Ulm'",
                "data.unseen_levels: missing"))
    }

    @Test("No rows to predict give no effects", arguments: LearnerKind.allCases)
    func noRows(learner: LearnerKind) throws {
        let model = try Linear.fit(SyntheticDataset.linear(rows: 60, seed: 1).dataset, learner)
        let empty = try Table((1...4).map { Column("x\($0)", []) })
        #expect(try model.predict(empty).effects == [[]])
    }

    @Test(
        "No covariates, few rows, and one weighted row an arm give effects or an error, never a trap",
        arguments: LearnerKind.allCases)
    func degenerate(learner: LearnerKind) throws {
        let base = try SyntheticDataset.linear(rows: 40, seed: 1)
        let bare = try CausalDataset(
            covariates: Table([]), treatment: base.treatment, outcome: base.dataset.outcome)
        #expect(try Linear.fit(bare, learner).trainingEffects[0].allSatisfy { $0.isFinite })
        let tiny = try CausalDataset(
            covariates: Table([Column("x", [1, 2, 3, 4])]),
            treatment: Treatment(arms: [0, 0, 1, 1], labels: ["0", "1"]),
            outcome: Outcome([1, 2, 3, 4]))
        for models in [Linear.models, DeterminismTests.trees] {
            _ = try? Linear.fit(tiny, learner, folds: 2, models: models)
        }
        let first = base.treatment.arms.firstIndex(of: 1) ?? 0
        let last = base.treatment.arms.firstIndex(of: 0) ?? 0
        let lonely = try CausalDataset(
            covariates: base.covariates, treatment: base.treatment, outcome: base.dataset.outcome,
            weights: (0..<40).map { $0 == first || $0 == last ? 1 : 0 })
        // Learners that need each arm's outcomes have none left in some fold; others may make do.
        if let model = try? Linear.fit(lonely, learner) {
            #expect(![.t, .x, .ra, .dr].contains(learner))
            #expect(model.trainingEffects[0].allSatisfy { $0.isFinite })
        }
    }
}
