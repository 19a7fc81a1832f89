import MetaLearners
import MetaLearnersCore
import MetaLearnersKit
import Testing
import _TestSupport

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
