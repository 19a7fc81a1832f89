import MetaLearnersCore

extension CATEModel {
    /// The effects of rows with the ends of their intervals, by the models of all rows: for each contrast (and class)
    /// the effect, the lower end and the upper end.
    func predictIntervals(
        _ request: PredictionRequest, _ rows: PredictionRows, _ context: ExecutionContext
    ) throws(MetaLearnersError) -> Prediction {
        let level = request.level ?? spec.intervals.level
        guard level >= 0.5, level < 1 else {
            throw MetaLearnersError(
                .invalidArgument, at: "level", "is \(level), must be: number, 0.5 ≤ x < 1")
        }
        guard let intervals else {
            throw MetaLearnersError(
                .unsupported, at: "intervals", "the model was fitted without intervals",
                remedy: "fit with intervals.method: bootstrap; or with an effect model that has them: "
                    + "ols or ridge (learners r, dr), or an honest forest")
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
            ends = try bootstrapEnds(samples, contrasts, scale, table, effects, level, context)
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
                    remedy: "fit with intervals.method: bootstrap to compare other arms")
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

    /// The quantiles, or the spread, of the resamples' effects; rows by blocks, so that memory stays bounded.
    private func bootstrapEnds(
        _ samples: [FittedEffects], _ contrasts: [ArmContrast], _ scale: EffectScale, _ table: Table,
        _ effects: [[Double]], _ level: Double, _ context: ExecutionContext
    ) throws(MetaLearnersError) -> [(lower: [Double], upper: [Double])] {
        guard samples.allSatisfy({ scale == .difference || $0.hasArmMeans(armCount: armLabels.count) }) else {
            throw MetaLearnersError(
                .unsupported, at: "effect_scale",
                "the resamples of the learner '\(spec.learner.rawValue)' keep no outcome models, which \(scale.rawValue)s need",
                remedy: "use a learner that compares outcome models: "
                    + registry.learnerNames { $0.form == .comparison })
        }
        var ends = effects.map { (lower: $0, upper: $0) }
        let tail = (1 - level) / 2
        let quantile = StandardNormal.quantile(1 - tail)
        for start in stride(from: 0, to: table.rowCount, by: Self.bootstrapBlockRows) {
            let end = min(start + Self.bootstrapBlockRows, table.rowCount)
            let block =
                table.rowCount <= Self.bootstrapBlockRows
                ? table : table.selecting(rows: Array(Int32(start)..<Int32(end)))
            let columns = try resampledColumns(samples, contrasts, scale, block, context)
            for index in effects.indices {
                var values = [Double](repeating: 0, count: samples.count)
                for row in 0..<end - start {
                    for sample in samples.indices { values[sample] = columns[sample][index][row] }
                    switch spec.intervals.type {
                    case .percentile:
                        values.sort()
                        ends[index].lower[start + row] = Self.quantile(of: values, tail)
                        ends[index].upper[start + row] = Self.quantile(of: values, 1 - tail)
                    case .normal:
                        let mean = values.reduce(0, +) / Double(values.count)
                        let squares = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
                        let error = (squares / Double(max(values.count - 1, 1))).squareRoot() * quantile
                        ends[index].lower[start + row] -= error
                        ends[index].upper[start + row] += error
                    }
                }
            }
        }
        return ends
    }

    private static let bootstrapBlockRows = 16_384

    /// The contrasts of the rows of `block` by each resample's models, side by side.
    private func resampledColumns(
        _ samples: [FittedEffects], _ contrasts: [ArmContrast], _ scale: EffectScale, _ block: Table,
        _ context: ExecutionContext
    ) throws(MetaLearnersError) -> [[[Double]]] {
        let results = ResultSlots<Result<[[Double]], MetaLearnersError>>(count: samples.count)
        let inner = ExecutionContext(threads: 1, cancellation: context.cancellation)
        let aligned = try AlignedRows(block, schema, spec.data)
        context.concurrently(samples.count) { index in
            do throws(MetaLearnersError) {
                try inner.checkCancellation()
                var rows = aligned
                results[index] = .success(
                    try contrastColumns(contrasts, scale, &rows, samples[index], .combined, inner))
            } catch {
                results[index] = .failure(error)
            }
        }
        var columns: [[[Double]]] = []
        for index in samples.indices { columns.append(try results[index]?.get() ?? []) }
        return columns
    }

    /// A quantile of sorted values, interpolated between order statistics (Hyndman & Fan's type 7).
    private static func quantile(of sorted: [Double], _ share: Double) -> Double {
        guard let last = sorted.indices.last else { return .nan }
        let position = share * Double(last)
        let low = min(Int(position), last)
        let high = min(low + 1, last)
        // Of two equal ends (infinite ones, say) no mean is taken.
        guard sorted[low] != sorted[high] else { return sorted[low] }
        return sorted[low] + (position - Double(low)) * (sorted[high] - sorted[low])
    }
}
