import MetaLearnersCore

/// Gradient-boosted trees on histograms of binned columns: the backend `trees`.
///
/// Columns are put into bins once for each dataset (at most 255 bins unless `max_bins` asks for more; one bin per level of a
/// category), and every fit works on lists of rows over these bins.
/// Gradients are summed as integers, so that a fit gives the same bytes whatever the number of threads. Regression
/// and the residual loss minimise squared error; classification and counts minimise
/// the deviance, quantiles the pinball loss.
///
/// A weight acts as so many copies of a row would, but that `min_leaf_size` counts rows, and within the grid of the
/// sums (about 10⁻⁶ of the target's spread at a million rows, finer for fewer; for classes 3·10⁻⁵ from 32,768 rows on,
/// rounded without bias). Rows of weight 0 do not count.
public struct TreesEstimator: StageChoosingEstimator {
    /// The backend's name, version and capabilities.
    public static let backend = BackendDescription(
        name: "trees", summary: "gradient-boosted trees on histograms", version: "1",
        capabilities: [
            .regression, .binary, .multiclass, .weights, .missingValues, .categoricals, .residualLoss,
            .multiOutput, .counts, .quantiles, .staged, .contributions, .collective,
            .streamed,
        ])

    /// Stages are rounds of boosting.
    public static let stageParameter: String? = "trees"

    /// The checked configuration.
    public let spec: TreesSpec

    /// Whether every round is fitted: early stopping holds rows out and may end before.
    public var fitsWholePath: Bool { spec.earlyStopping == 0 && spec.trees.number != nil }

    /// Whether the number of rounds is for rows that others hold out to say: `trees: auto`.
    public var choosesStages: Bool { spec.choosesRounds }

    /// Creates the estimator.
    ///
    /// - Throws: `invalidSpec` for a value out of range.
    public init(_ spec: TreesSpec) throws(MetaLearnersError) { self.spec = try spec.validated() }

    /// Learns from the rows of `task`: O(rows · columns · depth) per tree, and 2 bytes per cell of the features, once.
    ///
    /// - Throws: `cancelled`, `outOfMemory`, `unsupported`.
    public func fit(_ task: TrainingTask, _ context: ExecutionContext) throws(MetaLearnersError)
        -> any FittedEstimator
    {
        try Self.fit(task, try spec.settled(for: task, rounds: spec.plainRounds), context).model
    }

    /// Learns all rounds; stage r is the model after r of them. What `fit` costs.
    ///
    /// - Throws: `cancelled`, `outOfMemory`, `unsupported`.
    public func fitPath(_ task: TrainingTask, _ context: ExecutionContext) throws(MetaLearnersError)
        -> any StagedModel
    {
        try fit(task, stages: spec.plainRounds, context)
    }

    /// Rows that several processes hold serve regression, the residual loss and classes, one tree for each output.
    ///
    /// - Throws: `unsupported` for early stopping, counts, quantiles and trees of several outputs.
    public func requireCollective(_ objective: TrainingTask.Objective) throws(MetaLearnersError) {
        try Self.requireCollective(objective, spec)
    }

    /// Bins must be as many as the columns were read into.
    ///
    /// - Throws: `unsupported` for another `max_bins`.
    public func requireStreamed(_ features: Table) throws(MetaLearnersError) {
        try BinLimits.any(spec.maxBins).requireBins(of: features)
    }

    private static func requireCollective(_ objective: TrainingTask.Objective, _ spec: TreesSpec)
        throws(MetaLearnersError)
    {
        var refused: (place: String, problem: String, remedy: String)?
        switch objective {
        case .regression, .residual: break
        // (Refused by the fit itself.)
        case .coefficient: break
        case .classification:
            if sharesTrees(objective, spec) {
                refused = (
                    "multi_output", "trees of several outputs take no part in a collective fit yet",
                    "leave it out"
                )
            }
        case .count:
            refused = (
                "trees", "trees of counts take no part in a collective fit yet",
                "take counts as numbers: data.outcome_type: continuous"
            )
        case .quantile: refused = ("trees", "quantiles take no part in a collective fit yet", "fit the mean")
        case .multiRegression, .multiResidual:
            refused = (
                "trees", "trees of several outputs take no part in a collective fit yet",
                "fit one effect per arm: multi_arm: pairwise"
            )
        }
        if spec.earlyStopping > 0 {
            refused = (
                "early_stopping", "takes no part in a collective fit yet", "leave it out, and set trees"
            )
        }
        guard let refused else { return }
        throw MetaLearnersError(.unsupported, at: refused.place, refused.problem, remedy: refused.remedy)
    }

    /// Learns so many rounds, whatever the spec says of their number.
    ///
    /// - Throws: `cancelled`, `outOfMemory`, `unsupported`.
    public func fit(_ task: TrainingTask, stages: Int, _ context: ExecutionContext)
        throws(MetaLearnersError) -> any StagedModel
    {
        var settled = try spec.settled(for: task, rounds: stages)
        settled.earlyStopping = 0
        return try Self.fit(task, settled, context).model
    }

    /// Learns rounds until all are done that the spec allows, or the loss of `judges` has not fallen for
    /// `TreesSpec.patience` of them.
    ///
    /// - Throws: `cancelled`, `outOfMemory`, `unsupported`.
    public func fitPath(_ task: TrainingTask, judgedBy judges: [Int32], _ context: ExecutionContext)
        throws(MetaLearnersError) -> JudgedPath
    {
        var settled = try spec.settled(for: task, rounds: spec.mostRounds)
        settled.earlyStopping = 0
        let (model, losses) = try Self.fit(task, settled, judgedBy: judges, context)
        return JudgedPath(model: model, losses: losses)
    }

    /// Fits a spec that names every number.
    private static func fit(
        _ task: TrainingTask, _ spec: TreesSpec, judgedBy judges: [Int32]? = nil, _ context: ExecutionContext
    ) throws(MetaLearnersError) -> (model: BoostedTreesModel, losses: [Double]) {
        if task.features.distribution != nil { try requireCollective(task.objective, spec) }
        let store = try task.cache.value(of: BinStore.self, named: "trees") { () throws(MetaLearnersError) in
            BinStore(rowWeights: task.cache.rowWeights)
        }
        let matrix = try store.matrix(task.features, limits: .any(spec.maxBins), context)
        return try WorkTeam.with(threads: context.threads) { team throws(MetaLearnersError) in
            let rows = try TrainingRows(task, spec, judgedBy: judges, parts: team.threads)
            let problem = BoostingProblem(
                task: task, spec: spec, matrix: matrix, rows: rows, team: team, context: context,
                isJudged: judges != nil)
            var builder = EnsembleBuilder(rounds: spec.plainRounds)
            let model = try fit(problem, &builder)
            return (model, builder.heldOutLosses)
        }
    }

    /// The bins, by columns and by rows, are shared. A fit has gradients, scores, the lists of its rows and their leaves,
    /// a histogram for each leaf that may still be split, and the trees.
    public func footprint(rows: Int, of features: Table, for objective: TrainingTask.Objective) -> Footprint {
        let bins = BinFootprint(features, .any(spec.maxBins))
        let all = features.rowCount
        // Leaves follow the rows of all processes.
        let leaves = spec.mostLeaves(of: features.distribution?.rowCount ?? rows)
        let values: Int
        let holdsOut = spec.earlyStopping > 0 || spec.choosesRounds
        // (Cells count apart where all processes together have so many rows.)
        let isVast = (features.distribution?.rowCount ?? rows) >= 1 << 27
        var cellSize = isVast ? MemoryLayout<SIMD4<Int64>>.stride : MemoryLayout<SIMD2<Int64>>.stride
        var cells = bins.cells
        var treesPerRound = 1
        func vector(_ layout: VectorLayout, lossBytes: Int) -> Int {
            cellSize = 8 * layout.lanes
            cells = bins.bins
            return all * (8 * layout.outputs + 4 * layout.lanes + lossBytes)
        }
        switch objective {
        case .regression: values = 8 * all
        case .residual, .coefficient: values = 16 * all
        case .count: values = 16 * all
        case .quantile: values = 16 * all + 16 * rows
        case .classification(let classes) where !Self.sharesTrees(objective, spec):
            // Gradients; of two classes the scores of the rows that are learned from, or of all where others are predicted as well.
            let gradients =
                NarrowCell.serves(rows: rows, total: Double(rows), largest: 1, countShift: 40) ? 4 : 8
            let scores = holdsOut || spec.rowSample < 1 || !LeafBytes.isFast ? all : rows
            values = classes == 2 ? 8 * scores + gradients * all : (12 * classes + 8) * all
            treesPerRound = classes == 2 ? 1 : classes
        case .classification(let classes):
            values = vector(VectorLayout(outputs: classes, hessian: .diagonal), lossBytes: 0)
        case .multiRegression(let others):
            values = vector(VectorLayout(outputs: others.count + 1, hessian: .common), lossBytes: 0)
        case .multiResidual(let regressors):
            let outputs = regressors.count
            values = vector(VectorLayout(outputs: outputs, hessian: .full), lossBytes: 8 * (outputs + 2))
        }
        // Rows, in order and by leaf, with room to part them; those that a tree does not see; a byte each for leaves.
        let lists = rows * (12 + (spec.rowSample < 1 ? 8 : 0) + (holdsOut ? 8 : 0)) + all
        let trees = spec.mostRounds * treesPerRound * leaves * EnsembleBuilder.bytesPerLeaf
        return Footprint(
            shared: bins.bytes, working: values + lists + trees + (leaves + 1) * cells * cellSize)
    }

    /// Whether a tree serves all outputs at once.
    private static func sharesTrees(_ objective: TrainingTask.Objective, _ spec: TreesSpec) -> Bool {
        switch objective {
        case .multiRegression, .multiResidual: true
        case .classification(let classes): spec.multiOutput && classes > 2
        case .regression, .residual, .coefficient, .count, .quantile: false
        }
    }

    private static func fit(_ problem: BoostingProblem, _ builder: inout EnsembleBuilder)
        throws(MetaLearnersError) -> BoostedTreesModel
    {
        let warnings = problem.rows.warnings
        switch problem.task.objective {
        case .regression, .residual:
            let loss = try QuadraticLoss(
                problem.task, training: problem.rows.training, heldOut: problem.rows.heldOut)
            if !loss.isHopeless {
                try QuadraticBoosting(problem: problem, loss: loss).fit(&builder)
            }
            return BoostedTreesModel(
                ensemble: builder.ensemble(problem.matrix, baseScores: [loss.base]), link: .identity,
                warnings: warnings)
        case .coefficient: throw problem.task.unsupportedObjective(by: backend, remedy: "use bart")
        case .classification(let classes):
            return try classification(classes, problem, &builder, warnings)
        case .multiRegression(let others):
            let loss = VectorRegressionLoss(
                [problem.task.target] + others, weights: problem.task.weights,
                training: problem.rows.training)
            return try multiOutput(loss, .identity, problem, &builder, warnings)
        case .multiResidual(let regressors):
            let loss = try VectorResidualLoss(
                problem.task.target, regressors: regressors, weights: problem.task.weights,
                training: problem.rows.training, rows: problem.rows.training + problem.rows.heldOut)
            return try multiOutput(loss, .identity, problem, &builder, warnings)
        case .count:
            let loss = try PoissonLoss(problem)
            try RefreshedBoosting(problem: problem, loss: loss).fit(&builder)
            return BoostedTreesModel(
                ensemble: builder.ensemble(problem.matrix, baseScores: [loss.baseScore]), link: .exponential,
                warnings: warnings)
        case .quantile(let level):
            guard problem.spec.monotone.isEmpty else {
                throw MetaLearnersError(
                    .unsupported, at: "monotone",
                    "quantiles take the values of leaves from their rows, whatever the bounds are",
                    remedy: "leave it out")
            }
            let loss = try QuantileLoss(problem, level: level)
            try RefreshedBoosting(problem: problem, loss: loss).fit(&builder)
            return BoostedTreesModel(
                ensemble: builder.ensemble(problem.matrix, baseScores: [loss.baseScore]), link: .identity,
                warnings: warnings)
        }
    }

    private static func classification(
        _ classes: Int, _ problem: BoostingProblem, _ builder: inout EnsembleBuilder, _ warnings: [String]
    ) throws(MetaLearnersError) -> BoostedTreesModel {
        let boosting = try ClassificationBoosting(problem, classes: classes)
        var warnings = warnings
        for (label, weight) in boosting.classWeights.enumerated() where weight == 0 {
            warnings.append("class \(label) does not occur in the rows to learn from")
        }
        if sharesTrees(problem.task.objective, problem.spec) {
            let loss = VectorClassificationLoss(
                problem.task.numbers, weights: problem.task.weights, training: problem.rows.training,
                baseScores: boosting.baseScores,
                isHopeless: boosting.classWeights.count { $0 > 0 } < 2)
            return try multiOutput(loss, .softmax, problem, &builder, warnings)
        }
        try boosting.fit(&builder)
        return BoostedTreesModel(
            ensemble: builder.ensemble(problem.matrix, baseScores: boosting.baseScores),
            link: classes == 2 ? .logistic : .softmax, warnings: warnings)
    }

    private static func multiOutput(
        _ loss: some VectorLoss, _ link: BoostedTreesModel.Link, _ problem: BoostingProblem,
        _ builder: inout EnsembleBuilder, _ warnings: [String]
    ) throws(MetaLearnersError) -> BoostedTreesModel {
        try MultiOutputBoosting(problem: problem, loss: loss).fit(&builder)
        return BoostedTreesModel(
            ensemble: builder.ensemble(problem.matrix, baseScores: loss.baseScores, isMultiOutput: true),
            link: link, warnings: warnings)
    }

    /// Reads fitted trees.
    ///
    /// - Throws: `corruptModel`; `incompatibleModel` for bytes of a newer version.
    public static func decode(from reader: inout BinaryReader) throws(MetaLearnersError)
        -> any FittedEstimator
    {
        try BoostedTreesModel(from: &reader)
    }
}
