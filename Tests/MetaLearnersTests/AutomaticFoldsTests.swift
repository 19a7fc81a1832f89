import MetaLearnersCore
import MetaLearnersKit
import Testing
import _TestSupport

@testable import MetaLearners

@Suite("Folds that follow the rows")
struct AutomaticFoldsTests {
    private static func few(_ rows: Int) -> Int? { CrossFittingSpec.automaticFolds(smallestStratum: rows) }

    /// One column, and an arm for every other row.
    private static func data(rows: Int) throws -> CausalDataset {
        var stream = RandomStream(seed: 9)
        let x = (0..<rows).map { _ in stream.uniform() }
        return try CausalDataset(
            covariates: Table([Column("x", x)]),
            treatment: Treatment(arms: (0..<rows).map { Int32($0 % 2) }, labels: ["0", "1"]),
            outcome: Outcome(x.enumerated().map { $0.element * Double($0.offset % 2) }))
    }

    @Test("there are five, and three where the smallest stratum has many rows")
    func rule() throws {
        #expect(Self.few(59_999) == nil && Self.few(60_000) == 3)
        let many = try Self.data(rows: 120_000)
        var spec = MetaLearnerSpec()
        #expect(spec.crossFitting.foldCount == 5 && spec.crossFitting.folds == .auto)
        #expect(try spec.resolved(for: Self.data(rows: 2000), keepsFolds: false) == nil)
        #expect(try spec.resolved(for: many, keepsFolds: false)?.crossFitting.folds == .exactly(3))
        #expect(try spec.resolved(for: many, keepsFolds: true) == nil)
        spec.crossFitting.folds = 5
        #expect(try spec.resolved(for: many, keepsFolds: false) == nil)
        #expect(try MetaLearnerSpec(["cross_fitting": ["folds": "auto"]]).crossFitting.folds == .auto)
    }

    @Test("a model says which it has, and its file too; learners that combine others keep five")
    func models() throws {
        let many = try Self.data(rows: 120_000)
        func spec(_ learner: LearnerKind) throws -> MetaLearnerSpec {
            var spec = try Linear.spec(learner)
            spec.crossFitting.folds = .auto
            return spec
        }
        let linear = try MetaLearnerFitter(spec(.t)).fit(many)
        #expect(linear.spec.crossFitting.folds == .exactly(3))
        #expect(linear.training?.folds.count == 3)
        #expect(try CATEModel(bytes: linear.encoded()).spec.crossFitting == linear.spec.crossFitting)
        var mean = try spec(.t)
        mean.prediction = .mean
        #expect(try MetaLearnerFitter(mean).fit(many).training?.folds.count == 5)
        var ensemble = try spec(.ensemble)
        ensemble.ensemble.members = [MemberSpec(.t), MemberSpec(.s)]
        #expect(try MetaLearnerFitter(ensemble).fit(many).training?.folds.count == 5)
    }
}
