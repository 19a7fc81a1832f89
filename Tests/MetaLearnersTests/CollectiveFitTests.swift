import MetaLearnersCore
import MetaLearnersKit
import Testing
import _TestSupport

@testable import MetaLearners

/// Rows of every kind of column, cut into the parts that processes hold.
struct PartedRows: Sendable {
    let table: Table
    let data: DataSpec

    /// - Parameter arms: 2 or 3.
    init(rows: Int, arms: Int = 2, binary: Bool = false, weighted: Bool = false, seed: UInt64 = 1) throws {
        var stream = RandomStream(seed: seed, path: 0x5041_5254)
        var x1: [Double] = []
        var x2: [Double] = []
        var region: [String?] = []
        var group: [String] = []
        var outcome: [Double] = []
        var weight: [Double] = []
        let regions = ["north", "south", "east", "west", "far north"]
        for row in 0..<rows {
            let first = stream.uniform() * 4 - 2
            // Some levels are in the first rows alone, others in the last.
            let place = min(4, (row * 5 / rows + stream.integer(below: 2)))
            let arm = stream.uniform() < 0.3 + 0.1 * first ? 1 : arms == 3 && stream.uniform() < 0.4 ? 2 : 0
            let mean = first + Double(place) * 0.3 + Double(arm) * (1 + 0.5 * first)
            let noise = stream.uniform() + stream.uniform() - 1
            x1.append(first)
            x2.append(stream.uniform() < 0.1 ? .nan : Double(stream.integer(below: 40)))
            region.append(stream.uniform() < 0.05 ? nil : regions[place])
            group.append(["placebo", "drug", "surgery"][arm])
            outcome.append(binary ? (mean + noise > 1 ? 1 : 0) : mean + noise)
            weight.append(Double(1 + stream.integer(below: 4)))
        }
        table = try Table([
            Column("x1", x1), Column("x2", x2), Column("region", categories: region),
            Column("group", categories: group), Column("y", outcome), Column("w", weight),
        ])
        var data = DataSpec()
        data.treatment = "group"
        data.outcome = "y"
        data.control = "placebo"
        if weighted { data.weight = "w" } else { data.exclude = ["w"] }
        self.data = data
    }

    init(_ table: Table, _ data: DataSpec) {
        self.table = table
        self.data = data
    }

    /// The rows of each process, by their shares; text columns have the levels alone that the process sees.
    func parts(_ shares: [Int]) -> [Table] {
        let total = shares.reduce(0, +)
        var first = 0
        return shares.indices.map { rank in
            let end = shares[...rank].reduce(0, +) * table.rowCount / total
            defer { first = end }
            return table.selecting(rows: (first..<end).map { Int32($0) })
                .mapping { $0.withoutUnusedLevels() }
        }
    }

    /// The models of all processes.
    func fit(_ spec: MetaLearnerSpec, _ shares: [Int], threads: Int = 1) throws -> [CATEModel] {
        let parts = parts(shares)
        let fitter = try MetaLearnerFitter(spec)
        return try ThreadGroup.run(shares.count) { collective in
            let dataset = try CausalDataset(parts[collective.rank], data, partOf: collective)
            return try fitter.fit(dataset, ExecutionOptions(threads: threads, collective: collective))
        }.results.map { try $0.get() }
    }

    /// The model of one process.
    func fit(_ spec: MetaLearnerSpec) throws -> CATEModel {
        try MetaLearnerFitter(spec).fit(CausalDataset(table, data))
    }
}

@Suite("Fits to rows that several processes hold")
struct CollectiveFitTests {
    static let partitions = [[1, 1], [9, 1], [1, 0], [2, 0, 3], [0, 5, 1]]

    static func spec(_ learner: String, trees: SpecObject = SpecObject(), propensity: SpecValue = "trees")
        throws -> MetaLearnerSpec
    {
        var model: SpecObject = ["backend": "trees", "trees": 6, "min_leaf_size": 10]
        for entry in trees.entries { model[entry.key] = entry.value }
        return try MetaLearnerSpec([
            "learner": .string(learner), "cross_fitting": ["folds": 3], "keep_training": false,
            "models": [
                "outcome": .object(model), "effect": .object(model),
                "propensity": propensity == "trees" ? .object(model) : propensity,
            ],
        ])
    }

    @Test(
        "Trees of every learner are to the byte those of one process",
        arguments: ["s", "t", "f", "m", "x", "u", "r", "ra", "dr"], partitions)
    func bytes(learner: String, shares: [Int]) throws {
        let rows = try PartedRows(rows: 600, seed: 1)
        let spec = try Self.spec(learner)
        let alone = try rows.fit(spec).encoded()
        for model in try rows.fit(spec, shares) { #expect(model.encoded() == alone) }
    }

    @Test("So they are where the rows held out choose the number of rounds", arguments: partitions)
    func chosenRounds(shares: [Int]) throws {
        for (learner, rows) in [
            ("t", try PartedRows(rows: 400)), ("x", try PartedRows(rows: 400, binary: true, weighted: true)),
            ("r", try PartedRows(rows: 400, arms: 3)), ("dr", try PartedRows(rows: 400, weighted: true)),
        ] {
            let spec = try Self.spec(learner, trees: ["trees": "auto", "learning_rate": 0.3])
            let alone = try rows.fit(spec).encoded()
            for model in try rows.fit(spec, shares) { #expect(model.encoded() == alone, "\(learner)") }
        }
    }

    @Test("So they are with weights, binary outcomes, three arms and drawn rows", arguments: partitions)
    func kinds(shares: [Int]) throws {
        for (learner, rows, trees) in [
            ("dr", try PartedRows(rows: 500, weighted: true), ["row_sample": 0.7, "column_sample": 0.7]),
            ("x", try PartedRows(rows: 500, binary: true, weighted: true), ["growth": "depth_wise"]),
            ("ra", try PartedRows(rows: 500), ["monotone": ["x1": "increasing"]]),
            ("r", try PartedRows(rows: 500, arms: 3), ["column_sample_node": 0.6]),
            ("t", try PartedRows(rows: 500, arms: 3, binary: true), ["max_bins": 300]),
        ] as [(String, PartedRows, SpecObject)] {
            let spec = try Self.spec(learner, trees: trees)
            let alone = try rows.fit(spec).encoded()
            for threads in 1...2 {
                for model in try rows.fit(spec, shares, threads: threads) {
                    #expect(model.encoded() == alone, "\(learner)")
                }
            }
        }
    }

    @Test("Whole clusters are in one fold though their rows are in several processes", arguments: partitions)
    func clusters(shares: [Int]) throws {
        for hasLabels in [false, true] {
            let plain = try PartedRows(rows: 500)
            var stream = RandomStream(seed: 31)
            let clinics = (0..<500).map { row in row / 20 + 5 * stream.integer(below: 5) }
            let column =
                hasLabels
                ? Column("clinic", categories: clinics.map { "clinic \($0)" })
                : Column("clinic", clinics.map(Double.init))
            var data = plain.data
            data.cluster = "clinic"
            let rows = PartedRows(plain.table.appending(column), data)
            var spec = try Self.spec("dr", trees: ["trees": "auto", "learning_rate": 0.3])
            let alone = try rows.fit(spec).encoded()
            for model in try rows.fit(spec, shares) { #expect(model.encoded() == alone) }
            spec.keepTraining = true
            let whole = try rows.fit(spec)
            let fitter = try MetaLearnerFitter(spec)
            let parts = rows.parts(shares)
            let run = ThreadGroup.run(shares.count) { collective in
                let options = ExecutionOptions(threads: 1, collective: collective)
                let dataset = try CausalDataset(parts[collective.rank], rows.data, partOf: collective)
                let model = try fitter.fit(dataset, options)
                return (
                    try model.averageEffects(.ate, options), model.training?.folds.folds ?? [],
                    try CATEModel(bytes: model.encoded(), registry: .default).training?.clusters ?? []
                )
            }
            let found = try run.results.map { try $0.get() }
            #expect(found.flatMap(\.1) == whole.training.map { Array($0.folds.folds) })
            #expect(found.flatMap(\.2) == whole.training?.clusters)
            let expected = try whole.averageEffects(.ate)[0]
            for (effects, _, _) in found {
                #expect(effects[0].estimate == expected.estimate)
                #expect(abs(effects[0].stdError - expected.stdError) < 1e-12 * expected.stdError)
            }
        }
    }

    @Test("Calibrated propensities are to the byte those of one process", arguments: partitions)
    func calibration(shares: [Int]) throws {
        for (method, rows) in [
            ("isotonic", try PartedRows(rows: 400)), ("platt", try PartedRows(rows: 400, weighted: true)),
            ("isotonic", try PartedRows(rows: 400, arms: 3, weighted: true)),
        ] {
            let spec = try Self.spec(
                "dr",
                propensity: ["backend": "trees", "trees": 6, "calibration": .string(method)])
            let alone = try rows.fit(spec).encoded()
            for model in try rows.fit(spec, shares) { #expect(model.encoded() == alone, "\(method)") }
        }
    }

    @Test("A rank keeps its own rows: effects of all ranks together are those of one process")
    func training() throws {
        let rows = try PartedRows(rows: 600)
        var spec = try Self.spec("dr")
        spec.keepTraining = true
        let alone = try rows.fit(spec)
        let parts = try rows.fit(spec, [2, 0, 3])
        #expect(parts.flatMap { $0.trainingEffects.first ?? [] } == alone.trainingEffects[0])
        #expect(
            RowCodes(parts.flatMap { $0.training.map { Array($0.folds.folds) } ?? [] })
                == alone.training?.folds.folds)
        #expect(parts.map(\.hasPartOfTraining) == [true, false, true] && parts[1].training == nil)
        for part in parts {
            let read = try CATEModel(bytes: part.encoded(), registry: .default)
            #expect(read.trainingRowCount == 600 && read.training == part.training)
        }
    }

    @Test("Bins come from a sample of the rows of all processes", arguments: [false, true])
    func sampled(weighted: Bool) throws {
        let rows = try PartedRows(rows: 70_000, weighted: weighted)
        let spec = try MetaLearnerSpec([
            "learner": "t", "cross_fitting": ["folds": 2], "keep_training": false, "average_effects": false,
            "models": [
                "outcome": ["backend": "trees", "trees": 2, "max_leaves": 4],
                "propensity": ["backend": "trees", "trees": 2, "max_leaves": 4],
            ],
        ])
        let alone = try rows.fit(spec).encoded()
        for model in try rows.fit(spec, [2, 0, 3]) { #expect(model.encoded() == alone) }
    }
}
