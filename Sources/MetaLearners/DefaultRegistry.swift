import LinearEstimators
import MetaLearnersCore
import PluginEstimators
import TreeEstimators
import XGBoostEstimators

extension EstimatorRegistry {
    /// Every backend that is built in, then the plug-ins that `METALEARNERS_PLUGIN_PATH` names when it is first asked
    /// for. This is the only place that names them all.
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
        .loadingPluginsOfEnvironment()

    /// The registry with the plug-ins that a spec names, which is then without them.
    func loadingPluginsOf(_ spec: inout MetaLearnerSpec) throws(MetaLearnersError) -> EstimatorRegistry {
        defer { spec.plugins = [] }
        return try loadingPlugins(at: spec.plugins)
    }
}
