import LinearEstimators
import MetaLearnersCore
import Testing

@Suite struct SpecTests {
    static let registry = EstimatorRegistry().registering(OLSEstimator.self)
        .registering(RidgeEstimator.self).registering(LogisticEstimator.self)
        .registering(ElasticNetEstimator.self).registering(LassoEstimator.self)

    @Test(
        "a value out of range is refused, naming its key",
        arguments: [
            ("ols", "slope", SpecValue.number(1)), ("ridge", "l2", .number(-0.1)),
            ("ridge", "l2", .number(.nan)),
            ("ridge", "l2", .number(.infinity)), ("ridge", "l2", .string("much")),
            ("logistic", "l2", .number(0)),
            ("logistic", "l2", .number(-1)), ("logistic", "max_iterations", .integer(0)),
            ("logistic", "max_iterations", .number(1.5)), ("logistic", "tolerance", .number(0)),
            ("logistic", "tolerance", .number(2)), ("lasso", "lambda", .number(0)),
            ("lasso", "lambda", .string("auto")), ("lasso", "l1_ratio", .number(1)),
            ("elastic_net", "l1_ratio", .number(0)), ("elastic_net", "folds", .integer(1)),
            ("elastic_net", "selection", .string("max")), ("elastic_net", "path_length", .integer(1)),
            ("elastic_net", "path_ratio", .number(0)), ("ridge", "selection", .string("aic")),
            ("ridge", "path_ratio", .number(2)), ("ols", "expansion", .string("cubes")),
            ("logistic", "penalty", .number(2)),
            ("logistic", "l1", .number(-1)), ("logistic", "l1_ratio", .number(2)),
            ("logistic", "selection", .string("gcv")), ("ridge", "folds", .integer(1)),
        ])
    func outOfRange(backend: String, key: String, value: SpecValue) throws {
        let error = #expect(throws: MetaLearnersError.self) {
            try Self.registry.makeEstimator(EstimatorChoice(backend, SpecObject([(key, value)])), at: .root)
        }
        #expect(error?.kind == .invalidSpec)
        #expect(error?.location == key)
    }

    @Test("values set in code pass the same checks")
    func setInCode() throws {
        #expect(throws: MetaLearnersError.self) { try RidgeEstimator(RidgeSpec(l2: -1)) }
        #expect(throws: MetaLearnersError.self) {
            try LogisticEstimator(LogisticSpec(l2: 1, maxIterations: 0))
        }
        #expect(try RidgeEstimator(RidgeSpec(l2: 0)).spec.l2 == 0)
    }

    @Test("a spec read from its own description is the same", arguments: ["ridge", "elastic_net", "lasso"])
    func roundTrip(backend: String) throws {
        let parameters = SpecObject([("expansion", .string("splines"))])
        let estimator = try Self.registry.makeEstimator(EstimatorChoice(backend, parameters), at: .root)
        let values = try #require(estimator.spec.specValue.objectValue)
        #expect(values["expansion"] == .string("splines"))
        let again = try Self.registry.makeEstimator(EstimatorChoice(backend, values), at: .root)
        #expect(again.spec.specValue == estimator.spec.specValue)
    }

    @Test("only what a backend can do is claimed")
    func capabilities() {
        #expect(OLSEstimator.backend.capabilities == RidgeEstimator.backend.capabilities)
        #expect(RidgeEstimator.backend.capabilities.isDisjoint(with: [.binary, .multiclass]))
        #expect(LogisticEstimator.backend.capabilities.isDisjoint(with: [.regression, .residualLoss]))
    }
}
