import LinearEstimators
import MetaLearnersCore
import TreeEstimators

extension EstimatorRegistry {
    /// Every backend that is built in. This is the only place that names them all.
    public static let `default` = EstimatorRegistry()
        .registering(BoostedTrees.self)
        .registering(ForestEstimator.self)
        .registering(RidgeEstimator.self)
        .registering(OLSEstimator.self)
        .registering(LogisticEstimator.self)
        .registering(ConstantEstimator.self)
        .registering(BoostedTrees.self)
        .registering(ForestEstimator.self)
}
