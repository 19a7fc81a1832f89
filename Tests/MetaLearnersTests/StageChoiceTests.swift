import MetaLearners
import MetaLearnersCore
import MetaLearnersKit
import Testing
import TreeEstimators
import _TestSupport

@Suite("Numbers of trees that the rows held out choose")
struct StageChoiceTests {
    private static let trees: SpecValue = [
        "backend": "trees", "trees": "auto", "max_leaves": 4, "min_leaf_size": 5,
    ]

    private func spec(
        _ learner: LearnerKind, folds: Int = 3, _ more: SpecObject = [:], trees: SpecValue = Self.trees
    )
        throws(MetaLearnersError) -> MetaLearnerSpec
    {
        var object: SpecObject = [
            "learner": .string(learner.rawValue), "seed": 3, "cross_fitting": ["folds": .integer(folds)],
            "models": ["outcome": trees, "propensity": trees, "effect": trees],
        ]
        for (key, value) in more.entries { object[key] = value }
        return try MetaLearnerSpec(.object(object))
    }

    private func job(_ data: SyntheticDataset, spec: TreesSpec, _ parts: CrossFitter.Parts)
        throws(MetaLearnersError) -> CrossFitter.Job
    {
        let dataset = data.dataset
        let task = try TrainingTask(
            features: dataset.covariates, rows: Array(0..<Int32(dataset.rowCount)),
            target: dataset.outcome.values,
            seed: 5, cache: dataset.cache)
        return CrossFitter.Job(name: "outcome", estimator: try TreesEstimator(spec), task: task, parts: parts)
    }

    @Test("It is the number with the least pooled loss of all numbers, found by fitting every one")
    func least() throws {
        let data = try SyntheticDataset.nieWager(.a, rows: 300, seed: 4)
        let fitter = CrossFitter(try FoldAssignment(data.dataset, count: 3, seed: 1))
        var spec = TreesSpec()
        spec.maxLeaves = 4
        let fit = try fitter.fit(
            [job(data, spec: spec, [.folds, .full])], stage: "fits", Scheduler(ExecutionOptions()))[0]
        let chosen = try #require(fit.models.chosenStage)
        #expect(chosen > 5 && chosen < 900)
        #expect((fit.models.fullModel as? any StagedModel)?.stageCount == chosen)
        // Paths of a named number of rounds, and the loss of the rows held out at each of their stages.
        let length = chosen + 30
        spec.trees = .exactly(length)
        let path = try fitter.fit(
            [job(data, spec: spec, .folds)], stage: "fits", Scheduler(ExecutionOptions()))[0]
        var losses = [Double](repeating: 0, count: length + 1)
        for (fold, model) in path.models.foldModels.enumerated() {
            let rows = fitter.folds.rows(in: fold)
            let staged = try #require(model as? any StagedModel)
            let predictions = try staged.predictStages(
                data.dataset.covariates, rows: rows, stages: Array(0...length), ExecutionContext())
            for (stage, values) in predictions.enumerated() {
                for (row, value) in zip(rows, values) {
                    let error = data.dataset.outcome.values[Int(row)] - value
                    losses[stage] += error * error
                }
            }
        }
        #expect(losses.indices.min { losses[$0] < losses[$1] } == chosen)
        // The models are those that the number gives where it is named.
        spec.trees = .exactly(chosen)
        let named = try fitter.fit(
            [job(data, spec: spec, [.folds, .full])], stage: "fits", Scheduler(ExecutionOptions()))[0]
        #expect(zip(named.outOfFold[0], fit.outOfFold[0]).allSatisfy { abs($0 - $1) < 1e-4 })
    }

    @Test("Several losses add up, and the simplest of equal stages is taken")
    func pooling() {
        #expect(JudgedPath.bestStage(of: []) == 0)
        #expect(JudgedPath.bestStage(of: [[], []]) == 0)
        #expect(JudgedPath.bestStage(of: [[3, 1, 2], [5, 4, 1]]) == 2)
        // A path that ended has the loss of its last stage from there on.
        #expect(JudgedPath.bestStage(of: [[3, 1], [9, 4, 3, 2, 2]]) == 3)
        #expect(JudgedPath.bestStage(of: [[1, .nan, 2], [1, 0, 2]]) == 1)
        #expect(JudgedPath.bestStage(of: [[2, 1, 1]]) == 1)
    }

    @Test(
        "Every learner, in every way of fitting: models are there, threads change no byte, files give the same back",
        arguments: LearnerKind.single)
    func everyWay(learner: LearnerKind) throws {
        let ways: [SpecObject] = [
            [:], ["cross_fitting": ["folds": 2, "repeats": 2]],
            ["cross_fitting": ["folds": 2, "in_sample": "nested"]],
            ["cross_fitting": ["folds": 2, "in_sample": "full"]], ["prediction": "mean"],
            ["cross_fitting": ["folds": 1]],
            ["overlap": ["policy": "trim"]], ["intervals": ["method": "bootstrap", "samples": 2]],
        ]
        let data = try SyntheticDataset.linear(rows: 130, seed: 9).dataset
        for way in ways {
            // (What a learner does not offer it does not offer with a number either.)
            var named = Self.trees.objectValue ?? [:]
            named["trees"] = 5
            let offered = try? MetaLearnerFitter(spec(learner, way, trees: .object(named))).fit(data)
            let fitter = try? MetaLearnerFitter(spec(learner, way))
            let found = try? fitter?.fit(data, ExecutionOptions(threads: 1))
            #expect((found == nil) == (offered == nil))
            guard let fitter, let model = found else { continue }
            #expect(model.trainingEffects[0].allSatisfy { $0.isFinite })
            let bytes = model.encoded()
            #expect(try fitter.fit(data, ExecutionOptions(threads: 3)).encoded() == bytes)
            let read = try CATEModel(bytes: bytes)
            #expect(try read.predict(data.covariates).effects == model.predict(data.covariates).effects)
        }
    }

    @Test("Nuisances that one learner fitted serve the next, which chooses nothing anew")
    func reuse() throws {
        let data = try SyntheticDataset.linear(rows: 130, seed: 9).dataset
        for (first, second) in [(LearnerKind.dr, LearnerKind.t), (.t, .x), (.r, .x)] {
            let known = try MetaLearnerFitter(spec(first)).fit(data).nuisances
            let fitter = try MetaLearnerFitter(spec(second))
            #expect(try fitter.fit(data, nuisances: known).encoded() == fitter.fit(data).encoded())
        }
        // Members of an ensemble ask for parts of the same nuisances, one after another.
        let ensemble: (SpecValue) throws -> CATEModel = { members in
            var object = try spec(.dr).specValue.objectValue ?? [:]
            object["learner"] = "ensemble"
            object["ensemble"] = ["members": members]
            return try MetaLearnerFitter(MetaLearnerSpec(.object(object))).fit(data)
        }
        let model = try ensemble(["dr", "t", "x"])
        #expect(model.trainingEffects[0].allSatisfy { $0.isFinite })
    }

    @Test("Where there is nothing to find, no tree is grown; weights and classes count")
    func nothing() throws {
        let rows = 400
        var stream = RandomStream(seed: 8)
        let x = (0..<rows).map { _ in stream.uniform() }
        let noise = (0..<rows).map { _ in stream.uniform() - 0.5 }
        let features = try Table([Column("x", x)])
        let folds = try FoldAssignment((0..<rows).map { Int32($0 % 4) }, count: 4)
        func chosen(_ target: [Double], weights: [Double]? = nil, _ objective: TrainingTask.Objective)
            throws(MetaLearnersError) -> Int?
        {
            let task = try TrainingTask(
                features: features, rows: Array(0..<Int32(rows)), target: target, weights: weights,
                objective: objective)
            let job = CrossFitter.Job(
                name: "job", estimator: try TreesEstimator(TreesSpec()), task: task, parts: [.folds, .full])
            return try CrossFitter(folds).fit([job], stage: "fits", Scheduler(ExecutionOptions()))[0].models
                .chosenStage
        }
        let step = x.map { $0 > 0.5 ? 3.0 : 0 }
        let few = try #require(try chosen(noise, .regression))
        let many = try #require(try chosen(zip(step, noise).map(+), .regression))
        #expect(few < 12 && many > 12)
        let labels = zip(step, noise).map { $0 + 2 * $1 > 1.2 ? 1.0 : 0 }
        let drawn = noise.map { $0 > 0 ? 1.0 : 0 }
        let ofClasses = try #require(try chosen(labels, .classification(classes: 2)))
        let ofNoise = try #require(try chosen(drawn, .classification(classes: 2)))
        #expect(ofNoise < 12 && ofClasses > ofNoise)
        // Rows of weight 0 are neither learned from nor judge.
        let half = (0..<rows).map { $0 % 8 < 4 ? 1.0 : 0 }
        let spoilt = zip(zip(step, noise).map(+), half).map { $1 == 0 ? 1000 * $0 : $0 }
        let honest = zip(zip(step, noise).map(+), half).map { $1 == 0 ? 0 : $0 }
        #expect(try chosen(spoilt, weights: half, .regression) == chosen(honest, weights: half, .regression))
        // Every objective has losses that choose.
        let counts = step.map { $0 + 1 }
        for objective in [
            TrainingTask.Objective.count, .quantile(level: 0.5), .residual(regressor: step.map { $0 - 1.5 }),
            .multiRegression(others: [noise]), .multiResidual(regressors: [step.map { $0 - 1.5 }, noise]),
        ] {
            let stage = try #require(try chosen(counts, objective))
            #expect(stage > 0 && stage <= TreesSpec.mostTrees)
        }
    }

    @Test("A fold without rows of the task has a model of the number that the other folds chose")
    func foldWithoutJudges() throws {
        let data = try SyntheticDataset.nieWager(.a, rows: 240, seed: 6).dataset
        let folds = try FoldAssignment((0..<240).map { Int32($0 / 60) }, count: 4)
        let task = try TrainingTask(
            features: data.covariates, rows: Array(60..<240), target: data.outcome.values, seed: 2)
        let job = CrossFitter.Job(
            name: "job", estimator: try TreesEstimator(TreesSpec()), task: task, parts: [.folds, .full])
        let fit = try CrossFitter(folds).fit([job], stage: "fits", Scheduler(ExecutionOptions()))[0]
        let stages = fit.models.foldModels.compactMap { ($0 as? any StagedModel)?.stageCount }
        let chosen = try #require(fit.models.chosenStage)
        #expect(chosen > 0 && chosen < 500 && stages.count == 4 && stages[0] == chosen)
    }

    @Test("A number that is named is obeyed, and early stopping needs nobody else")
    func named() throws {
        #expect(try TreesEstimator(TreesSpec()).choosesStages)
        #expect(try TreesSpec(["trees": "auto"]).trees == .auto)
        #expect(try !TreesEstimator(TreesSpec(["trees": 7])).choosesStages)
        #expect(try !TreesEstimator(TreesSpec(["early_stopping": 5])).choosesStages)
        let error = #expect(throws: MetaLearnersError.self) { try TreesSpec(["trees": "many"]) }
        #expect(error?.kind == .invalidSpec && error?.problem.contains("auto") == true)
        let spec = try TreesSpec(["max_leaves": "auto"])
        #expect(spec.specValue.objectValue?["max_leaves"] == "auto")
    }
}
