/// What each column contributes to the predictions of rows.
public struct Contributions: Sendable, Equatable {
    /// What contributions add up to.
    public enum Scale: String, Sendable {
        /// The prediction.
        case prediction
        /// The log odds of class 1.
        case logOdds = "log_odds"
        /// The log probability of each class, but for a constant that the classes of a row share.
        case logProbability = "log_probability"
        /// The logarithm of the mean.
        case logMean = "log_mean"
    }

    /// Row by row and output by output: a number for each column, then the expected value.
    public let values: [Double]
    /// What the numbers of a row and output add up to.
    public let scale: Scale
    /// How many outputs a row has; 1 for log odds.
    public let outputCount: Int
    /// How many columns there are.
    public let columnCount: Int

    /// Collects contributions; `values` has rows × outputs × (columns + 1) numbers.
    public init(values: [Double], scale: Scale, outputCount: Int, columnCount: Int) {
        self.values = values
        self.scale = scale
        self.outputCount = outputCount
        self.columnCount = columnCount
    }
}
