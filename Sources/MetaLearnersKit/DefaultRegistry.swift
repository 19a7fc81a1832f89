@_exported import AutoLearner
@_exported import CausalAnalysis
@_exported import FormulaExport
@_exported import LinearEstimators
@_exported import MetaLearners
@_exported import MetaLearnersCore
import PluginEstimators
@_exported import TreeEstimators
@_exported import Tuning
@_exported import XGBoostEstimators

extension EstimatorRegistry {
    /// Every backend that is built in, then the plug-ins that `METALEARNERS_PLUGIN_PATH` names when it is first asked
    /// for.
    public static let `default` = EstimatorRegistry()
        .registering(TreesEstimator.self)
        .registering(ForestEstimator.self)
        .registering(BartEstimator.self)
        .registering(XGBoostEstimator.self)
        .registering(RidgeEstimator.self)
        .registering(LassoEstimator.self)
        .registering(ElasticNetEstimator.self)
        .registering(OLSEstimator.self)
        .registering(LogisticEstimator.self)
        .registering(ConstantEstimator.self)
        .registering(StackEstimator.self)
        .loadingPluginsOfEnvironment()
}

extension Registry {
    /// Every backend and every learner that is built in, and the plug-ins of the environment. This is the only place that
    /// names them all.
    public static let `default` = Registry(.default)
        .registering(SLearner.self)
        .registering(TLearner.self)
        .registering(FLearner.self)
        .registering(MLearner.self)
        .registering(XLearner.self)
        .registering(ULearner.self)
        .registering(RLearner.self)
        .registering(RALearner.self)
        .registering(DRLearner.self)
        .registering(AutoStrategy.self)
        .registering(EnsembleStrategy.self)
}

extension MetaLearnerFitter {
    /// Checks a spec and finds what it names among all that is built in.
    ///
    /// - Throws: what `init(_:registry:)` throws.
    public init(_ spec: MetaLearnerSpec) throws(MetaLearnersError) {
        try self.init(spec, registry: .default)
    }
}

extension CATEModel {
    /// Reads the bytes of a model's file; learners and backends are those that are built in.
    ///
    /// - Throws: what `init(bytes:registry:)` throws.
    public init(bytes: [UInt8]) throws(MetaLearnersError) { try self.init(bytes: bytes, registry: .default) }

    /// Loads a model from its file; learners and backends are those that are built in.
    ///
    /// - Throws: what `init(contentsOf:registry:)` throws.
    public init(contentsOf path: String) throws(MetaLearnersError) {
        try self.init(contentsOf: path, registry: .default)
    }
}

extension LearnerKind: CaseIterable {
    /// Every learner that is built in.
    public static var allCases: [LearnerKind] { Registry.default.learnerKinds }
}
