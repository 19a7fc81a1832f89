import MetaLearnersCore
import MetaLearnersKit
import _TestSupport

@testable import AutoLearner
@testable import MetaLearners

/// Specs of linear base learners, and fits with them.
enum Linear {
    static let models: SpecValue = [
        "outcome": ["backend": "ols"], "propensity": ["backend": "logistic"], "effect": ["backend": "ols"],
    ]

    static func spec(_ learner: LearnerKind, folds: Int = 3, models: SpecValue = Self.models, seed: Int = 1)
        throws(MetaLearnersError) -> MetaLearnerSpec
    {
        try MetaLearnerSpec([
            "learner": .string(learner.rawValue),
            // `auto` brings its own.
            "models": learner == .auto ? .null : models,
            "cross_fitting": ["folds": .integer(folds)],
            "seed": .integer(seed),
        ])
    }

    static func fit(
        _ data: CausalDataset, _ learner: LearnerKind, folds: Int = 3, models: SpecValue = Self.models,
        injecting injected: FoldAssignment? = nil, threads: Int = 1
    ) throws(MetaLearnersError) -> CATEModel {
        let fitter = try MetaLearnerFitter(spec(learner, folds: folds, models: models))
        if learner == .auto {
            var settings = AutoSettings(rowCount: data.rowCount)
            settings.rounds = 30
            settings.lassoStages = 15
            return try fitter.withAuto(settings).fit(
                data, folds: injected, ExecutionOptions(threads: threads))
        }
        return try fitter.fit(data, folds: injected, ExecutionOptions(threads: threads))
    }
}

extension MetaLearnerFitter {
    /// The same with other numbers for `auto`.
    func withAuto(_ settings: AutoSettings) -> MetaLearnerFitter {
        guard var strategy = strategy as? AutoStrategy else { return self }
        strategy.settings = settings
        return MetaLearnerFitter(self, strategy: strategy)
    }
}

extension CausalDataset {
    /// The named rows (repeats allowed), with other weights where given.
    func taking(_ rows: [Int32], weights: [Double]? = nil) throws(MetaLearnersError) -> CausalDataset {
        try CausalDataset(
            covariates: covariates.selecting(rows: rows),
            treatment: Treatment(arms: rows.map { treatment.arms[Int($0)] }, labels: treatment.labels),
            outcome: Outcome(rows.map { outcome.values[Int($0)] }, kind: outcome.kind), weights: weights,
            clusters: clusters.map { clusters in rows.map { clusters[Int($0)] } })
    }
}
