import MetaLearners
import MetaLearnersCore
import MetaLearnersKit
import Testing
import _TestSupport

@Suite("Repeated cross-fitting")
struct RepeatTests {
    private func spec(_ learner: LearnerKind, repeats: Int, aggregation: String = "median")
        throws(MetaLearnersError) -> MetaLearnerSpec
    {
        try MetaLearnerSpec([
            "learner": .string(learner.rawValue), "models": Linear.models,
            "cross_fitting": [
                "folds": 3, "repeats": .integer(repeats), "aggregation": .string(aggregation),
            ],
        ])
    }

    @Test("The median and the mean go over the repeats, element by element")
    func aggregation() {
        let lists: [[Double]] = [[1, 5], [3, 1], [2, 9]]
        #expect(RepeatAggregation.median.combined(lists) == [2, 5])
        #expect(RepeatAggregation.mean.combined(lists) == [2, 5])
        #expect(RepeatAggregation.median.combined(Array(lists.prefix(2))) == [2, 3])
        let shares = RepeatAggregation.median.combinedProbabilities(
            [[0.2, 0.3, 0.5], [0.5, 0.2, 0.3], [0.1, 0.6, 0.3]], classes: 3)
        #expect(shares == [0.2 / 0.8, 0.3 / 0.8, 0.3 / 0.8])
    }

    @Test("The first repeat's folds are those of a single one, and every repeat draws others")
    func folds() throws {
        let data = try SyntheticDataset.linear(rows: 90, seed: 4).dataset
        let repeats = try FoldAssignment.repeats(4, data, count: 3, seed: 7)
        #expect(repeats.count == 4)
        #expect(try repeats[0] == FoldAssignment(data, count: 3, seed: 7))
        #expect(Set(repeats.map(\.folds)).count == 4)
    }

    @Test("Nuisances of repeats are the median of those of each repeat by itself")
    func nuisances() throws {
        let data = try SyntheticDataset.linear(rows: 90, seed: 4).dataset
        let repeats = try FoldAssignment.repeats(3, data, count: 3, seed: 1)
        let all = try MetaLearnerFitter(spec(.r, repeats: 3)).fit(data)
        let single = try MetaLearnerFitter(spec(.r, repeats: 1))
        let each = try repeats.map { try single.fitNuisances(data, folds: $0).estimates }
        let expected = RepeatAggregation.median.combined(each.compactMap { $0.marginalOutcomes[1] })
        #expect(all.training?.nuisances.marginalOutcomes[1] == expected)
        #expect(all.training?.repeats == repeats)
    }

    @Test("A repeated fit survives its file and depends on no threads", arguments: LearnerKind.single)
    func archive(learner: LearnerKind) throws {
        let data = try SyntheticDataset.multiArm(rows: 120, seed: 4).dataset
        let fitter = try MetaLearnerFitter(spec(learner, repeats: 2, aggregation: "mean"))
        let bytes = try fitter.fit(data, ExecutionOptions(threads: 1)).encoded()
        #expect(try fitter.fit(data, ExecutionOptions(threads: 3)).encoded() == bytes)
        let read = try CATEModel(bytes: bytes)
        #expect(read.encoded() == bytes)
        #expect(read.training?.repeats.count == 2)
    }
}
