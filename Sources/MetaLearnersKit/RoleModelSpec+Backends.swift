/// The backends that are built in, with parameters by their types: `spec.models.effect = .trees { $0.maxLeaves = 4 }`.
extension RoleModelSpec {
    /// Gradient-boosted trees.
    public static func trees(_ configure: (inout TreesSpec) -> Void = { _ in }) -> RoleModelSpec {
        RoleModelSpec(TreesEstimator.self, configure)
    }

    /// A forest of bagged, honest or extremely randomised trees.
    public static func forest(_ configure: (inout ForestSpec) -> Void = { _ in }) -> RoleModelSpec {
        RoleModelSpec(ForestEstimator.self, configure)
    }

    /// Bayesian additive regression trees.
    public static func bart(_ configure: (inout BartSpec) -> Void = { _ in }) -> RoleModelSpec {
        RoleModelSpec(BartEstimator.self, configure)
    }

    /// Gradient boosting by XGBoost, where that is installed.
    public static func xgboost(_ configure: (inout XGBoostSpec) -> Void = { _ in }) -> RoleModelSpec {
        RoleModelSpec(XGBoostEstimator.self, configure)
    }

    /// Linear regression with a ridge penalty.
    public static func ridge(_ configure: (inout RidgeSpec) -> Void = { _ in }) -> RoleModelSpec {
        RoleModelSpec(RidgeEstimator.self, configure)
    }

    /// Linear regression with a lasso penalty.
    public static func lasso(_ configure: (inout LassoSpec) -> Void = { _ in }) -> RoleModelSpec {
        RoleModelSpec(LassoEstimator.self, configure)
    }

    /// Linear regression with an elastic-net penalty.
    public static func elasticNet(_ configure: (inout ElasticNetSpec) -> Void = { _ in }) -> RoleModelSpec {
        RoleModelSpec(ElasticNetEstimator.self, configure)
    }

    /// Linear regression without a penalty.
    public static func ols(_ configure: (inout OLSSpec) -> Void = { _ in }) -> RoleModelSpec {
        RoleModelSpec(OLSEstimator.self, configure)
    }

    /// Logistic regression, for classes.
    public static func logistic(_ configure: (inout LogisticSpec) -> Void = { _ in }) -> RoleModelSpec {
        RoleModelSpec(LogisticEstimator.self, configure)
    }

    /// Several base learners, weighted by rows held out: `.stack { $0.members = [EstimatorChoice("ridge"), EstimatorChoice("trees")] }`.
    public static func stack(_ configure: (inout StackSpec) -> Void = { _ in }) -> RoleModelSpec {
        RoleModelSpec(StackEstimator.self, configure)
    }

    /// The mean, or the shares of the classes.
    public static var constant: RoleModelSpec { RoleModelSpec(ConstantEstimator.self) }
}
