import MetaLearnersCore
import MetaLearnersKit
import Testing
import _TestSupport

@testable import MetaLearners

@Suite("Bootstrapped intervals")
struct BootstrapTests {
    @Test("Whole clusters are drawn: four copies of a row say no more than one does")
    func clusters() throws {
        let once = try SyntheticDataset.linear(rows: 60, noise: 1, seed: 6).dataset
        let copies = (0..<Int32(60)).flatMap { [$0, $0, $0, $0] }
        let four = try once.taking(copies)
        let clustered = try CausalDataset(
            covariates: four.covariates, treatment: four.treatment, outcome: four.outcome, clusters: copies)
        let spec = try MetaLearnerSpec([
            "learner": "t", "models": Linear.models, "cross_fitting": ["folds": 2],
            "intervals": ["method": "bootstrap", "samples": 60],
        ])
        func width(_ data: CausalDataset) throws -> Double {
            let model = try MetaLearnerFitter(spec).fit(data)
            let columns = try model.predict(PredictionRequest(.intervals), for: .new(once.covariates)).columns
            return Approximate.mean(zip(columns[2], columns[1]).map { $0 - $1 })
        }
        let ofOne = try width(once)
        #expect(try abs(width(clustered) / ofOne - 1) < 0.25)
        // Rows that are drawn one by one seem to be four times as many.
        #expect(try abs(width(four) / ofOne - 0.5) < 0.15)
    }
}
