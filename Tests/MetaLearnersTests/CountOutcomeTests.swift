import MetaLearners
import MetaLearnersCore
import MetaLearnersKit
import Testing
import _TestSupport

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

@Suite("Outcomes that are counts")
struct CountOutcomeTests {
    private static let rows = 1500
    private let data: CausalDataset
    private let ratios: [Double]

    /// Arms drawn at random; the treatment multiplies a mean of e^(x1 + ½) by 2 where x2 is above ½, else by 1.
    init() throws {
        var stream = RandomStream(seed: 19)
        var columns = [[Double]](repeating: [], count: 3)
        var arms: [Int32] = []
        var counts: [Double] = []
        var ratios: [Double] = []
        for _ in 0..<Self.rows {
            for column in columns.indices { columns[column].append(stream.uniform()) }
            let arm = stream.integer(below: 2)
            let ratio = (columns[1].last ?? 0) > 0.5 ? 2.0 : 1
            let mean = exp((columns[0].last ?? 0) + 0.5) * (arm == 1 ? ratio : 1)
            // A Poisson number: how many uniform numbers it takes for their product to fall below e^−mean.
            var product = stream.uniform()
            var count = 0.0
            while product > exp(-mean) {
                product *= stream.uniform()
                count += 1
            }
            arms.append(Int32(arm))
            counts.append(count)
            ratios.append(ratio)
        }
        data = try CausalDataset(
            covariates: Table(columns.enumerated().map { Column("x\($0 + 1)", $1) }),
            treatment: Treatment(arms: arms, labels: ["off", "on"]), outcome: Outcome(counts, kind: .count))
        self.ratios = ratios
    }

    private func model(_ learner: LearnerKind) throws -> CATEModel {
        let trees: SpecValue = [
            "backend": "trees", "trees": 40, "learning_rate": 0.1, "max_leaves": 4, "min_leaf_size": 20,
        ]
        let spec = try MetaLearnerSpec([
            "learner": .string(learner.rawValue), "effect_scale": "ratio", "cross_fitting": ["folds": 2],
            "models": ["outcome": trees, "propensity": "constant", "effect": trees],
        ])
        return try MetaLearnerFitter(spec).fit(data)
    }

    @Test(
        "Trees find ratios of means, by learners of one model and of one per arm",
        arguments: [LearnerKind.s, .t])
    func ratios(learner: LearnerKind) throws {
        let model = try model(learner)
        let found = try model.predict(PredictionRequest(), for: .new(data.covariates)).columns[0]
        var error = 0.0
        var spread = 0.0
        for (ratio, truth) in zip(found, ratios) {
            #expect(ratio > 0)
            error += abs(log(ratio / truth))
            spread += abs(log(truth) - log(2) / 2)
        }
        #expect(error < 0.5 * spread)
        let means = try model.predict(PredictionRequest(.armMeans), for: .new(data.covariates)).columns
        #expect(means.allSatisfy { $0.allSatisfy { $0 > 0 } })
        for row in 0..<Self.rows { #expect(abs(means[1][row] / means[0][row] / found[row] - 1) < 1e-9) }
        let differences = try model.predict(PredictionRequest(scale: .difference), for: .new(data.covariates))
            .columns
        for row in 0..<Self.rows { #expect(abs(means[1][row] - means[0][row] - differences[0][row]) < 1e-9) }
        let read = try CATEModel(bytes: model.encoded())
        #expect(try read.predict(PredictionRequest(), for: .new(data.covariates)).columns[0] == found)
    }

    @Test("A backend that has no counts is refused, with one that has")
    func refusal() throws {
        let error = #expect(throws: MetaLearnersError.self) {
            try MetaLearnerFitter(
                MetaLearnerSpec(["learner": "t", "models": ["outcome": "lasso", "propensity": "constant"]])
            ).fit(data)
        }
        #expect(error?.kind == .unsupported && error?.remedy?.contains("trees") == true)
    }
}
