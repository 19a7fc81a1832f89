/// The parameters that have one name in every backend that has them at all.
///
/// What a backend makes of each is its `ParameterMapping`; one that it does not have is unsupported, and setting it is
/// an error.
public enum CommonParameter: String, Sendable, CaseIterable {
    /// Trees, or rounds of boosting.
    case trees
    /// The factor of each tree.
    case learningRate = "learning_rate"
    /// Splits from root to leaf at most.
    case maxDepth = "max_depth"
    /// Leaves of a tree at most.
    case maxLeaves = "max_leaves"
    /// Rows in a leaf at least.
    case minLeafSize = "min_leaf_size"
    /// The penalty on squares.
    case l2
    /// The share of rows of each tree.
    case rowSample = "row_sample"
    /// The share of columns of each tree.
    case columnSample = "column_sample"
    /// Rounds without improvement after which training stops.
    case earlyStopping = "early_stopping"

    /// What the backend whose parameters these are makes of it.
    public func mapping(among parameters: [ParameterDescription]) -> ParameterMapping {
        guard let parameter = parameters.first(where: { $0.name == rawValue }) else {
            return .unsupported(note: "it has nothing like it")
        }
        return parameter.mapping ?? .exact(engine: rawValue)
    }
}
