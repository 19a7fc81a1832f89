import MetaLearnersCore

extension DesignMatrix: SharedDesign {
    package func columnCount(_ map: FeatureExpansion) -> Int { columns(map).count }

    package func model(of functions: [LinearFunction]) -> any FittedEstimator {
        LinearFunctions(encoder, functions)
    }

    /// The matrix behind a design.
    ///
    /// - Throws: `unsupported` for a design that another module made.
    static func known(_ design: any SharedDesign) throws(MetaLearnersError) -> DesignMatrix {
        if let matrix = design as? DesignMatrix { return matrix }
        throw MetaLearnersError(
            .unsupported, at: "design", "the columns were encoded by another backend",
            remedy: "take all backends that share columns from one module")
    }
}

extension SharedDesignEstimator {
    public static func makeDesign(
        _ features: Table, weights: [Double]?, largest: FeatureExpansion, scoring: LevelScoring?,
        _ context: ExecutionContext
    ) throws(MetaLearnersError) -> any SharedDesign {
        try DesignMatrix(features, weights: weights, expansion: largest, scoring: scoring, context)
    }

    public static func designWidth(_ features: Table, _ map: FeatureExpansion) -> Int {
        // Every number has a curve of at most five columns beside the column itself and one for missing values.
        // A large category has a column for each of its heaviest levels, for the others and for what is missing, and scores
        // by an outcome and a few arms.
        let linear = features.columns.reduce(0) {
            $0 + ($1.levels.map { min($0.count, DesignMatrix.levelLimit + 8) } ?? 2)
        }
        let curves = map == .none ? 0 : 5 * features.columns.count
        return linear + curves + (map == .splinesInteractions ? linear * (linear - 1) / 2 : 0)
    }

    public static func designBytes(_ features: Table, _ map: FeatureExpansion) -> Int {
        let (size, overflow) = features.rowCount.multipliedReportingOverflow(by: designWidth(features, map))
        return 8 * (overflow ? DesignMatrix.keptLimit : min(size, DesignMatrix.keptLimit))
    }

    public func pathBytes(rows: Int, columns: Int) -> Int {
        // The sums of products of each fold, their decomposition, and a block of rows.
        8 * (8 * columns * columns + 4 * rows + 1024 * columns)
    }

    public static func decodeDesignModel(from reader: inout BinaryReader) throws(MetaLearnersError)
        -> any FittedEstimator
    {
        try LinearFunctions(from: &reader)
    }
}

extension LinearFoldPath {
    /// The stage of least loss of a path.
    fileprivate init(
        _ path: PathFit, _ folds: Int, hasSlopes: Bool, _ distribution: DistributedRows?,
        _ context: ExecutionContext
    ) throws(MetaLearnersError) {
        let fit = try path.chosen(distribution)
        self.init(
            functions: (0..<folds).map { fit.function(0, fold: $0) },
            slopes: hasSlopes ? (0..<folds).map { fit.slope(0, fold: $0) } : [],
            outOfFold: try fit.outOfFold(0, context),
            outOfFoldSlopes: hasSlopes ? try fit.outOfFoldSlopes(stages: [0], context).first ?? [] : [])
    }
}

extension PathProblem {
    /// The problem of a task on a design.
    ///
    /// - Throws: `unsupported` for an objective that is no squared error.
    fileprivate init(
        _ design: any SharedDesign, _ map: FeatureExpansion, _ task: TrainingTask, _ folds: FoldAssignment,
        _ modulation: DesignModulation?, _ backend: BackendDescription, _ context: ExecutionContext
    ) throws(MetaLearnersError) {
        let design = try DesignMatrix.known(design)
        var regressor: [Double]?
        switch task.objective {
        case .regression: break
        case .residual(let given): regressor = given
        default: throw task.unsupportedObjective(by: backend)
        }
        try self.init(
            design, columns: design.columns(map),
            modulation: modulation.map {
                Modulation(
                    $0.values, mainFactor: $0.mainFactor, columns: design.columns($0.map),
                    columnFactor: $0.columnFactor)
            },
            rows: task.rows, folds: Array(folds.folds), foldCount: folds.count, target: task.target,
            weights: task.weights, regressor: regressor, context)
    }
}

/// A linear model whose path of penalties can be fitted for all folds in one go.
public protocol DesignPathSpec: LinearSpec {}

extension RidgeSpec: DesignPathSpec {}
extension LassoSpec: DesignPathSpec {}

extension LinearEstimator: SharedDesignEstimator where Spec: DesignPathSpec {
    /// Ridge: thirteen penalties, whatever the spec's. Lasso: as many as the spec's `path_length` says.
    public func fitFolds(
        _ design: any SharedDesign, _ map: FeatureExpansion, _ task: TrainingTask, _ folds: FoldAssignment,
        modulation: DesignModulation?, _ context: ExecutionContext
    ) throws(MetaLearnersError) -> LinearFoldPath {
        let problem = try PathProblem(design, map, task, folds, modulation, Self.backend, context)
        let fit =
            switch spec.method.kind {
            case .squares: try problem.ridgePath(context)
            case .path(let path):
                try problem.lassoPath(stages: path.pathLength, context)
            }
        return try LinearFoldPath(
            fit, folds.count, hasSlopes: modulation != nil, task.features.distribution, context)
    }
}

extension LogisticEstimator: SharedDesignEstimator {
    /// Thirteen ridge penalties, whatever the spec's, and above 20,000 rows every third of them, because with many rows the
    /// penalty hardly matters; of two classes.
    public func fitFolds(
        _ design: any SharedDesign, _ map: FeatureExpansion, _ task: TrainingTask, _ folds: FoldAssignment,
        modulation: DesignModulation?, _ context: ExecutionContext
    ) throws(MetaLearnersError) -> LinearFoldPath {
        let design = try DesignMatrix.known(design)
        guard case .classification(classes: 2) = task.objective, modulation == nil else {
            throw task.unsupportedObjective(by: Self.backend)
        }
        let problem = try LogisticPathProblem(
            design, columns: design.columns(map), rows: task.rows, folds: Array(folds.folds),
            foldCount: folds.count,
            target: task.target, weights: task.weights)
        let penalties = PathProblem.defaultRidgePenalties
        let rows = try design.distribution.sum([task.rows.count])[0]
        let step = rows > 20_000 ? 3 : 1
        let path = try problem.ridgePath(
            penalties: stride(from: 0, to: penalties.count, by: step).map { penalties[$0] }, context)
        return try LinearFoldPath(path, folds.count, hasSlopes: false, design.distribution, context)
    }
}
