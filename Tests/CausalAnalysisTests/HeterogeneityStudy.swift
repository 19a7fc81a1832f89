import CausalAnalysis
import MetaLearners
import MetaLearnersCore
import Testing
import _TestSupport

/// A study of the fixture `heterogeneity`, with the numbers that others computed of it.
struct HeterogeneityStudy {
    let name: String
    let study: CausalStudy
    let known: Fixture

    /// Every study of the fixture.
    static func all() throws -> [HeterogeneityStudy] {
        try Fixture("heterogeneity").part("cases").parts().map { try HeterogeneityStudy($0) }
    }

    private init(_ entry: Fixture) throws {
        known = entry
        name = try entry.text("name")
        let weights = try entry.numbers("weights")
        let clusters = try entry.integers("clusters")
        let isBinary = try entry.part("binary").value == true
        var columns = try entry.lists("x").enumerated().map { Column("x\($0 + 1)", $1) }
        columns.append(
            Column(
                "region", codes: StridedValues(try entry.integers("region")),
                levels: ["north", "east", "south"]))
        let propensities = try entry.lists("propensities")
        let dataset = try CausalDataset(
            covariates: Table(columns),
            treatment: Treatment(
                arms: entry.integers("arms"), labels: propensities.indices.map { "arm \($0)" }),
            outcome: Outcome(
                entry.numbers("outcome"), kind: isBinary ? .binary(labels: ["0", "1"]) : .continuous),
            weights: weights.isEmpty ? nil : weights, clusters: clusters.isEmpty ? nil : clusters)
        study = try CausalStudy(
            dataset,
            given: GivenColumns(
                effects: entry.lists("effects"), propensities: propensities,
                armMeans: entry.lists("arm_means"), trueEffects: entry.lists("truth")))
    }

    /// What others computed, arm by arm, with the rows of a table that are of the arm.
    func byArm(_ table: ResultTable) throws -> [(known: Fixture, rows: [SpecObject])] {
        let rows = (table.specValue.arrayValue ?? []).compactMap(\.objectValue)
        return try known.part("by_arm").parts().enumerated().map { index, known in
            (known, rows.filter { $0["arm"] == .string("arm \(index + 1)") })
        }
    }

    /// Runs an analysis and gives one of its tables.
    func table(_ analysis: some Analysis, _ name: String) throws -> ResultTable {
        try #require(try analysis.run(study).table(named: name))
    }
}

extension [SpecObject] {
    /// The numbers under a key, NaN for null.
    func numbers(_ key: String) -> [Double] { map { $0[key]?.doubleValue ?? .nan } }
}

/// Whether numbers agree but for rounding.
func expectEqual(
    _ found: [Double], _ known: [Double], _ what: String, tolerance: Double = 1e-9,
    at place: SourceLocation = #_sourceLocation
) {
    #expect(
        Approximate.equal(found, known, tolerance), "\(what): \(found), not \(known)", sourceLocation: place)
}
