import CausalAnalysis
import MetaLearnersCore
import MetaLearnersKit
import Testing
import _TestSupport

@testable import MetaLearners

@Suite("Fits of forests to rows that several processes hold")
struct CollectiveForestFitTests {
    private static func spec(_ learner: String, forest: SpecObject = SpecObject(), trees: Int = 4) throws
        -> MetaLearnerSpec
    {
        var model: SpecObject = ["backend": "forest", "trees": .integer(trees), "min_leaf_size": 10]
        for entry in forest.entries { model[entry.key] = entry.value }
        return try MetaLearnerSpec([
            "learner": .string(learner), "cross_fitting": ["folds": 3], "keep_training": false,
            "models": ["outcome": .object(model), "effect": .object(model), "propensity": .object(model)],
        ])
    }

    private func check(_ rows: PartedRows, _ spec: MetaLearnerSpec, _ shares: [Int], _ name: String) throws {
        let alone = try rows.fit(spec)
        let bytes = alone.encoded()
        for model in try rows.fit(spec, shares) {
            let isSame = model.encoded() == bytes
            #expect(isSame, "\(name), \(shares)")
            #expect(model.warnings == alone.warnings, "\(name), \(shares)")
        }
    }

    @Test(
        "Forests of every learner are to the byte those of one process",
        arguments: ["s", "t", "f", "m", "x", "u", "r", "ra", "dr"], CollectiveFitTests.partitions)
    func bytes(learner: String, shares: [Int]) throws {
        try check(try PartedRows(rows: 300), try Self.spec(learner), shares, learner)
    }

    @Test(
        "So they are with weights, binary outcomes, three arms, and trees of every kind",
        arguments: CollectiveFitTests.partitions)
    func kinds(shares: [Int]) throws {
        for (learner, rows, forest) in [
            ("dr", try PartedRows(rows: 300, weighted: true), ["honest": true, "ci_group_size": 4]),
            (
                "x", try PartedRows(rows: 300, binary: true, weighted: true),
                ["bootstrap": true, "row_sample": 1, "ci_group_size": 1]
            ),
            ("r", try PartedRows(rows: 300, arms: 3, weighted: true), ["extra_random": true]),
            ("t", try PartedRows(rows: 300, arms: 3, binary: true), ["max_leaves": 5, "max_bins": 12]),
            ("ra", try PartedRows(rows: 300), ["preset": "inference", "trees": 4]),
        ] as [(String, PartedRows, SpecObject)] {
            try check(rows, try Self.spec(learner, forest: forest), shares, learner)
        }
    }

    @Test("Clusters of rows in several processes are drawn whole", arguments: CollectiveFitTests.partitions)
    func clusters(shares: [Int]) throws {
        let plain = try PartedRows(rows: 300)
        var stream = RandomStream(seed: 31)
        let clinics = (0..<300).map { row in "clinic \(row / 20 + 5 * stream.integer(below: 5))" }
        var data = plain.data
        data.cluster = "clinic"
        let rows = PartedRows(plain.table.appending(Column("clinic", categories: clinics)), data)
        var spec = try Self.spec("dr", forest: ["honest": true])
        // One process alone would add intervals of forests, which take no part.
        spec.intervals.method = .none
        try check(rows, spec, shares, "clusters")
    }

    @Test("Effects of training rows, averages and calibrated propensities are those of one process")
    func training() throws {
        let rows = try PartedRows(rows: 300)
        var spec = try Self.spec("dr")
        spec.keepTraining = true
        let alone = try rows.fit(spec)
        let fitter = try MetaLearnerFitter(spec)
        let parts = rows.parts([2, 0, 3])
        let run = ThreadGroup.run(3) { collective in
            let options = ExecutionOptions(threads: 1, collective: collective)
            let dataset = try CausalDataset(parts[collective.rank], rows.data, partOf: collective)
            let model = try fitter.fit(dataset, options)
            return (model.trainingEffects.first ?? [], try model.averageEffects(.ate, options)[0])
        }
        let found = try run.results.map { try $0.get() }
        #expect(found.flatMap(\.0) == alone.trainingEffects[0])
        let expected = try alone.averageEffects(.ate)[0]
        for (_, effect) in found {
            #expect(effect.estimate == expected.estimate && effect.stdError == expected.stdError)
        }
    }

    @Test("A process that is cancelled while trees grow ends all others")
    func cancelled() throws {
        let rows = try PartedRows(rows: 200)
        let parts = rows.parts([1, 1])
        let fitter = try MetaLearnerFitter(Self.spec("t", trees: 40))
        let token = CancellationToken()
        let run = ThreadGroup.run(2) { collective in
            let dataset = try CausalDataset(parts[collective.rank], rows.data, partOf: collective)
            let isFirst = collective.rank == 0
            return try fitter.fit(
                dataset,
                ExecutionOptions(
                    threads: 1,
                    progress: { progress in
                        if isFirst, progress.done > 1 { token.cancel() }
                        return true
                    }, cancellation: isFirst ? token : nil, collective: collective))
        }
        for (rank, result) in run.results.enumerated() {
            let error = #expect(throws: MetaLearnersError.self) { try result.get() }
            #expect(error?.kind == .cancelled)
            #expect(rank == 0 || error?.problem.contains("process 0 of 2 ended the work") == true)
        }
    }

    @Test("What a forest sends: its bins once, its rows in every fit, and its trees")
    func traffic() throws {
        let rows = try PartedRows(rows: 600)
        let parts = rows.parts([1, 1])
        func sent(trees: Int) throws -> ThreadGroup.Traffic {
            let model: SpecValue = [
                "backend": "forest", "trees": .integer(trees), "max_leaves": 8, "ci_group_size": 1,
            ]
            let fitter = try MetaLearnerFitter(
                MetaLearnerSpec([
                    "learner": "t", "average_effects": false, "cross_fitting": ["folds": 2],
                    "overlap": ["check": false],
                    "models": ["outcome": model, "propensity": model],
                ]))
            let run = ThreadGroup.run(2) { collective in
                let dataset = try CausalDataset(parts[collective.rank], rows.data, partOf: collective)
                return try fitter.fit(dataset, ExecutionOptions(threads: 1, collective: collective))
            }
            for result in run.results { _ = try result.get() }
            return run.traffic
        }
        let few = try sent(trees: 2)
        let more = try sent(trees: 12)
        // Folds of two, and one of all rows, of two outcomes; two folds of the propensity. Half of the trees are the first process's.
        let trees = Double(10 * (2 * 3 + 2)) / 2
        let perTree = Double(more.gathers - few.gathers) / trees
        // At most 8 leaves of 9 bytes, 7 splits of 35 at most, and what three columns gained.
        let largestTree: Double = 72 + 245 + 2 + 30
        #expect(perTree > 60 && perTree <= largestTree)
        // Of 300 rows: the sample that gives the bins (two columns of numbers) and three columns of bins; names and levels; the
        // rows of the fits: four halves of arms and two arms (twice all rows), of 12 bytes, and two halves of all rows, of 5.
        let fixed = Double(few.gathers) - perTree * 8
        let known: Double = 300 * 19 + 300 * 24 + 300 * 5
        #expect(fixed > 0.9 * known && fixed < known + 4000, "\(fixed), \(known)")
        // Trees are sent together: as many exchanges as there are fits.
        #expect(more.calls == few.calls)
    }
}
