import MetaLearnersCore

extension EstimatorRegistry {
    /// Every backend that is built in. This is the only place that names them all.
    public static let `default` = EstimatorRegistry()
}
