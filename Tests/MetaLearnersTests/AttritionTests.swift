import MetaLearnersCore
import MetaLearnersKit
import Testing
import _TestSupport

@testable import MetaLearners

/// That outcomes are missing more often in one arm is told of in the same words wherever the rows are.
@Suite(
    "Outcomes that are missing more often in one arm, of rows in memory, read batch by batch, and of several processes"
)
struct AttritionTests {
    /// What a dataset says of missing outcomes.
    private func attrition(_ dataset: CausalDataset) -> [String] {
        dataset.warnings.filter { $0.contains("outcomes are missing of") || $0.contains("no row of") }
    }

    /// 600 rows of two or three arms, without the outcomes of some.
    ///
    /// - Parameters:
    ///   - isMissing: of a row and its arm.
    ///   - asNumbers: whether arms are numbers.
    ///   - change: to the description of the data.
    private func rows(
        arms: Int = 2, asNumbers: Bool = false, _ isMissing: (Int, String) -> Bool,
        _ change: (inout DataSpec) -> Void = { _ in }
    ) throws -> PartedRows {
        let rows = try PartedRows(rows: 600, arms: arms)
        let group = try #require(rows.table.column(named: "group"))
        let levels = try #require(group.levels)
        let labels = try #require(group.codes()).map { levels[Int($0)] }
        let outcome = try #require(rows.table.column(named: "y")).values.doubles()
        let columns = rows.table.columns.map { column in
            switch column.name {
            case "y":
                return Column("y", labels.indices.map { isMissing($0, labels[$0]) ? .nan : outcome[$0] })
            case "group" where asNumbers:
                return Column(
                    "group", labels.map { Double(["placebo", "drug", "surgery"].firstIndex(of: $0) ?? 0) })
            default: return column
            }
        }
        var data = rows.data
        data.missingOutcome = .drop
        if asNumbers { data.control = "0" }
        change(&data)
        return PartedRows(
            try Table(columns + [Column("school", (0..<600).map { Double($0 / 20) })]), data)
    }

    /// What is said, which is the same everywhere.
    private func everywhere(_ rows: PartedRows) throws -> [String] {
        let alone = attrition(try CausalDataset(rows.table, rows.data))
        for sizes in PartedRows.sizes {
            let streamed = try CausalDataset(BatchedTable(rows.table, sizes: sizes), rows.data)
            #expect(attrition(streamed) == alone)
        }
        for shares in CollectiveFitTests.partitions {
            let parts = rows.parts(shares)
            let datasets = try ThreadGroup.run(shares.count) { collective in
                try CausalDataset(parts[collective.rank], rows.data, partOf: collective)
            }.results.map { try $0.get() }
            for dataset in datasets { #expect(attrition(dataset) == alone, "\(shares)") }
        }
        return alone
    }

    @Test("It is told of, with arms of texts and of numbers", arguments: [false, true])
    func told(asNumbers: Bool) throws {
        let found = try everywhere(
            rows(asNumbers: asNumbers, { row, arm in arm == "drug" && row % 3 == 0 }) {
                $0.exclude.append("school")
            })
        #expect(
            found.count == 1
                && found[0].contains("% of arm '\(asNumbers ? "1" : "drug")' and of 0.0 % of arm"), "\(found)"
        )
        #expect(try everywhere(rows(asNumbers: asNumbers, { row, _ in row % 3 == 0 })).isEmpty)
    }

    @Test("So it is where a process has no outcome of an arm, or none at all", arguments: [false, true])
    func wholeParts(asNumbers: Bool) throws {
        // The first half of the rows, which is all of the first of two processes.
        let ofArm = try everywhere(rows(asNumbers: asNumbers, { row, arm in arm == "drug" && row < 300 }))
        #expect(ofArm.count == 1)
        #expect(try everywhere(rows(asNumbers: asNumbers, { row, _ in row < 300 })).isEmpty)
    }

    @Test("Whole clusters without outcomes are counted as such, by the clusters of all processes")
    func clusters() throws {
        // Of thirty schools, each in one arm, six lack their outcomes: five of one arm, which may be chance.
        func find(_ lost: Set<Int>) throws -> [String] {
            var rows = try rows({ row, _ in lost.contains(row / 20) }) { $0.cluster = "school" }
            let columns = rows.table.columns.map { column in
                column.name == "group"
                    ? Column("group", categories: (0..<600).map { $0 / 20 % 2 == 0 ? "placebo" : "drug" })
                    : column
            }
            rows = PartedRows(try Table(columns), rows.data)
            return try everywhere(rows)
        }
        #expect(try find([1, 3, 5, 7, 9, 2]).isEmpty)
        #expect(try find([1, 3, 5, 7, 9, 11, 13, 15, 17, 19]).count == 1)
    }

    /// Why there is no dataset, which is said in the same words everywhere.
    private func refusal(_ rows: PartedRows) throws -> String {
        let alone = try #require(throws: MetaLearnersError.self) {
            try CausalDataset(rows.table, rows.data)
        }
        for sizes in PartedRows.sizes {
            let streamed = try #require(throws: MetaLearnersError.self) {
                try CausalDataset(BatchedTable(rows.table, sizes: sizes), rows.data)
            }
            #expect(streamed.description == alone.description)
        }
        for shares in CollectiveFitTests.partitions {
            let parts = rows.parts(shares)
            let run = ThreadGroup.run(shares.count) { collective in
                try CausalDataset(parts[collective.rank], rows.data, partOf: collective)
            }
            for result in run.results {
                let part = #expect(throws: MetaLearnersError.self) { try result.get() }
                #expect(part?.description.contains(alone.problem) == true, "\(shares)")
            }
        }
        return alone.description
    }

    @Test(
        "Where an arm without any outcome leaves nothing to compare, the error names it",
        arguments: [false, true])
    func nothingLeft(asNumbers: Bool) throws {
        let (control, arm) = asNumbers ? ("0", "1") : ("placebo", "drug")
        let remedy = "effects need outcomes of the control and of at least one other arm"
        let lost = try refusal(rows(asNumbers: asNumbers) { _, arm in arm == "drug" })
        #expect(
            lost.hasPrefix(
                "treatment 'group': rows with an outcome are of one arm only ('\(control)'): all ")
                && lost.hasSuffix(" rows of arm '\(arm)' lack an outcome; \(remedy)"), "\(lost)")
        for arms in [2, 3] {
            let lost = try refusal(rows(arms: arms, asNumbers: asNumbers) { _, arm in arm == "placebo" })
            #expect(
                lost.hasPrefix("data.control: '\(control)' cannot be compared with: all ")
                    && lost.hasSuffix(" rows of arm '\(control)' lack an outcome; \(remedy)"), "\(lost)")
        }
        // A control that no row has is another mistake.
        let misspelt = try refusal(
            rows(arms: 3, asNumbers: asNumbers, { _, arm in arm == "surgery" }) { $0.control = "plcebo" })
        #expect(misspelt.hasPrefix("data.control: no row of 'group' has the label 'plcebo'"))
    }

    @Test("An arm that has no outcome at all is named", arguments: [false, true])
    func lostArm(asNumbers: Bool) throws {
        let name = asNumbers ? "2" : "surgery"
        let found = try everywhere(rows(arms: 3, asNumbers: asNumbers) { _, arm in arm == "surgery" })
        #expect(
            found == ["group: no row of arm '\(name)' has an outcome: nothing can be said of it"], "\(found)")
    }
}
