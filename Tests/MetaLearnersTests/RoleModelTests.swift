import MetaLearners
import MetaLearnersCore
import MetaLearnersKit
import Testing
import _TestSupport

@Suite("Models of roles and arms")
struct RoleModelTests {
    private func fit(_ models: SpecValue, _ data: CausalDataset, _ learner: LearnerKind = .dr) throws
        -> CATEModel
    {
        try MetaLearnerFitter(
            MetaLearnerSpec([
                "learner": .string(learner.rawValue), "models": models, "cross_fitting": ["folds": 3],
            ])
        ).fit(data)
    }

    private func models(_ columns: SpecValue) -> SpecValue {
        [
            "outcome": ["backend": "ols", "columns": columns],
            "propensity": ["backend": "logistic", "columns": columns],
            "effect": ["backend": "ols", "columns": columns],
        ]
    }

    @Test("Columns of every role are as if the others were not there", arguments: LearnerKind.single)
    func columns(learner: LearnerKind) throws {
        let data = try SyntheticDataset.multiArm(rows: 120, seed: 3).dataset
        let few = try CausalDataset(
            covariates: data.covariates.selecting(columns: [0, 2]), treatment: data.treatment,
            outcome: data.outcome)
        let names = data.covariates.columns.map(\.name)
        let expected = try fit(Linear.models, few, learner)
        let others = names.indices.filter { $0 != 0 && $0 != 2 }.map { SpecValue.string(names[$0]) }
        for columns in [
            .array([.string(names[2]), .string(names[0])]), ["all_but": .array(others)],
        ] as [SpecValue] {
            let model = try fit(models(columns), data, learner)
            #expect(model.trainingEffects == expected.trainingEffects)
            let read = try CATEModel(bytes: model.encoded())
            // Columns are found by name, whatever their order.
            let turned = data.covariates.selecting(columns: Array(names.indices.reversed()))
            #expect(try read.predict(turned).effects == expected.predict(few.covariates).effects)
        }
    }

    @Test("A role may see other columns than the rest")
    func ofOneRole() throws {
        let data = try SyntheticDataset.linear(rows: 120, seed: 3).dataset
        let name = SpecValue.string(data.covariates.columns[0].name)
        let model = try fit(
            [
                "outcome": "ols", "propensity": "logistic",
                "effect": ["backend": "ols", "columns": .array([name])],
            ], data)
        // A linear effect of one column: two rows that agree in it have the same effect.
        let table = try Table(
            data.covariates.columns.enumerated().map { index, column in
                Column(column.name, index == 0 ? [0.5, 0.5] : [Double(index), -3])
            })
        let effects = try model.predict(table).effects[0]
        #expect(effects[0] == effects[1])
        let misspelt: SpecValue = ["effect": ["backend": "ols", "columns": ["nothing"]]]
        let error = #expect(throws: MetaLearnersError.self) { try fit(misspelt, data) }
        #expect(error?.location == "models.effect.columns" && error?.kind == .invalidSpec)
    }

    @Test("An arm with the models that all arms have changes nothing; with others, only its own effect")
    func ofArms() throws {
        let data = try SyntheticDataset.multiArm(rows: 150, seed: 3).dataset
        let plain = try fit(Linear.models, data)
        func with(_ arms: SpecValue) -> SpecValue {
            ["outcome": "ols", "propensity": "logistic", "effect": "ols", "arms": arms]
        }
        let same = try fit(with(["2": ["outcome": "ols", "effect": "ols"]]), data)
        #expect(same.trainingEffects == plain.trainingEffects)
        let other = try fit(
            with(["2": ["outcome": "ridge", "effect": ["backend": "ridge", "l2": 9]]]), data)
        #expect(other.trainingEffects[0] == plain.trainingEffects[0])
        #expect(other.trainingEffects[1] != plain.trainingEffects[1])
        let complete = try MetaLearnerFitter(other.spec).completeSpec
        #expect(try MetaLearnerFitter(MetaLearnerSpec(complete)).completeSpec == complete)
        for (arms, place) in [
            (["7": ["outcome": "ols"]], "models.arms.7"), (["0": ["effect": "ols"]], "models.arms.0.effect"),
            (["2": ["outcom": "ols"]], "models.arms.2.outcom"),
        ] as [(SpecValue, String)] {
            let error = #expect(throws: MetaLearnersError.self) { try fit(with(arms), data) }
            #expect(error?.location == place)
        }
    }

    @Test("Known shares of a trial are the propensities of every row, of training and of new ones")
    func shares() throws {
        let data = try SyntheticDataset.linear(rows: 80, seed: 5).dataset
        let table = try Table(
            data.covariates.columns + [
                Column("w", data.treatment.arms.map(Double.init)), Column("y", data.outcome.values),
                Column("p", [Double](repeating: 0.4, count: 80)),
            ])
        func fit(_ propensity: SpecValue) throws -> CATEModel {
            let spec = try MetaLearnerSpec([
                "learner": "x", "models": Linear.models, "cross_fitting": ["folds": 3],
                "data": ["treatment": "w", "outcome": "y", "propensity": propensity, "exclude": ["p"]],
            ])
            return try MetaLearnerFitter(spec).fit(CausalDataset(table, spec.data))
        }
        let constant = try fit(0.4)
        #expect(try constant.trainingEffects == fit(["p"]).trainingEffects)
        #expect(try constant.trainingEffects == fit([0.6, 0.4]).trainingEffects)
        let new = try constant.predict(data.covariates)
        #expect(new.warnings.isEmpty)
        #expect(try new.effects == fit(["p"]).predict(table).effects)
        #expect(constant.overlap.isKnown)
        let refused: [(SpecValue, MetaLearnersError.Kind, String)] = [
            (1.5, .invalidSpec, "is 1.5, must be: numbers between 0 and 1"),
            ([0.3, 0.3], .invalidSpec, "adds up to 0.6, not to 1"),
            ([0.2, 0.3, 0.5], .invalidSpec, "has 3 shares for 2 arms; give one per arm, the control first"),
            (["p", 0.5], .invalidSpec, "must be: columns, or numbers between 0 and 1"),
        ]
        for (value, kind, words) in refused {
            let error = #expect(throws: MetaLearnersError.self) { try fit(value) }
            #expect(error.says(kind, "data.propensity", words))
        }
    }
}
