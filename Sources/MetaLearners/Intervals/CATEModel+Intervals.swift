import MetaLearnersCore

extension CATEModel {
    /// The effects of rows with the ends of their intervals, by the models of all rows: for each contrast (and class)
    /// the effect, the lower end and the upper end.
    func predictIntervals(
        _ request: PredictionRequest, _ rows: PredictionRows, _ context: ExecutionContext
    ) throws(MetaLearnersError) -> Prediction {
        let level = try intervalLevel(of: request)
        guard let intervals else {
            throw MetaLearnersError(
                .unsupported, at: "intervals", "the model was fitted without intervals",
                remedy: "fit with intervals.method: half_sampling, which every learner has; or with "
                    + "an effect model that has them: ols or ridge (learners r, dr), or an honest forest")
        }
        let names = try columnNames(request)
        let contrasts = try ArmContrast.list(request, armLabels)
        let scale = try scale(of: request)
        let table = try covariates(of: rows, for: "intervals")
        var aligned = try AlignedRows(table, schema, spec.data)
        let ends: [(lower: [Double], upper: [Double])]
        let effects = try contrastColumns(contrasts, scale, &aligned, fitted, .combined, context)
        switch intervals {
        case .bootstrap(let samples):
            ends = try resampledEnds(samples, contrasts, scale, table, effects, context) {
                [type = spec.intervals.type] values, effect, _ in
                Self.bootstrapEnds(&values, around: effect, type, level)
            }
        case .halfSampling(let samples, let allowances):
            guard scale == .difference else {
                throw MetaLearnersError(
                    .unsupported, at: "intervals", "half_sampling intervals are for differences",
                    remedy: "fit with intervals.method: bootstrap")
            }
            let squares = contrasts.flatMap { contrast in
                [Double](
                    repeating: contrast.allowance(allowances), count: outcomeKind.effectCount)
            }
            ends = try resampledEnds(samples, contrasts, scale, table, effects, context) {
                Self.halfSamplingEnds(&$0, around: $1, allowance: squares[$2], level)
            }
        case .analytic, .forest:
            ends = try normalEnds(intervals, contrasts, scale, aligned.features, effects, level, context)
        }
        return Prediction(
            names: names, columns: zip(effects, ends).flatMap { [$0, $1.lower, $1.upper] },
            meaning: intervals.meaning(
                spec, level: level, isClustered: spec.data.cluster != nil || training?.clusters != nil),
            warnings: aligned.warnings)
    }

    /// effect ± quantile · standard error, by the effect models' own variances.
    private func normalEnds(
        _ intervals: FittedIntervals, _ contrasts: [ArmContrast], _ scale: EffectScale, _ features: Table,
        _ effects: [[Double]], _ level: Double, _ context: ExecutionContext
    ) throws(MetaLearnersError) -> [(lower: [Double], upper: [Double])] {
        let method = intervals.method.rawValue
        guard scale == .difference, let predictor = predictor as? LearnerPredictor else {
            throw MetaLearnersError(
                .unsupported, at: "intervals", "\(method) intervals are for differences",
                remedy: "fit with intervals.method: bootstrap")
        }
        let quantile = StandardNormal.quantile((1 + level) / 2)
        var ends: [(lower: [Double], upper: [Double])] = []
        for (contrast, values) in zip(contrasts, effects) {
            guard contrast.arm == 0 || contrast.baseline == 0 else {
                throw MetaLearnersError(
                    .unsupported, at: "baseline", "\(method) intervals compare an arm with the control",
                    remedy: "fit with intervals.method: half_sampling to compare other arms")
            }
            let arm = max(contrast.arm, contrast.baseline)
            let role = EffectRole(arm: arm)
            guard let model = predictor.effectModels.first(where: { $0.role == role })?.models.fullModel
            else {
                throw MetaLearnersError(.unsupported, at: "intervals", "there is no effect model of all rows")
            }
            let seen = try ModelsSpec.features(spec.models.model(of: role, armLabels), in: features)
            let variances: [Double]
            if case .analytic(let covariances) = intervals, let model = model as? any CovarianceEstimating,
                covariances.indices.contains(arm - 1)
            {
                variances = try model.predictVariance(seen, covariance: covariances[arm - 1], context)
            } else if case .forest = intervals, let model = model as? any VarianceEstimating {
                variances = try model.predictVariance(seen, rows: nil, context)
            } else {
                throw MetaLearnersError(.corruptModel, at: "intervals", "the effect models have none")
            }
            let errors = variances.map { $0.squareRoot() * quantile }
            ends.append((zip(values, errors).map { $0 - $1 }, zip(values, errors).map { $0 + $1 }))
        }
        return ends
    }
}
