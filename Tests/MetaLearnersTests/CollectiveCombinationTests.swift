import CausalAnalysis
import MetaLearnersCore
import MetaLearnersKit
import Testing
import _TestSupport

@testable import MetaLearners

@Suite("Learners that combine others, on rows that several processes hold")
struct CollectiveCombinationTests {
    private static let partitions = [[1, 1], [9, 1], [2, 0, 3]]

    /// Checks that every process gets the model of one process: effects to `precision`, of training rows too, and the same bytes
    /// in each.
    private func check(
        _ rows: PartedRows, _ keys: [(String, SpecValue)], _ shares: [Int], _ name: String,
        to precision: Double = 1e-8
    ) throws {
        let spec = try MetaLearnerSpec(.object(SpecObject([("cross_fitting", ["folds": 3])] + keys)))
        let alone = try rows.fit(spec)
        let expected = try alone.predict(rows.table).effects
        let parts = try rows.fit(spec, shares, threads: 2)
        for part in parts {
            let effects = try part.predict(rows.table).effects
            for (own, other) in zip(effects.joined(), expected.joined()) {
                #expect(abs(own - other) < precision, "\(name), \(shares)")
            }
            #expect(part.warnings == alone.warnings, "\(name), \(shares)")
        }
        for arm in alone.trainingEffects.indices {
            let training = parts.flatMap { $0.trainingEffects.isEmpty ? [] : $0.trainingEffects[arm] }
            #expect(training.count == alone.trainingEffects[arm].count)
            for (own, other) in zip(training, alone.trainingEffects[arm]) {
                #expect(abs(own - other) < precision, "\(name), \(shares)")
            }
        }
        let bytes = parts.map { $0.withoutTraining.encoded() }
        #expect(bytes.allSatisfy { $0 == bytes[0] }, "\(name), \(shares)")
    }

    @Test("auto, which a spec without a learner means", arguments: partitions)
    func auto(shares: [Int]) throws {
        try check(try PartedRows(rows: 300), [], shares, "auto")
    }

    @Test("auto with weights and three arms", arguments: partitions)
    func arms(shares: [Int]) throws {
        try check(try PartedRows(rows: 360, arms: 3, weighted: true), [], shares, "three arms")
    }

    @Test(
        "auto with a binary outcome, known propensities and a candidate of the spec's", arguments: partitions)
    func binary(shares: [Int]) throws {
        let rows = try PartedRows(rows: 300, binary: true)
        var data = rows.data
        data.propensityShares = [0.4]
        try check(
            PartedRows(rows.table, data),
            [("auto", ["also": [["learner": "r", "models": ["effect": "lasso", "outcome": "logistic"]]]])],
            shares,
            "known propensities")
    }

    @Test("ensemble", arguments: partitions)
    func ensemble(shares: [Int]) throws {
        let tree: SpecValue = ["backend": "trees", "trees": 6]
        for loss in ["r", "dr"] {
            try check(
                try PartedRows(rows: 300),
                [
                    ("learner", "ensemble"),
                    ("ensemble", ["loss": .string(loss), "members": ["t", "dr", ["learner": "x"]]]),
                    ("models", ["outcome": tree, "propensity": "logistic", "effect": "lasso"]),
                ], shares, "ensemble of \(loss)-loss")
        }
    }

    @Test("Forests in ensembles and in stacks, with other members and alone", arguments: partitions)
    func forests(shares: [Int]) throws {
        let forest: SpecValue = ["backend": "forest", "trees": 6, "min_leaf_size": 10]
        let tree: SpecValue = ["backend": "trees", "trees": 6]
        try check(
            try PartedRows(rows: 300, weighted: true),
            [
                ("learner", "ensemble"), ("ensemble", ["members": ["t", "r", ["learner": "x"]]]),
                ("models", ["outcome": forest, "propensity": forest, "effect": forest]),
            ], shares, "ensemble of forests")
        // The weights of classes are found step by step, to some 1e-8. (An effect model of forests would draw the sides of levels
        // that nodes have not seen from the last digits of their targets.)
        for (rows, name) in [
            (try PartedRows(rows: 300, binary: true), "two classes"),
            (try PartedRows(rows: 360, arms: 3), "three arms"),
        ] {
            let stack: SpecValue = ["backend": "stack", "members": [tree, forest]]
            try check(
                rows,
                [
                    ("learner", "dr"),
                    ("models", ["outcome": stack, "propensity": stack, "effect": "ridge"]),
                ], shares, "stack with a forest, \(name)", to: 1e-6)
        }
    }

    @Test(
        "A category of many levels has the scores of all rows, and many rows are dealt with as one process would"
    )
    func largeCategory() throws {
        let rows = try PartedRows(rows: 400)
        var stream = RandomStream(seed: 21)
        let codes = (0..<400).map { _ in Int32(stream.integer(below: 70)) }
        let table = rows.table.appending(
            Column("clinic", codes: StridedValues(codes), levels: (0..<70).map { "clinic \($0)" }))
        try check(PartedRows(table, rows.data), [], [2, 1], "70 levels")
    }

    @Test("Averages are those of one process")
    func averages() throws {
        let rows = try PartedRows(rows: 300)
        let fitter = try MetaLearnerFitter(MetaLearnerSpec(["cross_fitting": ["folds": 3]]))
        let expected = try rows.fit(fitter.spec).averageEffects(.ate)
        let parts = rows.parts([1, 2])
        let run = ThreadGroup.run(2) { collective in
            let options = ExecutionOptions(threads: 1, collective: collective)
            let dataset = try CausalDataset(parts[collective.rank], rows.data, partOf: collective)
            return try fitter.fit(dataset, options).averageEffects(.ate, options)
        }
        for effects in try run.results.map({ try $0.get() }) {
            #expect(abs(effects[0].estimate - expected[0].estimate) < 1e-9)
            #expect(abs(effects[0].stdError - expected[0].stdError) < 1e-9)
        }
    }
}
