import MetaLearnersCore
import Testing
import _TestSupport

@Suite("Cross-fitting")
struct CrossFitterTests {
    /// A task whose first column numbers the rows, so that the memorising estimator knows them again.
    private func task(rows: Int, only: [Int32]? = nil, classes: Int? = nil) throws(MetaLearnersError)
        -> TrainingTask
    {
        try TrainingTask(
            features: Table([Column("row", (0..<rows).map { Double($0) })]),
            rows: only ?? Array(0..<Int32(rows)),
            target: [Double](repeating: 0, count: rows),
            objective: classes.map { .classification(classes: $0) } ?? .regression,
            seed: 5)
    }

    private func folds(_ rows: Int, _ count: Int) throws(MetaLearnersError) -> FoldAssignment {
        try FoldAssignment((0..<rows).map { Int32(($0 * 7 + $0 / 3) % count) }, count: count)
    }

    @Test(
        "Every row is predicted by a model that never saw it; the model of all rows saw them all",
        arguments: [1, 2], [1, 3])
    func neverSeen(threads: Int, outputs: Int) throws {
        let task = try task(rows: 31, classes: outputs > 1 ? outputs : nil)
        let fitter = try CrossFitter(folds(31, 4))
        let job = try CrossFitter.Job(
            name: "job", estimator: MemorisingEstimator(.init()), task: task, refit: true)
        let fit = try fitter.fit([job], stage: "fits", Scheduler(ExecutionOptions(threads: threads)))[0]
        #expect(fit.outOfFold == [[Double](repeating: 0, count: 31 * outputs)])
        #expect(fit.models.foldModels.count == 4)
        let full = try #require(fit.models.fullModel)
        #expect(
            try full.predict(task.features, rows: nil, ExecutionContext())
                == [Double](repeating: 1, count: 31 * outputs))
        for (fold, model) in fit.models.foldModels.enumerated() {
            let rows = fitter.folds.trainingRows(task.rows, for: fold)
            #expect(try model.predict(task.features, rows: rows, ExecutionContext()).allSatisfy { $0 == 1 })
        }
    }

    @Test("A job of some rows is fitted to these alone, and predicts every row")
    func subsets() throws {
        let only: [Int32] = [0, 3, 4, 9, 10, 15, 20]
        let task = try task(rows: 21, only: only)
        let fitter = try CrossFitter(folds(21, 3))
        let job = try CrossFitter.Job(
            name: "job", estimator: MemorisingEstimator(.init()), task: task, refit: true)
        let fit = try fitter.fit([job], stage: "fits", Scheduler(ExecutionOptions(threads: 2)))[0]
        #expect(fit.outOfFold[0] == [Double](repeating: 0, count: 21))
        let full = try #require(fit.models.fullModel)
        let seen = try full.predict(task.features, rows: nil, ExecutionContext())
        #expect(seen.indices.filter { seen[$0] == 1 }.map { Int32($0) } == only)
    }

    @Test("Each prediction table gives a list of its own, in the order of the rows")
    func predictionFeatures() throws {
        let task = try task(rows: 12)
        let shifted = try Table([Column("row", (0..<12).map { Double(($0 + 1) % 12) })])
        let fitter = try CrossFitter(FoldAssignment((0..<12).map { Int32($0 / 6) }, count: 2))
        let job = try CrossFitter.Job(
            name: "job", estimator: MemorisingEstimator(.init()), task: task, refit: false,
            predictionFeatures: [task.features, shifted])
        let fit = try fitter.fit([job], stage: "fits", Scheduler(ExecutionOptions()))[0]
        #expect(fit.outOfFold[0] == [Double](repeating: 0, count: 12))
        // Row 5 is asked about row 6, which its model did see; row 11 about row 0.
        #expect(fit.outOfFold[1].indices.filter { fit.outOfFold[1][$0] == 1 } == [5, 11])
        #expect(fit.models.fullModel == nil)
    }

    @Test("With one fold nothing is held out")
    func oneFold() throws {
        let task = try task(rows: 5)
        let job = try CrossFitter.Job(
            name: "job", estimator: MemorisingEstimator(.init()), task: task, refit: true)
        let fit = try CrossFitter(.none(rowCount: 5)).fit(
            [job], stage: "fits", Scheduler(ExecutionOptions()))[0]
        #expect(fit.outOfFold == [[1, 1, 1, 1, 1]])
        #expect(fit.models.fullModel != nil)
    }

    @Test("Folds draw seeds of their own, which do not depend on the other jobs or on threads")
    func seeds() throws {
        let fitter = try CrossFitter(folds(20, 4))
        let job = try CrossFitter.Job(
            name: "job", estimator: MemorisingEstimator(.init()), task: task(rows: 20), refit: true)
        func seeds(_ jobs: Int, _ threads: Int) throws -> [UInt64] {
            let fits = try fitter.fit(
                [CrossFitter.Job](repeating: job, count: jobs), stage: "fits",
                Scheduler(ExecutionOptions(threads: threads)))
            return try #require(fits.last).models.everyModel.compactMap {
                ($0 as? MemorisingEstimator.Model)?.seed
            }
        }
        let alone = try seeds(1, 1)
        #expect(Set(alone).count == 5)
        #expect(try seeds(3, 2) == alone)
    }

    @Test("Errors carry the job's name; the lowest fit that fails decides")
    func errors() throws {
        let fitter = try CrossFitter(FoldAssignment((0..<12).map { Int32($0 % 3) }, count: 3))
        var spec = MemorisingEstimator.Spec()
        spec.mustHaveSeen = 4  // Row 4 is in fold 1, whose models do not see it.
        let good = try CrossFitter.Job(
            name: "good", estimator: MemorisingEstimator(.init()), task: task(rows: 12), refit: false)
        let bad = try CrossFitter.Job(
            name: "bad", estimator: MemorisingEstimator(spec), task: task(rows: 12), refit: true)
        let error = #expect(throws: MetaLearnersError.self) {
            try fitter.fit([good, bad], stage: "fits", Scheduler(ExecutionOptions(threads: 2)))
        }
        #expect(error?.description == "bad, x1: never saw 4.0")
        #expect(error?.kind == .numericalFailure)
    }

    @Test("A job whose rows are all in one fold is refused, not trapped")
    func emptyTraining() throws {
        let fitter = try CrossFitter(FoldAssignment((0..<12).map { Int32($0 / 6) }, count: 2))
        let job = try CrossFitter.Job(
            name: "job", estimator: MemorisingEstimator(.init()), task: task(rows: 12, only: [0, 1]),
            refit: false)
        let error = #expect(throws: MetaLearnersError.self) {
            try fitter.fit([job], stage: "fits", Scheduler(ExecutionOptions()))
        }
        #expect(error?.description == "job: there are no rows to learn from")
    }
}
