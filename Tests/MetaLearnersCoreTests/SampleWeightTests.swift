import MetaLearnersCore
import Testing

@Suite("Sample weights")
struct SampleWeightTests {
    private func scaled(_ weights: [Double]) throws -> [Double] {
        let rows = weights.count
        return try #require(
            CausalDataset(
                covariates: Table([], rowCount: rows),
                treatment: Treatment(arms: (0..<rows).map { Int32($0 % 2) }, labels: ["0", "1"]),
                outcome: Outcome((0..<rows).map(Double.init)), weights: weights
            ).weights)
    }

    private static let factors = [1 / 500.0, 1e-6, 3, 0.1, 7e5, 1e-300, 1e300]

    @Test("Weights have mean 1 over the rows that have any, in their ratios")
    func meanOne() throws {
        #expect(try scaled([1, 1, 1, 1]) == [1, 1, 1, 1])
        #expect(try scaled([2, 2, 0, 0, 4, 4]) == [2 / 3.0, 2 / 3.0, 0, 0, 4 / 3.0, 4 / 3.0])
        // Ratios of small integers are kept in full, others to 30 bits.
        var stream = RandomStream(seed: 5)
        let weights = (0..<200).map { _ in stream.uniform() * 3 }
        let mean = weights.reduce(0, +) / 200
        for (scaled, weight) in zip(try scaled(weights), weights) {
            #expect(abs(scaled - weight / mean) <= 2e-9 * scaled)
        }
    }

    @Test("A common factor changes no bit, be it vanishing or vast", arguments: factors)
    func factor(_ factor: Double) throws {
        var stream = RandomStream(seed: 6)
        let kinds: [() -> Double] = [
            { 1 }, { 1 + stream.uniform() }, { Double(1 + stream.integer(below: 40)) },
            { (stream.uniform() * 10_000).rounded() / 10_000 + 1e-4 },
            { 1 / (0.01 + 0.98 * stream.uniform()) },
            { Double(stream.integer(below: 3)) },
        ]
        for kind in kinds {
            let weights = [1, 1] + (0..<500).map { _ in kind() }
            #expect(try scaled(weights.map { $0 * factor }) == scaled(weights))
        }
    }

    @Test("An arm without weight is named, and so is one with a weight in one fold only")
    func emptyArms() throws {
        let error = #expect(throws: MetaLearnersError.self) { try scaled([1, 0, 1, 0]) }
        #expect(
            error?.description
                == "weight: every row of arm '1' has weight 0; leave the arm out, or give its rows weights")
        let lonely = try CausalDataset(
            covariates: Table([], rowCount: 40),
            treatment: Treatment(arms: (0..<40).map { Int32($0 % 2) }, labels: ["0", "1"]),
            outcome: Outcome((0..<40).map(Double.init)),
            weights: (0..<40).map { $0 % 2 == 0 || $0 == 3 ? 1 : 0 })
        let folds = #expect(throws: MetaLearnersError.self) {
            try FoldAssignment(lonely, count: 4, seed: 1)
        }
        #expect(folds?.description.contains("every row of arm '1' outside of one fold has weight 0") == true)
    }
}
