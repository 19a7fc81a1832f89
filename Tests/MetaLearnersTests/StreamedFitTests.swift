import CausalAnalysis
import MetaLearnersCore
import MetaLearnersKit
import Testing
import _TestSupport

@testable import MetaLearners

/// A table read batch by batch; text columns have the levels alone that a batch has.
final class BatchedTable: RowSource {
    private let batches: [Table]
    private var place = 0
    /// How often reading has begun.
    private(set) var readings = 0
    /// What a batch becomes in a reading, both by number from 0.
    var change: (_ batch: Table, _ number: Int, _ reading: Int) throws(MetaLearnersError) -> Table? = {
        batch, _, _ in
        batch
    }

    /// - Parameter sizes: the rows of the first batches; those that are left are the last one.
    init(_ table: Table, sizes: [Int]) {
        var first = 0
        batches = (sizes + [table.rowCount - sizes.reduce(0, +)]).map { size in
            defer { first += size }
            return table.selecting(rows: (first..<first + size).map { Int32($0) })
                .mapping { $0.withoutUnusedLevels() }
        }
    }

    func restart() { (place, readings) = (0, readings + 1) }

    func next() throws(MetaLearnersError) -> Table? {
        guard place < batches.count else { return nil }
        defer { place += 1 }
        return try change(batches[place], place, readings - 1)
    }
}

extension PartedRows {
    static let sizes = [[], [1, 0, 7, 256], [599], [100, 100, 100, 100]]

    /// The model of a fit to rows that are read batch by batch.
    func streamedFit(_ spec: MetaLearnerSpec, _ sizes: [Int], maxBins: Int = 255, threads: Int = 1) throws
        -> CATEModel
    {
        let options = ExecutionOptions(threads: threads)
        let dataset = try CausalDataset(BatchedTable(table, sizes: sizes), data, maxBins: maxBins, options)
        return try MetaLearnerFitter(spec).fit(dataset, options)
    }
}

@Suite("Fits to rows that are read batch by batch")
struct StreamedFitTests {
    @Test(
        "Trees of every learner are to the byte those of a table",
        arguments: ["s", "t", "f", "m", "x", "u", "r", "ra", "dr"], PartedRows.sizes)
    func bytes(learner: String, sizes: [Int]) throws {
        let rows = try PartedRows(rows: 600, seed: 1)
        let spec = try CollectiveFitTests.spec(learner)
        #expect(try rows.streamedFit(spec, sizes).encoded() == rows.fit(spec).encoded())
    }

    @Test(
        "So they are with weights, binary outcomes, three arms, drawn rows and more bins",
        arguments: PartedRows.sizes)
    func kinds(sizes: [Int]) throws {
        for (learner, rows, trees, bins) in [
            (
                "dr", try PartedRows(rows: 600, weighted: true), ["row_sample": 0.7, "column_sample": 0.7],
                255
            ),
            ("x", try PartedRows(rows: 600, binary: true, weighted: true), ["growth": "depth_wise"], 255),
            ("ra", try PartedRows(rows: 600), ["monotone": ["x1": "increasing"]], 255),
            ("r", try PartedRows(rows: 600, arms: 3), ["column_sample_node": 0.6], 255),
            ("t", try PartedRows(rows: 600, arms: 3, binary: true), ["max_bins": 300], 300),
            ("t", try PartedRows(rows: 600), ["max_bins": 12, "early_stopping": 2], 12),
            ("x", try PartedRows(rows: 600), ["trees": "auto", "learning_rate": 0.3], 255),
        ] as [(String, PartedRows, SpecObject, Int)] {
            let spec = try CollectiveFitTests.spec(learner, trees: trees)
            let alone = try rows.fit(spec).encoded()
            for threads in 1...2 {
                let model = try rows.streamedFit(spec, sizes, maxBins: bins, threads: threads)
                #expect(model.encoded() == alone, "\(learner) \(trees)")
            }
        }
    }

    @Test("So they are with several arms at once, repeats, nested effects, a bootstrap and half-sampling")
    func strategies() throws {
        let rows = try PartedRows(rows: 600, arms: 3)
        for (key, value) in [
            ("multi_arm", "joint"), ("cross_fitting", ["folds": 3, "repeats": 2]),
            ("cross_fitting", ["folds": 3, "in_sample": "nested"]), ("prediction", "mean"),
            ("intervals", ["method": "bootstrap", "samples": 20]),
            ("intervals", ["method": "half_sampling", "samples": 20]),
        ] as [(String, SpecValue)] {
            var object = try CollectiveFitTests.spec("r").specValue.objectValue ?? SpecObject()
            object[key] = value
            let spec = try MetaLearnerSpec(.object(object))
            #expect(try rows.streamedFit(spec, [10, 90]).encoded() == rows.fit(spec).encoded(), "\(key)")
        }
    }

    @Test("What a model keeps of the training rows is the same too, and averages are")
    func training() throws {
        let rows = try PartedRows(rows: 600)
        var spec = try CollectiveFitTests.spec("dr")
        spec.keepTraining = true
        let streamed = try rows.streamedFit(spec, [1, 0, 7, 256])
        #expect(try streamed.encoded() == rows.fit(spec).encoded())
        let own = try streamed.predict(PredictionRequest(.individualIntervals), for: .training)
        #expect(own.columns[0] == streamed.trainingEffects[0] && own.columns[1].contains(where: \.isFinite))
        #expect(
            try streamed.averageEffects(.ate).first?.estimate
                == rows.fit(spec).averageEffects(.ate).first?.estimate)
    }

    @Test("Bins come from the same sample of all rows", arguments: [false, true])
    func sampled(weighted: Bool) throws {
        let rows = try PartedRows(rows: 70_000, weighted: weighted)
        let spec = try MetaLearnerSpec([
            "learner": "s", "cross_fitting": ["folds": 2], "keep_training": false, "average_effects": false,
            "models": [
                "outcome": ["backend": "trees", "trees": 2, "max_leaves": 4],
                "propensity": ["backend": "trees", "trees": 2, "max_leaves": 4],
            ],
        ])
        #expect(try rows.streamedFit(spec, [1, 30_000, 100]).encoded() == rows.fit(spec).encoded())
    }

    @Test(
        "Rows without an outcome are left out, missing values are those that the spec names, and numbers may be categories"
    )
    func data() throws {
        var rows = try PartedRows(rows: 600)
        let outcome = try #require(rows.table.column(named: "y")).values.doubles()
        let columns = rows.table.columns.map { column in
            column.name == "y"
                ? Column("y", outcome.enumerated().map { $0 % 7 == 3 || $0 < 4 ? .nan : $1 }) : column
        }
        var data = rows.data
        data.missingOutcome = .drop
        data.missingValues = ["7", "south"]
        data.categorical = ["x2"]
        rows = PartedRows(try Table(columns), data)
        var spec = try CollectiveFitTests.spec("dr")
        spec.keepTraining = true
        let alone = try rows.fit(spec)
        #expect(alone.schema.fields.first { $0.name == "x2" }?.kind != .numeric)
        for sizes in [[], [4, 1, 0, 300]] {
            let model = try rows.streamedFit(spec, sizes)
            #expect(model.encoded() == alone.encoded())
            #expect(
                model.warnings == alone.warnings && model.warnings.contains { $0.contains("were dropped") })
        }
    }

    @Test("Clusters, known propensities and their shares, and calibrated propensities are those of a table")
    func design() throws {
        let rows = try PartedRows(rows: 600)
        let columns =
            rows.table.columns + [
                Column("school", categories: (0..<600).map { "school \($0 % 41)" }),
                Column("e", (0..<600).map { 0.2 + 0.001 * Double($0) }),
            ]
        let calibrated: SpecValue = ["backend": "trees", "trees": 6, "calibration": "isotonic"]
        for (change, propensity) in [
            (
                {
                    $0.cluster = "school"; $0.exclude.append("e")
                }, "trees"
            ),
            (
                {
                    $0.propensity = ["e"]; $0.exclude.append("school")
                }, "trees"
            ),
            (
                {
                    $0.propensityShares = [0.35]; $0.exclude += ["school", "e"]
                }, "trees"
            ),
            ({ $0.exclude += ["school", "e"] }, calibrated),
        ] as [((inout DataSpec) -> Void, SpecValue)] {
            var data = rows.data
            change(&data)
            let designed = PartedRows(try Table(columns), data)
            var spec = try CollectiveFitTests.spec("dr", propensity: propensity)
            spec.keepTraining = true
            #expect(try designed.streamedFit(spec, [1, 0, 300]).encoded() == designed.fit(spec).encoded())
        }
    }

    @Test("Texts that look like identifiers are left out")
    func identifiers() throws {
        let rows = try PartedRows(rows: 300)
        let named = PartedRows(
            try Table(rows.table.columns + [Column("name", categories: (0..<300).map { "person \($0)" })]),
            rows.data)
        let spec = try CollectiveFitTests.spec("t")
        let model = try named.streamedFit(spec, [100])
        #expect(try model.encoded() == named.fit(spec).encoded())
        #expect(model.schema.fields.map(\.name) == ["x1", "x2", "region"])
    }

    // MARK: What is refused

    @Test("What needs numbers is refused before anything is fitted")
    func refusals() throws {
        let rows = try PartedRows(rows: 300)
        let dataset = try CausalDataset(BatchedTable(rows.table, sizes: [100]), rows.data)
        func refused(_ spec: SpecValue, at place: String, says: String) throws {
            let options = ExecutionOptions(progress: { _ in
                Issue.record("something was fitted")
                return true
            })
            let error = #expect(throws: MetaLearnersError.self) {
                _ = try MetaLearnerFitter(MetaLearnerSpec(spec)).fit(dataset, options)
            }
            #expect(error?.kind == .unsupported && error?.location == place, "\(String(describing: error))")
            #expect(error?.description.contains(says) == true, "\(String(describing: error))")
        }
        try refused(["learner": "auto"], at: "learner", says: "use one of s, t")
        try refused(
            ["learner": "ensemble", "ensemble": ["members": [["learner": "t"], ["learner": "x"]]]],
            at: "learner", says: "use one of s, t")
        for backend in ["ridge", "ols", "logistic", "lasso", "elastic_net", "forest"] {
            let (learner, role) = backend == "logistic" ? ("dr", "propensity") : ("t", "outcome")
            var models: SpecObject = ["outcome": "trees", "propensity": "trees", "effect": "trees"]
            models[role] = .string(backend)
            try refused(
                ["learner": .string(learner), "models": .object(models)], at: "models.\(role)",
                says: "these can: trees")
        }
        try refused(
            [
                "learner": "t",
                "models": ["outcome": ["backend": "trees", "max_bins": 100], "propensity": "trees"],
            ],
            at: "models.outcome.max_bins", says: "at most 255 bins")
    }

    @Test("Studies and searches are refused, and a study of the model alone is not")
    func studies() throws {
        let rows = try PartedRows(rows: 300)
        let dataset = try CausalDataset(BatchedTable(rows.table, sizes: [100]), rows.data)
        var spec = try CollectiveFitTests.spec("dr")
        spec.keepTraining = true
        let fitter = try MetaLearnerFitter(spec)
        let model = try fitter.fit(dataset)
        let error = #expect(throws: MetaLearnersError.self) { try CausalStudy(model, on: dataset) }
        #expect(error?.kind == .unsupported && error?.problem.contains("batch by batch") == true)
        #expect(throws: MetaLearnersError.self) { try CausalStudy(fitter, nuisancesOf: dataset) }
        #expect(try CausalStudy(model).rowCount == 300)
        let searching = #expect(throws: MetaLearnersError.self) {
            try Tuner(spec, TuningSpec(), registry: .default).run(dataset)
        }
        #expect(searching?.problem.contains("batch by batch") == true)
    }

    // MARK: Sources that fail or change

    private static func failure(_ change: @escaping (Table, Int, Int) throws(MetaLearnersError) -> Table?)
        throws -> MetaLearnersError?
    {
        let rows = try PartedRows(rows: 300)
        let source = BatchedTable(rows.table, sizes: [100, 100])
        source.change = change
        return #expect(throws: MetaLearnersError.self) { try CausalDataset(source, rows.data) }
    }

    @Test("A source that fails ends the reading with its error", arguments: 0..<3)
    func failing(reading: Int) throws {
        let error = try Self.failure { batch, number, current throws(MetaLearnersError) in
            if current == reading, number == 1 { throw MetaLearnersError(.inputOutput, "the disk is gone") }
            return batch
        }
        #expect(error?.kind == .inputOutput && error?.problem == "the disk is gone")
    }

    @Test("A source that gives other rows later is an error, whatever is different", arguments: 1..<3)
    func changing(reading: Int) throws {
        let changes: [(String, (Table, Int) throws(MetaLearnersError) -> Table?)] = [
            ("300", { batch, number in number == 2 ? nil : batch }),
            (
                "more rows",
                { batch, number in
                    number == 0 ? batch.selecting(rows: (0..<200).map { Int32($0 % 100) }) : batch
                }
            ),
            ("'x1'", { batch, _ in batch.selecting(rows: (0..<Int32(batch.rowCount)).reversed()) }),
            (
                "no row had",
                { batch, _ throws(MetaLearnersError) in
                    batch.mapping {
                        $0.name == "region"
                            ? Column("region", categories: (0..<batch.rowCount).map { _ in "elsewhere" }) : $0
                    }
                }
            ),
            (
                "'region'",
                { batch, number throws(MetaLearnersError) in
                    batch.mapping { column in
                        guard number == 1, column.name == "region", let levels = column.levels,
                            let codes = column.codes()
                        else { return column }
                        return Column("region", codes: StridedValues(Array(codes.reversed())), levels: levels)
                    }
                }
            ),
            ("'x2'", { batch, _ in batch.selecting(columns: [0, 2, 3, 4, 5]) }),
        ]
        for (says, change) in changes {
            let error = try Self.failure { batch, number, current throws(MetaLearnersError) in
                current == reading ? try change(batch, number) : batch
            }
            #expect(
                error?.kind == .invalidData && error?.description.contains(says) == true,
                "\(says): \(String(describing: error))")
        }
    }

    @Test("Batches of other columns, columns of other kinds, and no rows at all are errors")
    func unequal() throws {
        let renamed = try Self.failure { batch, number, _ throws(MetaLearnersError) in
            number == 1
                ? batch.appending(Column("more", [Double](repeating: 0, count: batch.rowCount))) : batch
        }
        #expect(renamed?.kind == .invalidData && renamed?.location == "column 'more'")
        let retyped = try Self.failure { batch, number, _ throws(MetaLearnersError) in
            guard number == 1 else { return batch }
            return batch.mapping { $0.name == "x1" ? $0.asCategorical() : $0 }
        }
        #expect(retyped?.problem.contains("numbers in the first batch") == true)
        let empty = try Self.failure { batch, _, _ in batch.selecting(rows: []) }
        #expect(empty?.problem == "there are no rows")
        let infinite = try Self.failure { batch, number, _ throws(MetaLearnersError) in
            guard number == 1 else { return batch }
            return batch.mapping {
                $0.name == "x1" ? Column("x1", [Double](repeating: .infinity, count: batch.rowCount)) : $0
            }
        }
        #expect(infinite?.kind == .invalidData && infinite?.location == "column 'x1'")
    }

    @Test("Reading can be cancelled, by a token and by its progress")
    func cancellation() throws {
        let rows = try PartedRows(rows: 300)
        let token = CancellationToken()
        token.cancel()
        for options in [ExecutionOptions(cancellation: token), ExecutionOptions(progress: { $0.done < 300 })]
        {
            let error = #expect(throws: MetaLearnersError.self) {
                try CausalDataset(BatchedTable(rows.table, sizes: [100]), rows.data, options)
            }
            #expect(error?.kind == .cancelled)
        }
    }

    @Test(
        "Columns that play no part, roles that are missing, and specs that name no outcome are said at once")
    func specs() throws {
        let rows = try PartedRows(rows: 300)
        for (change, place) in [
            ({ $0.outcome = nil }, "data.outcome"), ({ $0.treatment = "grup" }, "data.treatment"),
            ({ $0.covariates = ["x9"] }, "data.covariates"), ({ $0.weight = "v" }, "data.weight"),
        ] as [((inout DataSpec) -> Void, String)] {
            var data = rows.data
            change(&data)
            let source = BatchedTable(rows.table, sizes: [100])
            let error = #expect(throws: MetaLearnersError.self) { try CausalDataset(source, data) }
            #expect(error?.location == place && source.readings == 1)
        }
    }
}
