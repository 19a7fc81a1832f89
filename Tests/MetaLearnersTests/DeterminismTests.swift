import MetaLearnersCore
import MetaLearnersKit
import Testing
import _TestSupport

@testable import AutoLearner
@testable import MetaLearners

@Suite("Determinism")
struct DeterminismTests {
    static let trees: SpecValue = [
        "outcome": ["backend": "trees", "trees": 8, "row_sample": 0.8],
        "propensity": ["backend": "trees", "trees": 5],
        "effect": ["backend": "trees", "trees": 5],
    ]

    @Test("The same seed gives the same model bytes with 1, 2 and 3 threads", arguments: LearnerKind.allCases)
    func threads(learner: LearnerKind) throws {
        let data = try SyntheticDataset.multiArm(rows: 150, seed: 1).dataset
        for models in [Linear.models, Self.trees] {
            let one = try Linear.fit(data, learner, models: models).encoded()
            #expect(try Linear.fit(data, learner, models: models, threads: 2).encoded() == one)
            #expect(try Linear.fit(data, learner, models: models, threads: 3).encoded() == one)
        }
    }

    @Test("Another seed gives other folds")
    func seeds() throws {
        let data = try SyntheticDataset.linear(rows: 150, seed: 1).dataset
        let one = try MetaLearnerFitter(Linear.spec(.dr, seed: 1)).fit(data)
        let two = try MetaLearnerFitter(Linear.spec(.dr, seed: 2)).fit(data)
        #expect(one.training?.folds != two.training?.folds)
    }

    @Test(
        "On the same folds another seed gives other nuisances of every role, and other effect models",
        arguments: LearnerKind.allCases)
    func seedsOfModels(learner: LearnerKind) throws {
        let data = try SyntheticDataset.linear(rows: 150, seed: 1).dataset
        let folds = try FoldAssignment(data, count: 3, seed: 1)
        let drawn: SpecValue = ["backend": "trees", "trees": 8, "min_leaf_size": 5, "row_sample": 0.6]
        func fit(_ models: SpecValue, seed: Int) throws -> CATEModel {
            var settings = AutoSettings(rowCount: data.rowCount)
            settings.rounds = 30
            return try MetaLearnerFitter(Linear.spec(learner, models: models, seed: seed))
                .withAuto(settings).fit(data, folds: folds)
        }
        let all: SpecValue = ["outcome": drawn, "propensity": drawn, "effect": drawn]
        let first = try #require(try fit(all, seed: 1).nuisances).components
        let second = try #require(try fit(all, seed: 2).nuisances).components
        #expect(first.map(\.role) == second.map(\.role) && !first.isEmpty)
        for (one, two) in zip(first, second) {
            #expect(one.origin != two.origin && one.role == two.role, "\(one.role)")
            // (auto draws nothing but its folds.)
            let isOther = one.outOfFold != two.outOfFold
            #expect(isOther == (learner != .auto), "\(one.role)")
        }
        // Nuisances that draw nothing are the same; what then differs is the effect models' own. (Of an ensemble those who have none get all of
        // the weight, where outcomes are linear.)
        guard ![.s, .t, .auto, .ensemble].contains(learner) else { return }
        let effectsAlone: SpecValue = ["outcome": "ols", "propensity": "logistic", "effect": drawn]
        let left = try fit(effectsAlone, seed: 1)
        let right = try fit(effectsAlone, seed: 2)
        #expect(left.training?.nuisances == right.training?.nuisances)
        #expect(left.trainingEffects != right.trainingEffects)
    }

    @Test("A fit can be cancelled at any point, and then gives no model", arguments: [1, 2])
    func cancellation(threads: Int) throws {
        let data = try SyntheticDataset.linear(rows: 100, seed: 1).dataset
        let fitter = try MetaLearnerFitter(Linear.spec(.dr))
        // A stage of the DR-learner has at least three fits.
        for limit in [0, 1, 3] {
            let options = ExecutionOptions(threads: threads, progress: { $0.done < limit })
            let error = #expect(throws: MetaLearnersError.self) { try fitter.fit(data, options) }
            #expect(error?.kind == .cancelled)
        }
        let token = CancellationToken()
        let options = ExecutionOptions(
            threads: threads,
            progress: { progress in
                if progress.stage == "effects" { token.cancel() }
                return true
            }, cancellation: token)
        let error = #expect(throws: MetaLearnersError.self) { try fitter.fit(data, options) }
        #expect(error?.kind == .cancelled)
    }
}
