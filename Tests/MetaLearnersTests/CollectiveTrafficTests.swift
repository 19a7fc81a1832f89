import CausalAnalysis
import MetaLearnersCore
import MetaLearnersKit
import Testing
import _TestSupport

@testable import MetaLearners

@Suite("What processes tell each other, and averages over all of them")
struct CollectiveTrafficTests {
    private func traffic(_ rows: PartedRows, trees: Int, leaves: Int) throws -> ThreadGroup.Traffic {
        let parts = rows.parts([1, 1])
        let model: SpecValue = ["backend": "trees", "trees": .integer(trees), "max_leaves": .integer(leaves)]
        let fitter = try MetaLearnerFitter(
            MetaLearnerSpec([
                "learner": "t", "average_effects": false, "cross_fitting": ["folds": 2],
                "models": ["outcome": model, "propensity": model],
            ]))
        let run = ThreadGroup.run(2) { collective in
            let dataset = try CausalDataset(parts[collective.rank], rows.data, partOf: collective)
            return try fitter.fit(dataset, ExecutionOptions(threads: 1, collective: collective))
        }
        for result in run.results { _ = try result.get() }
        return run.traffic
    }

    @Test("A tree sends a histogram for each leaf at most, whatever the number of rows")
    func bytes() throws {
        let few = try PartedRows(rows: 600)
        let leaves = 8
        // 255 bins of x1, at most 40 and one for missing values of x2, 5 levels and one for missing values of the region.
        let bins = 256 + 41 + 6
        let one = try traffic(few, trees: 1, leaves: leaves)
        let many = try traffic(few, trees: 11, leaves: leaves)
        // Folds of two, and one of all rows, of two outcomes; two folds of the propensity.
        let fits = 2 * 3 + 2
        let perTree = Double(many.sums - one.sums) / Double(10 * fits)
        #expect(perTree > Double(bins * 8) && perTree <= Double(leaves * bins * 16 + 16))
        // Each exchange has one of 24 bytes before it, and a tree adds one that compares numbers beyond a bound.
        let calls = Double(many.calls - one.calls) / Double(10 * fits)
        #expect(calls <= Double(2 * leaves + 4))
        #expect(many.gathers == one.gathers)
    }

    @Test("What the bins are made of is sent once for all fits, and no more of it than is sampled")
    func bins() throws {
        let rows = try PartedRows(rows: 600)
        let sent = try traffic(rows, trees: 1, leaves: 2).gathers
        // Two columns of numbers of 300 rows, and names and levels.
        #expect(sent >= 2 * 300 * 8 && sent < 2 * 300 * 8 + 4000)
    }

    @Test(
        "Averages over the rows of all processes are to the bit those of one",
        arguments: CollectiveFitTests.partitions)
    func averages(shares: [Int]) throws {
        for (arms, weighted) in [(2, false), (3, true)] {
            let rows = try PartedRows(rows: 500, arms: arms, weighted: weighted)
            var spec = try CollectiveFitTests.spec("dr")
            spec.keepTraining = true
            spec.overlap.policy = .trim
            let fitter = try MetaLearnerFitter(spec)
            let alone = try rows.fit(spec)
            let parts = rows.parts(shares)
            for estimand in [Estimand.ate, .att, .ato] {
                let expected = try alone.averageEffects(estimand)
                let run = ThreadGroup.run(shares.count) { collective in
                    let options = ExecutionOptions(threads: 1, collective: collective)
                    let dataset = try CausalDataset(parts[collective.rank], rows.data, partOf: collective)
                    return try fitter.fit(dataset, options).averageEffects(estimand, options)
                }
                for effects in try run.results.map({ try $0.get() }) {
                    #expect(effects.map(\.estimate) == expected.map(\.estimate))
                    #expect(effects.map(\.stdError) == expected.map(\.stdError))
                    #expect(effects.map(\.pValue) == expected.map(\.pValue))
                }
            }
        }
    }

    @Test("Averages and studies of a part of the rows alone are refused")
    func parts() throws {
        let rows = try PartedRows(rows: 500)
        var spec = try CollectiveFitTests.spec("dr")
        spec.keepTraining = true
        let models = try rows.fit(spec, [1, 1])
        let whole = try rows.fit(spec)
        let error = #expect(throws: MetaLearnersError.self) { try models[0].averageEffects(.ate) }
        #expect(error?.kind == .unsupported && error?.problem.contains("a part of the rows") == true)
        #expect(throws: MetaLearnersError.self) { try CausalStudy(models[1]) }
        let run = ThreadGroup.run(2) { collective in
            // The other process has the rows of another model.
            try (collective.rank == 0 ? models[0] : whole).averageEffects(
                .ate, ExecutionOptions(collective: collective))
        }
        for result in run.results {
            #expect(throws: MetaLearnersError.self) { try result.get() }
        }
    }
}
