import MetaLearnersKit

/// A learner with its base learners and its interval.
struct Configuration {
    let name: String
    let generator: Generator
    let learner: LearnerKind
    let outcome: SpecValue
    let effect: SpecValue
    let intervals: SpecValue
    /// How many data sets are fitted, as a share of the study's number.
    var share = 1.0

    /// The spec.
    func spec(samples: Int) throws -> MetaLearnerSpec {
        var intervals = intervals.objectValue ?? SpecObject()
        if intervals["method"] == "bootstrap" { intervals["samples"] = .integer(samples) }
        return try MetaLearnerSpec([
            "learner": .string(learner.rawValue),
            "models": ["outcome": outcome, "propensity": ["backend": "logistic"], "effect": effect],
            "intervals": .object(intervals),
        ])
    }

    private static let ols: SpecValue = ["backend": "ols"]
    private static let ridge: SpecValue = ["backend": "ridge"]
    private static let trees: SpecValue = ["backend": "trees"]
    private static let smallTrees: SpecValue = ["backend": "trees", "trees": 50, "max_leaves": 8]
    private static let forest: SpecValue = ["backend": "forest", "honest": true, "trees": 500]
    private static let inference: SpecValue = ["backend": "forest", "preset": "inference"]
    private static let percentile: SpecValue = ["method": "bootstrap", "type": "percentile"]
    private static let normal: SpecValue = ["method": "bootstrap", "type": "normal"]
    private static let analytic: SpecValue = ["method": "analytic"]

    /// Every configuration of the study.
    static let all: [Configuration] = [
        linear("r", .trial, .r, ols, ols), linear("dr", .trial, .dr, ols, ols),
        linear("r", .trial, .r, trees, ridge), linear("dr", .trial, .dr, trees, ridge),
        linear("r", .study, .r, trees, ols), linear("dr", .study, .dr, trees, ols),
        linear("r", .study, .r, trees, ridge), linear("dr", .study, .dr, trees, ridge),
        linear("r", .clusters, .r, ols, ols), linear("dr", .clusters, .dr, ols, ols),
        bootstrap("t", .trial, .t, ols, ols, percentile), bootstrap("t", .trial, .t, ols, ols, normal),
        bootstrap("dr", .trial, .dr, ols, ols, percentile), bootstrap("r", .trial, .r, ols, ols, normal),
        bootstrap("dr", .study, .dr, ols, ols, percentile), bootstrap("dr", .study, .dr, ols, ols, normal),
        bootstrap("t", .clusters, .t, ols, ols, percentile),
        bootstrap("t", .clusters, .t, ols, ols, normal),
        bootstrap("t", .trial, .t, smallTrees, ols, percentile, share: 0.2),
        bootstrap("t", .study, .t, smallTrees, ols, percentile, share: 0.2),
        bootstrap("t", .study, .t, smallTrees, ols, normal, share: 0.2),
        of("r", "forest", .trial, .r, ols, forest, ["method": "forest"], share: 0.2),
        of("r", "forest", .study, .r, trees, forest, ["method": "forest"], share: 0.2),
        of("dr", "forest", .curved, .dr, trees, forest, ["method": "forest"], share: 0.2),
        of("r", "forest", .trial, .r, ols, inference, ["method": "forest"], share: 0.2),
        of("r", "forest", .study, .r, trees, inference, ["method": "forest"], share: 0.2),
        of("dr", "forest", .curved, .dr, trees, inference, ["method": "forest"], share: 0.2),
        linear("dr", .curved, .dr, trees, ols),
    ]

    private static func linear(
        _ name: String, _ generator: Generator, _ learner: LearnerKind, _ outcome: SpecValue,
        _ effect: SpecValue
    ) -> Configuration {
        of(name, "analytic", generator, learner, outcome, effect, analytic)
    }

    private static func bootstrap(
        _ name: String, _ generator: Generator, _ learner: LearnerKind, _ outcome: SpecValue,
        _ effect: SpecValue, _ intervals: SpecValue, share: Double = 0.5
    ) -> Configuration {
        let type = intervals.objectValue?["type"]?.stringValue ?? ""
        return of(name, "bootstrap, \(type)", generator, learner, outcome, effect, intervals, share: share)
    }

    private static func of(
        _ name: String, _ interval: String, _ generator: Generator, _ learner: LearnerKind,
        _ outcome: SpecValue, _ effect: SpecValue, _ intervals: SpecValue, share: Double = 1
    ) -> Configuration {
        func backend(_ model: SpecValue) -> String {
            let preset = model.objectValue?["preset"]?.stringValue.map { " (preset \($0))" } ?? ""
            return (model.objectValue?["backend"]?.stringValue ?? "") + preset
        }
        let models =
            Registry.default.traits(of: learner)?.form == .comparison
            ? backend(outcome) : "\(backend(outcome)), effect \(backend(effect))"
        return Configuration(
            name: "\(generator.rawValue) | \(name): \(models) | \(interval)", generator: generator,
            learner: learner, outcome: outcome, effect: effect, intervals: intervals, share: share)
    }
}
