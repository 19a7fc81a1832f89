import MetaLearnersCore
import MetaLearnersKit
import Testing
import _TestSupport

@testable import MetaLearners

@Suite("Bounds of propensities where an arm is rare")
struct AutomaticBoundsTests {
    /// One row in fifty is treated, wherever it is.
    private static func data(rows: Int = 1200, arms: Int = 2) throws -> CausalDataset {
        var stream = RandomStream(seed: 5)
        let x = (0..<rows).map { _ in 2 * stream.uniform() - 1 }
        let z = (0..<rows).map { _ in 2 * stream.uniform() - 1 }
        let arm = (0..<rows).map { row -> Int32 in
            if row % 50 == 0 { return 1 }
            return arms > 2 && row % 3 == 0 ? 2 : 0
        }
        return try CausalDataset(
            covariates: Table([Column("x", x), Column("z", z)]),
            treatment: Treatment(arms: arm, labels: (0..<arms).map { "\($0)" }),
            outcome: Outcome((0..<rows).map { x[$0] + Double(arm[$0]) + z[$0] * z[$0] }))
    }

    @Test("a fifth of the share of the smallest arm, where that is below 0.01")
    func rule() {
        #expect(OverlapSpec.automaticBounds(armCounts: [500, 500]) == nil)
        #expect(OverlapSpec.automaticBounds(armCounts: [950, 50]) == nil)
        #expect(OverlapSpec.automaticBounds(armCounts: [980, 20]) == [0.004, 0.996])
        #expect(OverlapSpec.automaticBounds(armCounts: [7, 60_000, 40_000]) == [0.000_013, 1 - 0.000_013])
        #expect(OverlapSpec.automaticBounds(armCounts: [10, 0]) == nil)
    }

    @Test(
        "every learner has them, in fits, files and predictions, and obeys those that are named",
        arguments: LearnerKind.allCases)
    func learners(learner: LearnerKind) throws {
        for arms in [2, 3] {
            let data = try Self.data(arms: arms)
            var spec = try Linear.spec(learner)
            let model = try MetaLearnerFitter(spec).fit(data)
            #expect(model.overlap.bounds == [0.004, 0.996])
            let read = try CATEModel(bytes: model.encoded())
            #expect(read.spec.overlap.bounds == [0.004, 0.996])
            #expect(try read.predict(data.covariates).effects == model.predict(data.covariates).effects)
            spec.overlap.bounds = [0.004, 0.996]
            let named = try MetaLearnerFitter(spec).fit(data)
            #expect(named.encoded() == model.encoded())
            spec.overlap.bounds = [0.01, 0.99]
            let other = try MetaLearnerFitter(spec).fit(data)
            #expect(other.overlap.bounds == [0.01, 0.99])
        }
    }

    @Test("nuisances that are fitted by themselves have them, and known propensities are left alone")
    func nuisances() throws {
        let data = try Self.data()
        let fitter = try MetaLearnerFitter(Linear.spec(.dr))
        let nuisances = try fitter.fitNuisances(data)
        #expect(nuisances.overlap.bounds == [0.004, 0.996])
        #expect(try fitter.fit(data, nuisances: nuisances).encoded() == fitter.fit(data).encoded())
        let known = try CausalDataset(
            covariates: data.covariates, treatment: data.treatment, outcome: data.outcome,
            knownPropensities: [
                [Double](repeating: 0.98, count: data.rowCount),
                [Double](repeating: 0.02, count: data.rowCount),
            ])
        #expect(try fitter.fit(known).overlap.bounds == [0.01, 0.99])
    }
}
