/// The encoded columns of a table, made once and shared by every fit that can: numbers standardised, categories as
/// indicators, with curves and products where they are wanted.
public protocol SharedDesign: Sendable {
    /// How many columns there are.
    var width: Int { get }

    /// How many columns a feature map has.
    func columnCount(_ map: FeatureExpansion) -> Int

    /// One model of several functions of the columns: a prediction has a number for each.
    func model(of functions: [LinearFunction]) -> any FittedEstimator
}

/// A backend whose fits to many targets can share the encoded columns, and whose path of penalties is fitted for all folds
/// in one go: the sums behind it are formed once.
public protocol SharedDesignEstimator: BaseEstimator {
    /// Encodes the columns of `features` for the largest feature map that is wanted.
    ///
    /// - Parameter scoring: what the levels of a category that has too many for a column each are scored by; nil where
    ///   they have no scores.
    /// - Throws: `unsupported` for too many columns, `invalidData` for an infinite value or no row with a weight,
    ///   `numericalFailure`, `outOfMemory`, `cancelled`.
    static func makeDesign(
        _ features: Table, weights: [Double]?, largest: FeatureExpansion, scoring: LevelScoring?,
        _ context: ExecutionContext
    ) throws(MetaLearnersError) -> any SharedDesign

    /// How many columns a feature map has at most.
    static func designWidth(_ features: Table, _ map: FeatureExpansion) -> Int

    /// What a design takes while it is kept, in bytes, about.
    static func designBytes(_ features: Table, _ map: FeatureExpansion) -> Int

    /// Fits the path for every fold on the rows outside it, and takes the penalty of least loss over the rows held out.
    ///
    /// - Parameters:
    ///   - design: one that this backend, or another of its module, made.
    ///   - map: the columns to use, as a feature map.
    ///   - task: rows, target, weights and objective; its features are those of the design.
    ///   - modulation: more columns beside those of the map; nil for none.
    /// - Throws: `unsupported` for an objective that the backend has no path for or a design of another module,
    ///   `invalidData` where a fold leaves nothing to learn from, `numericalFailure`, `outOfMemory`, `cancelled`.
    func fitFolds(
        _ design: any SharedDesign, _ map: FeatureExpansion, _ task: TrainingTask, _ folds: FoldAssignment,
        modulation: DesignModulation?, _ context: ExecutionContext
    ) throws(MetaLearnersError) -> LinearFoldPath

    /// What `fitFolds` takes beside the design, in bytes, about.
    func pathBytes(rows: Int, columns: Int) -> Int

    /// Reads a model that `SharedDesign.model(of:)` made, from what its `encode` wrote.
    ///
    /// - Throws: `corruptModel`.
    static func decodeDesignModel(from reader: inout BinaryReader) throws(MetaLearnersError)
        -> any FittedEstimator
}

/// What the levels of a category are scored by: targets known for each row, and the fold that each row is held out in.
///
/// A level's score is the mean of a target over its rows, drawn towards that of all. The score of a training row comes
/// from the rows of the other folds: it does not know the row's own target.
public struct LevelScoring: Sendable {
    /// Lists of one number for each row of the features.
    public let targets: [[Double]]
    /// The fold of each of these rows.
    public let folds: [Int32]

    /// Describes what scores are made of.
    ///
    /// - Parameters:
    ///   - targets: lists of one number for each row of the features.
    ///   - folds: the fold of each of these rows, from 0; negative for rows that are never held out.
    public init(targets: [[Double]], folds: [Int32]) {
        self.targets = targets
        self.folds = folds
    }
}

/// Further columns beside those of a design: a number m of each row, and its products with the columns of a feature map.
/// Factors multiply columns and so divide the penalty on them.
public struct DesignModulation: Sendable {
    /// m for each row of the design.
    public let values: [Double]
    /// The factor of m itself, positive.
    public let mainFactor: Double
    /// The columns that are multiplied by m.
    public let map: FeatureExpansion
    /// The factor of these, positive.
    public let columnFactor: Double

    /// Describes the columns.
    public init(_ values: [Double], mainFactor: Double, map: FeatureExpansion, columnFactor: Double) {
        self.values = values
        self.mainFactor = mainFactor
        self.map = map
        self.columnFactor = columnFactor
    }
}

/// Linear models of each fold, at the penalty that predicts the rows held out best.
public struct LinearFoldPath: Sendable {
    /// The functions of the folds, without their slopes.
    public let functions: [LinearFunction]
    /// The functions of the folds that the modulation is multiplied by; none without a modulation.
    public let slopes: [LinearFunction]
    /// The prediction of every row by the model of its fold; log-odds for a classification.
    public let outOfFold: [Double]
    /// The same of the slopes.
    public let outOfFoldSlopes: [Double]

    /// Creates a path's result.
    public init(
        functions: [LinearFunction], slopes: [LinearFunction], outOfFold: [Double],
        outOfFoldSlopes: [Double]
    ) {
        self.functions = functions
        self.slopes = slopes
        self.outOfFold = outOfFold
        self.outOfFoldSlopes = outOfFoldSlopes
    }
}
