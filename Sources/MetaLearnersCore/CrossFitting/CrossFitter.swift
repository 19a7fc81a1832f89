/// Fits models fold by fold, so that every row is predicted by models that never saw it.
///
/// With several repeats, each a fold assignment of its own, every row has one such prediction a repeat.
public struct CrossFitter: Sendable {
    /// The folds, one assignment a repeat.
    public let repeats: [FoldAssignment]
    /// How predictions of the repeats become one.
    public let aggregation: RepeatAggregation

    /// Which fits a job asks for.
    public struct Parts: OptionSet, Sendable {
        public let rawValue: UInt8

        public init(rawValue: UInt8) { self.rawValue = rawValue }

        /// One a fold and repeat, without that fold, and what it predicts for the fold.
        public static let folds = Parts(rawValue: 1 | 8)
        /// One a fold and repeat, without that fold; nobody wants to know what it predicts for the fold, or nobody keeps it
        /// (`Job.watch`).
        public static let foldModels = Parts(rawValue: 1)
        /// One a pair of folds and repeat, without either: K(K−1)/2 of them, each serving both orders.
        public static let pairs = Parts(rawValue: 2)
        /// One on all rows of the task, for new data.
        public static let full = Parts(rawValue: 4)
    }

    /// One model to fit out of fold, and on all rows where that is wanted.
    public struct Job: Sendable {
        /// What it is, for progress and errors.
        public let name: String
        /// The estimator.
        public let estimator: any BaseEstimator
        /// The whole task, before folds are left out; folds draw their own seeds from its seed.
        public let task: TrainingTask
        /// For each repeat, for each fold, the task that the model without that fold is fitted to, where each has one
        /// of its own; empty where all are fitted to `task`.
        public let foldTasks: [[TrainingTask]]
        /// Which fits are wanted.
        public let parts: Parts
        /// Features to predict each held-out row with, each a list of predictions of its own; those of the task
        /// where empty. (A model of treatment and covariates is asked what each arm would have led to.)
        public let predictionFeatures: [Table]
        /// Whether held-out rows are predicted with other features than those of the task.
        let asksOtherFeatures: Bool
        /// Told what the models of folds predict for the rows that they left out, some rows at a time, where nobody keeps it
        /// (`Parts.foldModels`): the rows, and `outputCount` numbers for each, from the first of the prediction features. Several
        /// threads may call it at once. Nil where nobody wants to know.
        package var watch: (@Sendable (_ rows: ArraySlice<Int32>, _ predictions: [Double]) -> Void)?

        /// Creates a job.
        public init(
            name: String, estimator: any BaseEstimator, task: TrainingTask, parts: Parts,
            foldTasks: [[TrainingTask]] = [], predictionFeatures: [Table] = []
        ) {
            self.name = name
            self.estimator = estimator
            self.task = task
            self.parts = parts
            self.foldTasks = foldTasks
            self.predictionFeatures = predictionFeatures.isEmpty ? [task.features] : predictionFeatures
            asksOtherFeatures = !predictionFeatures.isEmpty
        }

        /// The task of a unit, before folds are left out.
        func task(of unit: CrossFittingUnit) -> TrainingTask {
            guard case .fold(let fold, let number) = unit, foldTasks.indices.contains(number) else {
                return task
            }
            return foldTasks[number][fold]
        }

        /// Creates a job of the models of all folds and, where `refit` says so, of one of all rows.
        public init(
            name: String, estimator: any BaseEstimator, task: TrainingTask, refit: Bool,
            predictionFeatures: [Table] = []
        ) {
            self.init(
                name: name, estimator: estimator, task: task, parts: refit ? [.folds, .full] : .folds,
                predictionFeatures: predictionFeatures)
        }
    }

    /// What a job gave.
    public struct Fit: Sendable {
        /// The models; those of pairs of folds are not kept.
        public let models: CrossFittedModels
        /// For each of the prediction features: every row's prediction by the model of its fold, `outputCount`
        /// numbers per row, over the repeats. Empty where no folds were asked for.
        public let outOfFold: [[Double]]
        /// For each repeat, each fold a, each of the prediction features: every row's prediction by the model that
        /// saw neither the row's fold nor a (for rows of a, by that of a). Empty where no pairs were asked for.
        public let outOfPairs: [[[[Double]]]]
    }

    /// Creates a cross-fitter of one fold assignment.
    public init(_ folds: FoldAssignment) { self.init([folds]) }

    /// Creates a cross-fitter of one fold assignment a repeat, all of the same rows and number of folds.
    public init(_ repeats: [FoldAssignment], aggregation: RepeatAggregation = .median) {
        self.repeats = repeats
        self.aggregation = aggregation
    }

    /// The rows of a fold: found anew each time, which costs less than the memory of all of them.
    private func rowsInFold(_ number: Int, _ fold: Int) -> [Int32] { repeats[number].rows(in: fold) }

    /// The folds of the first repeat.
    public var folds: FoldAssignment { repeats.first ?? .none(rowCount: 0) }

    /// Fits `jobs`, each for every fold; all fits are independent and run side by side.
    ///
    /// - Throws: what the estimators throw, with the job's name.
    public func fit(_ jobs: [Job], stage: String, _ scheduler: Scheduler) throws(MetaLearnersError) -> [Fit] {
        var graph = TaskGraph()
        let runs = jobs.map { CrossFittingRun(self, $0) }
        for run in runs { run.schedule(stage, in: &graph) }
        try scheduler.run(graph)
        return runs.map { $0.fit() }
    }

    /// The fits that a job of these parts asks for, that on all rows first: it takes longest.
    package func units(of parts: Parts) -> [CrossFittingUnit] {
        var units: [CrossFittingUnit] = []
        // (With one fold, the fold's model is that of all rows already.)
        if parts.contains(.full), folds.isCrossFitted || !parts.contains(.foldModels) {
            units.append(.full)
        }
        for (number, folds) in repeats.enumerated() {
            if parts.contains(.foldModels) {
                units += (0..<folds.count).map { .fold($0, repeat: number) }
            }
            if parts.contains(.pairs) {
                for first in 0..<folds.count {
                    for second in (first + 1)..<max(folds.count, first + 1) {
                        units.append(.pair(first, second, repeat: number))
                    }
                }
            }
        }
        return units
    }

    /// Fits one unit of a job and predicts what it holds out.
    ///
    /// - Parameter stages: how many stages the estimator's models have, where its spec leaves that open; nil where it does not.
    package func run(
        _ unit: CrossFittingUnit, of job: Job, stages: Int? = nil, _ context: ExecutionContext
    ) throws(MetaLearnersError) -> CrossFittingUnit.Result {
        try named(job) { () throws(MetaLearnersError) in
            let task = try task(of: unit, job)
            let model: any FittedEstimator
            if let stages, let estimator = job.estimator as? any StageChoosingEstimator {
                model = try estimator.fit(task, stages: stages, context)
            } else {
                model = try job.estimator.fit(task, context)
            }
            return try predict(unit, of: job, model, context)
        }
    }

    /// Fits one unit of a job whose estimator's spec leaves the number of stages open, and says how well each stage predicts
    /// those of the job's rows that the unit holds out.
    func judge(_ unit: CrossFittingUnit, of job: Job, _ context: ExecutionContext) throws(MetaLearnersError)
        -> JudgedPath
    {
        guard let estimator = job.estimator as? any StageChoosingEstimator,
            case .fold(let fold, let number) = unit
        else {
            throw MetaLearnersError(.internalFault, at: job.name, "has no stages to choose from")
        }
        return try named(job) { () throws(MetaLearnersError) in
            // (A fold's own task has targets for the rows of the fold, and leaves them out.)
            let judges = job.task.rows.filter { repeats[number].folds[Int($0)] == fold }
            return try estimator.fitPath(task(of: unit, job), judgedBy: judges, context)
        }
    }

    private func task(of unit: CrossFittingUnit, _ job: Job) throws(MetaLearnersError) -> TrainingTask {
        let whole = job.task(of: unit)
        return try whole.restricted(
            to: unit.trainingRows(whole.rows, repeats), seed: unit.seed(whole.seed, repeats))
    }

    /// What `body` gives; its errors name the job.
    private func named<Value>(_ job: Job, _ body: () throws(MetaLearnersError) -> Value)
        throws(MetaLearnersError) -> Value
    {
        do throws(MetaLearnersError) {
            return try body()
        } catch {
            guard error.kind != .cancelled else { throw error }
            let place = error.location.map { job.name + ", " + $0 } ?? job.name
            throw MetaLearnersError(error.kind, at: place, error.problem, remedy: error.remedy)
        }
    }

    /// The result of a unit whose model is there already.
    func predict(
        _ unit: CrossFittingUnit, of job: Job, _ model: any FittedEstimator, _ context: ExecutionContext
    ) throws(MetaLearnersError) -> CrossFittingUnit.Result {
        if case .fold(let fold, let number) = unit, !job.parts.contains(.folds) {
            try watch(job, model, rowsInFold(number, fold), context)
            return CrossFittingUnit.Result(model: model, predictions: [])
        }
        var heldOut: [[[Double]]] = []
        for rows in unit.heldOutFolds.map({ rowsInFold($0.repeat, $0.fold) }) {
            var lists: [[Double]] = []
            for features in job.predictionFeatures {
                lists.append(try model.predict(features, rows: rows, context))
            }
            heldOut.append(lists)
        }
        return CrossFittingUnit.Result(model: unit.keepsModel ? model : nil, predictions: heldOut)
    }

    /// Tells who watches a job what a model predicts for the rows that it left out.
    private func watch(
        _ job: Job, _ model: any FittedEstimator, _ rows: [Int32], _ context: ExecutionContext
    ) throws(MetaLearnersError) {
        guard let watch = job.watch, let features = job.predictionFeatures.first else { return }
        let block = 1 << 18
        for first in stride(from: 0, to: rows.count, by: block) {
            try context.checkCancellation()
            let part = rows[first..<min(rows.count, first + block)]
            watch(part, try model.predict(features, rows: Array(part), context))
        }
    }

    /// Puts the results of a job's units together.
    package func assemble(_ job: Job, _ results: [CrossFittingUnit: CrossFittingUnit.Result]) -> Fit {
        var foldModels: [any FittedEstimator] = []
        var perRepeat: [[[Double]]] = []
        var outOfPairs: [[[[Double]]]] = []
        for (number, folds) in repeats.enumerated() {
            if job.parts.contains(.foldModels) {
                foldModels += (0..<folds.count).compactMap { results[.fold($0, repeat: number)]?.model }
            }
            if job.parts.contains(.folds) {
                let ofFolds = (0..<folds.count).map { results[.fold($0, repeat: number)] }
                perRepeat.append(
                    assemble(
                        ofFolds.enumerated().map { (rowsInFold(number, $0), $1?.predictions.first ?? []) }))
            }
            if job.parts.contains(.pairs) {
                outOfPairs.append(
                    (0..<folds.count).map { left in
                        assemble(
                            (0..<folds.count).map { fold in
                                let result =
                                    fold == left
                                    ? results[.fold(fold, repeat: number)]
                                    : results[
                                        .pair(min(left, fold), max(left, fold), repeat: number)]
                                let position = fold == left || fold < left ? 0 : 1
                                let lists = result.map { $0.predictions[position] } ?? []
                                return (rowsInFold(number, fold), lists)
                            })
                    })
            }
        }
        let classes = job.task.outputCount
        let outOfFold = (perRepeat.first ?? []).indices.map { list in
            aggregation.combinedProbabilities(perRepeat.map { $0[list] }, classes: classes)
        }
        let last = foldModels.last
        return Fit(
            models: CrossFittedModels(
                foldModels: foldModels,
                fullModel: job.parts.contains(.full)
                    ? results[.full]?.model ?? (folds.isCrossFitted ? nil : last) : nil),
            outOfFold: outOfFold, outOfPairs: outOfPairs)
    }

    /// What the models of folds say of the rows that they left out, as `Fit.outOfFold` has it: of models that were fitted
    /// before, such as those of a file.
    ///
    /// - Parameters:
    ///   - foldModels: those of the first repeat in the order of its folds, then those of the next.
    ///   - features: what each row is predicted from, each a list of predictions of its own.
    ///   - classes: how many probabilities a prediction has; 1 for numbers.
    /// - Returns: nothing where there is not one model a fold and repeat.
    package func outOfFold(
        _ foldModels: [any FittedEstimator], _ features: [Table], classes: Int, _ context: ExecutionContext
    ) throws(MetaLearnersError) -> [[Double]] {
        guard foldModels.count == repeats.reduce(0, { $0 + $1.count }) else { return [] }
        var perRepeat: [[[Double]]] = []
        var models = foldModels[...]
        for (number, folds) in repeats.enumerated() {
            var parts: [(rows: [Int32], lists: [[Double]])] = []
            for (fold, model) in zip(0..<folds.count, models) {
                let rows = rowsInFold(number, fold)
                try context.checkCancellation()
                var lists: [[Double]] = []
                for table in features { lists.append(try model.predict(table, rows: rows, context)) }
                parts.append((rows, lists))
            }
            perRepeat.append(assemble(parts))
            models = models.dropFirst(folds.count)
        }
        return (perRepeat.first ?? []).indices.map { list in
            aggregation.combinedProbabilities(perRepeat.map { $0[list] }, classes: classes)
        }
    }

    /// Puts the predictions of the folds into the order of the rows.
    private func assemble(_ parts: [(rows: [Int32], lists: [[Double]])]) -> [[Double]] {
        let listCount = parts.map(\.lists.count).max() ?? 0
        return (0..<listCount).map { list in
            let known = parts.first { !$0.lists.isEmpty && !$0.rows.isEmpty }
            let width = known.map { $0.lists[list].count / max($0.rows.count, 1) } ?? 0
            var all = [Double](repeating: 0, count: folds.folds.count * width)
            for (rows, lists) in parts where !lists.isEmpty {
                let values = lists[list]
                for (position, row) in rows.enumerated() {
                    for output in 0..<width {
                        all[Int(row) * width + output] = values[position * width + output]
                    }
                }
            }
            return all
        }
    }
}
