/// Fits models fold by fold, so that every row is predicted by models that never saw it.
public struct CrossFitter: Sendable {
    /// The folds.
    public let folds: FoldAssignment
    private let rowsInFold: [[Int32]]

    /// One model to fit out of fold, and on all rows where that is wanted.
    public struct Job: Sendable {
        /// What it is, for progress and errors.
        public let name: String
        /// The estimator.
        public let estimator: any BaseEstimator
        /// The whole task, before folds are left out; folds draw their own seeds from its seed.
        public let task: TrainingTask
        /// Whether to fit once more on all rows of the task, for new data.
        public let refit: Bool
        /// Features to predict each held-out row with, each a list of predictions of its own; those of the task
        /// where empty. (A model of treatment and covariates is asked what each arm would have led to.)
        public let predictionFeatures: [Table]

        /// Creates a job.
        public init(
            name: String, estimator: any BaseEstimator, task: TrainingTask, refit: Bool,
            predictionFeatures: [Table] = []
        ) {
            self.name = name
            self.estimator = estimator
            self.task = task
            self.refit = refit
            self.predictionFeatures = predictionFeatures.isEmpty ? [task.features] : predictionFeatures
        }
    }

    /// What a job gave.
    public struct Fit: Sendable {
        /// The models.
        public let models: CrossFittedModels
        /// For each of the prediction features: every row's prediction by the model of its fold, `outputCount`
        /// numbers a row.
        public let outOfFold: [[Double]]
    }

    /// Creates a cross-fitter.
    public init(_ folds: FoldAssignment) {
        self.folds = folds
        rowsInFold = (0..<folds.count).map(folds.rows(in:))
    }

    /// Fits `jobs`, each for every fold; all fits are independent and run side by side.
    ///
    /// - Throws: what the estimators throw, with the job's name.
    public func fit(_ jobs: [Job], stage: String, _ scheduler: Scheduler) throws(MetaLearnersError) -> [Fit] {
        // The fits on all rows (numbered as one fold more) take longest: they go first.
        let full = folds.count
        var units: [(job: Int, fold: Int)] = []
        // (With one fold, the fold's model is that of all rows already.)
        for job in jobs.indices where jobs[job].refit && folds.isCrossFitted { units.append((job, full)) }
        for job in jobs.indices {
            for fold in 0..<full { units.append((job, fold)) }
        }
        let order = units
        let models = ResultSlots<any FittedEstimator>(count: jobs.count * (full + 1))
        let predictions = ResultSlots<[[Double]]>(count: jobs.count * folds.count)
        try scheduler.run(stage, count: order.count) { unit, context throws(MetaLearnersError) in
            let (index, fold) = order[unit]
            let job = jobs[index]
            do throws(MetaLearnersError) {
                let model = try fit(job, without: fold < folds.count ? fold : nil, context)
                models[index * (full + 1) + fold] = model
                guard fold < full else { return }
                var lists: [[Double]] = []
                for features in job.predictionFeatures {
                    lists.append(try model.predict(features, rows: rowsInFold[fold], context))
                }
                predictions[index * folds.count + fold] = lists
            } catch {
                guard error.kind != .cancelled else { throw error }
                let place = error.location.map { job.name + ", " + $0 } ?? job.name
                throw MetaLearnersError(error.kind, at: place, error.problem, remedy: error.remedy)
            }
        }
        return jobs.indices.map { index in
            let first = index * (folds.count + 1)
            return Fit(
                models: CrossFittedModels(
                    foldModels: (0..<full).compactMap { models[first + $0] },
                    fullModel: jobs[index].refit ? models[first + (folds.isCrossFitted ? full : 0)] : nil),
                outOfFold: assemble((0..<full).map { predictions[index * full + $0] ?? [] }))
        }
    }

    private func fit(_ job: Job, without fold: Int?, _ context: ExecutionContext) throws(MetaLearnersError)
        -> any FittedEstimator
    {
        let rows = fold.map { folds.trainingRows(job.task.rows, for: $0) }
        let seed = RandomStream.derivedSeed(
            job.task.seed, UInt64(folds.isCrossFitted ? fold ?? folds.count : 1))
        return try job.estimator.fit(job.task.restricted(to: rows ?? job.task.rows, seed: seed), context)
    }

    /// Puts the predictions of the folds into the order of the rows.
    private func assemble(_ folds: [[[Double]]]) -> [[Double]] {
        let listCount = folds.first?.count ?? 0
        return (0..<listCount).map { list in
            let width = (folds[0][list].count) / max(rowsInFold[0].count, 1)
            var all = [Double](repeating: 0, count: self.folds.folds.count * width)
            for (fold, rows) in rowsInFold.enumerated() {
                let values = folds[fold][list]
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
