import MetaLearnersCore
import Testing

@Suite("Causal datasets")
struct CausalDatasetTests {
    private func treatment(_ arms: [Int32], _ labels: [String] = ["0", "1"]) throws(MetaLearnersError)
        -> Treatment
    {
        try Treatment(arms: arms, labels: labels)
    }

    private func message(_ body: () throws -> Void) -> String? {
        #expect(throws: MetaLearnersError.self, performing: { try body() })?.description
    }

    private func dataset(
        covariates: [Column] = [Column("x", [1, 2, 3, 4])], outcome: [Double] = [1, 2, 3, 4],
        weights: [Double]? = nil, clusters: [Int32]? = nil, propensities: [[Double]]? = nil
    ) throws(MetaLearnersError) -> CausalDataset {
        try CausalDataset(
            covariates: Table(covariates), treatment: treatment([0, 1, 0, 1]), outcome: Outcome(outcome),
            weights: weights, clusters: clusters, knownPropensities: propensities)
    }

    @Test("Sound parts make a dataset; clusters get codes from 0")
    func sound() throws {
        let data = try dataset(
            covariates: [Column("x", [1, .nan, 3, 4])], weights: [1, 0, 2, 1], clusters: [7, -3, 7, 9],
            propensities: [[0.5, 0.5, 0.4, 0.3], [0.5, 0.5, 0.6, 0.7]])
        #expect(data.rowCount == 4)
        #expect(data.armCount == 2)
        #expect(data.clusters == [0, 1, 0, 2])
        #expect(data.weights == [0.75, 0, 1.5, 0.75])
        #expect(data.treatment.counts == [2, 2])
    }

    @Test("No covariates are allowed: everybody is alike")
    func noCovariates() throws {
        let data = try dataset(covariates: [])
        #expect(data.covariates.rowCount == 4)
        #expect(data.covariates.columns.isEmpty)
    }

    @Test("A constant outcome is a warning")
    func constantOutcome() throws {
        #expect(
            try dataset(outcome: [2, 2, 2, 2]).warnings.first
                == "the outcome is the same in every row: all effects are zero")
    }

    @Test("Outcomes that are missing or infinite are counted, with the first row and how to drop them")
    func missingOutcome() {
        #expect(
            message { _ = try dataset(outcome: [1, .nan, .infinity, 4]) }
                == "outcome: 2 of 4 rows are missing or infinite, the first is row index 1; "
                + "drop them with data.missing_outcome: drop")
    }

    @Test("Outcomes whose squares are no numbers are refused, with what to do")
    func sizes() throws {
        for size in [1e200, 1e-200, -1e150, 1e-320] {
            let error = #expect(throws: MetaLearnersError.self) { try Outcome([0, size, size / 2]) }
            #expect(error?.kind == .invalidData && error?.description.contains("another unit") == true)
        }
        for size in [1e130, 1e-130, 0] { _ = try Outcome([0, size, size / 2]) }
    }

    @Test("Binary outcomes are 0 or 1")
    func binary() {
        #expect(
            message { _ = try Outcome([0, 1, 2], kind: .binary(labels: ["0", "1"])) }
                == "outcome: is binary, and row index 2 has 2.0; "
                + "set data.outcome_type: continuous, or recode it to 0 and 1")
    }

    @Test("Treatments need two arms, each with rows, and known labels")
    func arms() {
        #expect(
            message { _ = try treatment([0, 0], ["a"]) }
                == "treatment: has one arm only ('a'); effects need a control and at least one other arm")
        #expect(message { _ = try treatment([0, 0]) } == "treatment: no row has arm '1'")
        #expect(message { _ = try treatment([0, 2]) } == "treatment: row index 1 has arm 2, of 2 arms")
        #expect(message { _ = try treatment([0, -1]) } == "treatment: row index 1 has arm -1, of 2 arms")
        #expect(message { _ = try treatment([], []) }?.contains("one arm only") == true)
    }

    @Test("Parts of different length are refused by name")
    func lengths() {
        #expect(
            message { _ = try dataset(outcome: [1, 2]) }
                == "treatment: has 4 rows where the outcome has 2")
        #expect(
            message { _ = try dataset(covariates: [Column("x", [1])]) }
                == "covariates: has 1 rows where the outcome has 4")
        #expect(message { _ = try dataset(weights: [1]) } == "weight: has 1 rows where the outcome has 4")
        #expect(message { _ = try dataset(clusters: [1]) } == "cluster: has 1 rows where the outcome has 4")
        #expect(
            message { _ = try dataset(propensities: [[0.5], [0.5]]) }
                == "propensity: has 1 rows where the outcome has 4")
        #expect(
            message {
                _ = try CausalDataset(
                    covariates: Table([]), treatment: treatment([0, 1]), outcome: Outcome([]))
            } == "there are no rows")
    }

    @Test("Infinite covariates are counted, with the column, the first row and the remedy")
    func infinity() {
        #expect(
            message { _ = try dataset(covariates: [Column("income", [1, .infinity, -.infinity, 2])]) }
                == "column 'income': 2 of 4 values are infinite, the first is row index 1; "
                + "leave them empty (missing) or replace them")
    }

    @Test("Weights are finite, not negative, and not all zero")
    func weights() {
        #expect(
            message { _ = try dataset(weights: [1, -1, 1, 1]) }
                == "weight: row index 1 has weight -1.0; weights must be finite and not negative")
        #expect(
            message { _ = try dataset(weights: [1, 1, .nan, 1]) }?.hasPrefix(
                "weight: row index 2 has weight nan")
                == true)
        #expect(message { _ = try dataset(weights: [0, 0, 0, 0]) } == "weight: every weight is 0")
    }

    @Test("Known propensities are one column per arm, within (0, 1), and add up to 1")
    func propensities() {
        let half = [0.5, 0.5, 0.5, 0.5]
        #expect(
            message { _ = try dataset(propensities: [half]) }?.contains(
                "1 columns of propensities for 2 arms") == true)
        #expect(
            message { _ = try dataset(propensities: [half, [0.5, 1, 0.5, 0.5]]) }?
                .hasPrefix("propensity: row index 1 has 1.0 for arm '1', not between 0 and 1") == true)
        #expect(
            message { _ = try dataset(propensities: [half, [0.5, .nan, 0.5, 0.5]]) }?.contains(
                "row index 1 has nan") == true)
        #expect(
            message { _ = try dataset(propensities: [half, [0.5, 0.4, 0.5, 0.5]]) }
                == "propensity: those of row index 1 add up to 0.9, not to 1")
    }

    @Test("The fingerprint sees every part, and nothing but the values")
    func fingerprint() throws {
        let context = ExecutionContext(threads: 2)
        let base = try dataset().fingerprint(context)
        #expect(try dataset().fingerprint(ExecutionContext()) == base)
        let others = [
            try dataset(covariates: [Column("x", [1, 2, 3, 5])]),
            try dataset(covariates: [Column("y", [1, 2, 3, 4])]),
            try dataset(outcome: [1, 2, 4, 3]), try dataset(weights: [1, 1, 1, 1]),
            try dataset(clusters: [0, 0, 0, 0]),
            try dataset(covariates: []),
        ].map { $0.fingerprint(context) }
        #expect(Set(others + [base]).count == others.count + 1)
        #expect(
            try dataset(covariates: [Column("x", StridedValues([Float(1), 2, 3, 4]))]).fingerprint(context)
                == base)
    }
}
