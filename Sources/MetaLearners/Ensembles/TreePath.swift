import MetaLearnersCore
import TreeEstimators

/// Boosted trees of each fold, with their predictions of the rows held out after every so many rounds.
///
/// The number of rounds is chosen once for all folds, by the pooled loss of the held-out rows: no fold holds anything out
/// within itself.
struct TreePath: Sendable {
    /// One fold's share of the work.
    struct Fold: Sendable {
        let model: any StagedModel
        /// For each of the inputs, for each stage, the predictions of the rows held out.
        let predictions: [[[Double]]]
    }

    /// What is fitted.
    struct Problem: Sendable {
        let estimator: TreesEstimator
        /// The task on all of its rows.
        let task: TrainingTask
        /// What the held-out rows are predicted with, several where one model is asked several things.
        let inputs: [Table]
        /// Which of the numbers of a prediction counts.
        let output: Int
        /// The rounds that are looked at.
        let stages: [Int]

        /// - Parameter output: for a classification the class whose probability is wanted.
        init(
            _ spec: TreesSpec, _ task: TrainingTask, inputs: [Table]? = nil, output: Int = 0, every step: Int
        ) throws(MetaLearnersError) {
            estimator = try TreesEstimator(spec)
            self.task = task
            self.inputs = inputs ?? [task.features]
            self.output = output
            stages = Array(stride(from: 0, through: spec.trees, by: max(step, 1)))
        }

        /// Fits a fold.
        func fit(_ fold: Int, _ folds: FoldAssignment, heldOut: [Int32], _ context: ExecutionContext)
            throws(MetaLearnersError) -> Fold
        {
            let rows = folds.trainingRows(task.rows, for: fold)
            let seed = RandomStream.derivedSeed(task.seed, UInt64(fold))
            let model = try estimator.fitPath(task.restricted(to: rows, seed: seed), context)
            let width = task.outputCount
            var predictions: [[[Double]]] = []
            for input in inputs {
                let stages = try model.predictStages(input, rows: heldOut, stages: stages, context)
                predictions.append(
                    width == 1
                        ? stages
                        : stages.map { values in
                            stride(from: output, to: values.count, by: width).map { values[$0] }
                        })
            }
            return Fold(model: model, predictions: predictions)
        }
    }

    /// The models of the folds, cut to the chosen number of rounds.
    let models: [any FittedEstimator]
    /// For each input, the prediction of every row by the model of its fold.
    let outOfFold: [[Double]]

    /// Chooses the number of rounds.
    ///
    /// - Parameter loss: the loss of a row at its predictions, one an input; 0 for rows that do not count.
    init(
        _ problem: Problem, _ fits: [Fold], rowsInFold: [[Int32]], rowCount: Int,
        loss: (_ row: Int, _ predictions: (Int) -> Double) -> Double
    ) throws(MetaLearnersError) {
        var best = 0
        var least = Double.infinity
        for stage in problem.stages.indices {
            var sum = 0.0
            for (fit, rows) in zip(fits, rowsInFold) {
                for (position, row) in rows.enumerated() {
                    sum += loss(Int(row)) { fit.predictions[$0][stage][position] }
                }
            }
            if sum < least {
                least = sum
                best = stage
            }
        }
        var models: [any FittedEstimator] = []
        for fit in fits { models.append(try fit.model.truncated(to: problem.stages[best])) }
        self.models = models
        outOfFold = problem.inputs.indices.map { input in
            var all = [Double](repeating: 0, count: rowCount)
            for (fit, rows) in zip(fits, rowsInFold) {
                for (position, row) in rows.enumerated() {
                    all[Int(row)] = fit.predictions[input][best][position]
                }
            }
            return all
        }
    }
}
