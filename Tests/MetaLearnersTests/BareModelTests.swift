import CausalAnalysis
import MetaLearnersCore
import MetaLearnersKit
import Testing
import _TestSupport

@testable import MetaLearners

@Suite("Models that keep nothing of their training rows")
struct BareModelTests {
    private func spec(_ learner: String, bare: Bool, _ changes: [(String, SpecValue)] = []) throws
        -> MetaLearnerSpec
    {
        var object = try CollectiveFitTests.spec(learner).specValue.objectValue ?? SpecObject()
        object["keep_training"] = .boolean(!bare)
        object["average_effects"] = false
        for (key, value) in changes { object[key] = value }
        return try MetaLearnerSpec(.object(object))
    }

    @Test(
        "Without keep_training and average_effects a model is what it is with them, but for its training rows",
        arguments: ["s", "t", "f", "m", "x", "u", "r", "ra", "dr"])
    func same(learner: String) throws {
        let rows = try PartedRows(rows: 600, arms: 3)
        for changes in [
            [], [("prediction", "mean")], [("cross_fitting", ["folds": 3, "repeats": 2])],
            [("cross_fitting", ["folds": 3, "in_sample": "nested"])],
            [("cross_fitting", ["folds": 3, "in_sample": "full"])], [("cross_fitting", ["folds": 1])],
            [("overlap", ["policy": "trim", "bounds": [0.1, 0.9]])],
            [("overlap", ["policy": "clip", "bounds": [0.3, 0.6], "check": false])],
        ] as [[(String, SpecValue)]] {
            let bare = try rows.fit(spec(learner, bare: true, changes))
            let full = try rows.fit(spec(learner, bare: false, changes))
            #expect(bare.training == nil && bare.nuisances == nil && full.training != nil)
            #expect(bare.overlap == full.overlap && bare.calibration == full.calibration)
            #expect(bare.warnings == full.warnings)
            // All models within, those of folds too, are the same: everything in the file that is no training row and no spec.
            #expect(
                bare.parts.nuisances.map(\.specValue) == full.parts.nuisances.map(\.specValue)
                    && bare.parts.effects.map(\.specValue) == full.parts.effects.map(\.specValue))
            // (With nothing held out, or no models of folds, there is no stability: neither has it.)
            for output in [PredictionRequest.Output.effects, .propensities, .stability] {
                func columns(_ model: CATEModel) -> [[Double]]? {
                    try? model.predict(PredictionRequest(output), for: .new(rows.table)).columns
                }
                #expect(columns(bare) == columns(full), "\(output) \(changes)")
                #expect(columns(bare) != nil || output == .stability)
            }
            #expect(try CATEModel(bytes: bare.encoded(), registry: .default).encoded() == bare.encoded())
        }
    }

    @Test(
        "It says that it has no training rows, and an overlap policy refuses the same rows in the same words")
    func refusals() throws {
        let rows = try PartedRows(rows: 600)
        let bare = try rows.fit(spec("t", bare: true))
        let error = #expect(throws: MetaLearnersError.self) { try bare.predict(.init(), for: .training) }
        #expect(error?.kind == .unsupported && error?.remedy?.contains("keep_training") == true)
        #expect(throws: MetaLearnersError.self) { try bare.averageEffects(.ate) }
        let fails: [(String, SpecValue)] = [
            ("overlap", ["policy": "fail", "bounds": [0.3, 0.5], "check": false])
        ]
        let messages = [true, false].map { bare in
            #expect(throws: MetaLearnersError.self) { try rows.fit(spec("t", bare: bare, fails)) }?
                .description
        }
        #expect(messages[0] == messages[1] && messages[0]?.contains("have a propensity outside") == true)
    }

    @Test("Members of an ensemble have effects of the training rows, which its weights are found by")
    func members() throws {
        let rows = try PartedRows(rows: 600)
        let members: SpecValue = ["members": ["t", "dr"]]
        let bare = try rows.fit(spec("ensemble", bare: true, [("ensemble", members)]))
        let full = try rows.fit(spec("ensemble", bare: false, [("ensemble", members)]))
        let effects = try full.predict(rows.table).effects
        #expect(try bare.predict(rows.table).effects == effects && Set(effects[0]).count > 1)
        let strategy = try MetaLearnerFitter(spec("t", bare: true)).strategy
        let dataset = try CausalDataset(rows.table, rows.data)
        #expect(try strategy.footprint(dataset) < strategy.footprintKeepingTraining(dataset))
    }

    @Test("Rows read batch by batch give the model of a table, and keep each propensity nowhere")
    func streamed() throws {
        let rows = try PartedRows(rows: 600, weighted: true)
        for learner in ["t", "dr"] {
            let spec = try spec(learner, bare: true)
            let model = try rows.streamedFit(spec, [100, 0, 3])
            #expect(try model.encoded() == rows.fit(spec).encoded())
            #expect(model.training == nil)
        }
    }

    @Test("Models of folds that nobody wants predictions of give none, and tell who watches")
    func watch() throws {
        let rows = 23
        let task = try TrainingTask(
            features: Table([Column("row", (0..<rows).map { Double($0) })]), rows: Array(0..<Int32(rows)),
            target: [Double](repeating: 0, count: rows), seed: 5)
        let fitter = CrossFitter(try FoldAssignment((0..<rows).map { Int32($0 % 3) }, count: 3))
        let estimator = try MemorisingEstimator(.init())
        let all = try fitter.fit(
            [CrossFitter.Job(name: "job", estimator: estimator, task: task, parts: [.folds, .full])],
            stage: "fits", Scheduler(ExecutionOptions()))[0]
        var job = CrossFitter.Job(
            name: "job", estimator: estimator, task: task, parts: [.foldModels, .full])
        let seen = Lock<[(row: Int32, prediction: Double)]>([])
        job.watch = { rows, predictions in
            seen.withLock { $0 += zip(rows, predictions).map { ($0, $1) } }
        }
        let fit = try fitter.fit([job], stage: "fits", Scheduler(ExecutionOptions()))[0]
        #expect(fit.outOfFold.isEmpty && all.outOfFold.count == 1)
        #expect(fit.models.foldModels.count == 3 && fit.models.fullModel != nil)
        let told = seen.withLock { $0 }.sorted { $0.row < $1.row }
        #expect(told.map(\.row) == task.rows && told.map(\.prediction) == all.outOfFold[0])
    }
}
