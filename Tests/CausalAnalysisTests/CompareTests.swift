import CausalAnalysis
import MetaLearners
import MetaLearnersCore
import MetaLearnersKit
import Testing
import _TestSupport

@Suite("Learners side by side")
struct CompareTests {
    private func study(_ data: SyntheticDataset, _ change: (inout MetaLearnerSpec) -> Void = { _ in }) throws
        -> CausalStudy
    {
        var spec = MetaLearnerSpec()
        spec.learner = .dr
        spec.models = try ModelsSpec(["outcome": "ridge", "propensity": "logistic", "effect": "ridge"])
        spec.crossFitting.folds = 3
        change(&spec)
        let fitter = try MetaLearnerFitter(spec, registry: .default)
        return try CausalStudy(fitter, on: data.dataset, for: CompareAnalysis().needs)
    }

    @Test("Each fit is that of the learner alone, nuisances reused or not")
    func sameAsAlone() throws {
        let data = try SyntheticDataset.linear(rows: 300, seed: 2)
        let study = try study(data)
        var analysis = CompareAnalysis()
        analysis.learners = ["s", "t", "x", "dr", "r"]
        let result = try analysis.run(study)
        let averages = try #require(result.table(named: "averages"))
        for (index, name) in analysis.learners.enumerated() {
            var spec = try #require(study.fitting).fitter.spec
            spec.learner = LearnerKind(rawValue: name)
            let model = try MetaLearnerFitter(spec, registry: .default).fit(data.dataset)
            #expect(
                averages.numbers("mean_effect")[index] == Approximate.mean(model.trainingEffects[0]),
                "\(name)")
            #expect(
                averages.numbers("estimate")[index] == (try model.averageEffects(.ate)[0].estimate), "\(name)"
            )
        }
        let losses = try #require(result.table(named: "learners"))
        #expect(
            losses.numbers("dr_loss_difference").min() == 0 && losses.numbers("r_loss_difference").min() == 0)
        #expect(losses.numbers("seconds").allSatisfy { $0 >= 0 } && result.isComplete)
        let agreement = try #require(result.table(named: "agreement"))
        for (index, name) in analysis.learners.enumerated() {
            #expect(abs(agreement.numbers(name)[index] - 1) < 1e-12)
        }
        #expect(agreement.numbers("t")[3] == agreement.numbers("dr")[1] && agreement.numbers("t")[3] > 0.8)
        #expect(result.findings.count == 2)
    }

    @Test("Base learners multiply the learners, but for those that bring their own")
    func backends() throws {
        let data = try SyntheticDataset.linear(rows: 200, seed: 3)
        var analysis = CompareAnalysis()
        analysis.learners = ["t", "auto"]
        analysis.backends = ["ridge", "trees"]
        let result = try analysis.run(study(data))
        let table = try #require(result.table(named: "learners"))
        #expect(
            table.column("learner") == ["t", "t", "auto"]
                && table.column("backend") == ["ridge", "trees", ""])
        #expect(table.numbers("dr_loss")[0] < table.numbers("dr_loss")[1])
    }

    @Test("A learner that cannot be fitted is a row that says why; of several arms each has its rows")
    func notes() throws {
        let data = try SyntheticDataset.multiArm(rows: 240, seed: 5)
        var analysis = CompareAnalysis()
        analysis.learners = ["t", "dr"]
        let result = try analysis.run(study(data))
        #expect(result.table(named: "averages")?.column("arm") == ["1", "2", "1", "2"])
        #expect(result.table(named: "agreement")?.rows.count == 4)
        analysis.backends = ["ridge", "logistic"]
        let partly = try analysis.run(study(data))
        let table = try #require(partly.table(named: "learners"))
        let failed = table.rows.filter { $0[1] == "logistic" }
        #expect(
            failed.count == 2
                && failed.allSatisfy { $0[2] == .null && $0.last?.stringValue?.isEmpty == false })
        analysis.learners = ["tt"]
        #expect(throws: MetaLearnersError.self) { try analysis.run(study(data)) }
    }

    @Test("The losses are their definitions")
    func losses() throws {
        let data = try SyntheticDataset.multiArm(rows: 150, seed: 8)
        let study = try study(data)
        var analysis = CompareAnalysis()
        analysis.learners = ["t"]
        let table = try #require(try analysis.run(study).table(named: "learners"))
        var spec = try #require(study.fitting).fitter.spec
        spec.learner = .t
        let effects = try MetaLearnerFitter(spec, registry: .default).fit(data.dataset).trainingEffects
        let (e, mu) = (try #require(study.propensities), try #require(study.armMeans))
        var (robust, residual) = (0.0, 0.0)
        for row in 0..<150 {
            let arm = Int(study.arms[row])
            func gamma(_ k: Int) -> Double {
                mu[k][row] + (k == arm ? (study.outcome[row] - mu[k][row]) / e[k][row] : 0)
            }
            var error = study.outcome[row] - (0..<3).reduce(0) { $0 + e[$1][row] * mu[$1][row] }
            for k in 1...2 {
                let gap = gamma(k) - gamma(0) - effects[k - 1][row]
                robust += gap * gap / 2 / 150
                error -= ((k == arm ? 1 : 0) - e[k][row]) * effects[k - 1][row]
            }
            residual += error * error / 150
        }
        #expect(Approximate.equal(table.numbers("dr_loss")[0], robust, 1e-10))
        #expect(Approximate.equal(table.numbers("r_loss")[0], residual, 1e-10))
    }

    @Test("It runs only where it is named, and an interrupt leaves what is done")
    func interruption() throws {
        #expect(!CompareAnalysis.runsByDefault)
        let study = try study(SyntheticDataset.linear(rows: 200, seed: 4))
        let fits = Counter()
        var options = ExecutionOptions(threads: 1)
        options.progress = { progress in
            if progress.done == progress.total { fits.add(1) }
            return fits.value < 4
        }
        let result = try CompareAnalysis().run(study, options)
        #expect(!result.isComplete)
        let rows = try #require(result.table(named: "learners")?.rows.count)
        #expect(rows >= 1 && rows < 5)
    }
}
