import Foundation
import LinearEstimators
import MetaLearnersCore
import Testing

/// Predictions of scikit-learn, made by the scripts in Fixtures.
@Suite struct ReferenceTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let name: String
        let object: SpecObject
        var testDescription: String { name }

        func numbers(_ key: String) -> [Double]? {
            object[key]?.arrayValue?.map { $0.doubleValue ?? .nan }
        }
    }

    static let registry = EstimatorRegistry().registering(OLSEstimator.self)
        .registering(RidgeEstimator.self).registering(LogisticEstimator.self)
        .registering(ElasticNetEstimator.self).registering(LassoEstimator.self)

    static let cases =
        cases(of: "linear_reference") + cases(of: "elastic_net_reference")
        + cases(of: "ridge_selection_reference") + cases(of: "expansion_reference")
        + cases(of: "logistic_reference") + cases(of: "level_reference")

    private static func cases(of fixture: String) -> [Case] {
        guard
            let url = Bundle.module.url(
                forResource: fixture, withExtension: "json", subdirectory: "Fixtures"),
            let data = try? Data(contentsOf: url),
            let list = try? SpecValue(json: data, source: "fixture").arrayValue
        else { return [] }
        return list.compactMap { value in
            guard let object = value.objectValue, let name = object["name"]?.stringValue else { return nil }
            return Case(name: name, object: object)
        }
    }

    @Test("the fixtures are there") func fixturesAreThere() {
        #expect(Self.cases.count == 32 + 21 + 12 + 14 + 16 + 16)
    }

    @Test("predictions agree with scikit-learn", arguments: cases)
    func agreesWithScikitLearn(_ item: Case) throws {
        let columns = try #require(item.object["columns"]?.arrayValue).map { value in
            let object = try #require(value.objectValue)
            let name = try #require(object["name"]?.stringValue)
            if let codes = object["codes"]?.arrayValue {
                let levels = try #require(object["levels"]?.arrayValue).compactMap(\.stringValue)
                return Column(
                    name, codes: StridedValues(codes.map { Int32($0.integerValue ?? -1) }), levels: levels)
            }
            return Column(name, try #require(object["values"]?.arrayValue).map { $0.doubleValue ?? .nan })
        }
        let features = try Table(columns)
        let classes = item.object["classes"]?.integerValue ?? 0
        var objective = TrainingTask.Objective.regression
        if let regressor = item.numbers("regressor") { objective = .residual(regressor: regressor) }
        if classes > 0 { objective = .classification(classes: classes) }
        let task = try TrainingTask(
            features: features, rows: try #require(item.numbers("rows")).map { Int32($0) },
            target: try #require(item.numbers("target")), weights: item.numbers("weights"),
            clusters: item.numbers("clusters")?.map { Int32($0) }, objective: objective)
        let choice = EstimatorChoice(
            try #require(item.object["backend"]?.stringValue),
            item.object["parameters"]?.objectValue ?? SpecObject())
        let estimator = try Self.registry.makeEstimator(choice, at: .root)
        let predicted = try estimator.fit(task, ExecutionContext())
            .predict(features, rows: nil, ExecutionContext())
        let expected = try #require(item.numbers("expected"))
        let scale = expected.map { abs($0) }.max() ?? 1
        #expect(largestDifference(predicted, expected) < 1e-6 * max(1, scale))
    }
}
