import LinearEstimators
import MetaLearnersCore
import TreeEstimators
import XGBoostEstimators

extension EstimatorRegistry {
    /// Every backend that is built in. This is the only place that names them all.
    public static let `default` = EstimatorRegistry()
        .registering(TreesEstimator.self)
        .registering(ForestEstimator.self)
        .registering(XGBoostEstimator.self)
        .registering(RidgeEstimator.self)
        .registering(LassoEstimator.self)
        .registering(ElasticNetEstimator.self)
        .registering(OLSEstimator.self)
        .registering(LogisticEstimator.self)
        .registering(ConstantEstimator.self)
}
