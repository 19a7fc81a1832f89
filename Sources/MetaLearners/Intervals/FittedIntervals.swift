import MetaLearnersCore

/// What the intervals of a model's effects are made of.
enum FittedIntervals: Sendable {
    /// The models of each resample of the rows.
    case bootstrap([FittedEffects])
    /// The models of each half of the rows, the two halves of a pair one after the other, and for each arm from 1 the square of
    /// how far methods disagree that were weighed against one another.
    case halfSampling([FittedEffects], allowances: [Double])
    /// The covariance of the coefficients of the effect model of each arm, from 1, as `CovarianceEstimating` has it.
    case analytic([[Double]])
    /// The effect models' own variances.
    case forest

    /// The method's name.
    var method: IntervalSpec.Method {
        switch self {
        case .bootstrap: .bootstrap
        case .halfSampling: .halfSampling
        case .analytic: .analytic
        case .forest: .forest
        }
    }

    /// What an interval of the given level promises, in words.
    func meaning(_ spec: MetaLearnerSpec, level: Double, isClustered: Bool) -> String {
        let percent = SpecValue.number((level * 1e6).rounded() / 1e4).json() + " %"
        switch self {
        case .bootstrap(let samples):
            let units = isClustered ? "clusters" : "rows"
            let shape =
                spec.intervals.type == .percentile
                ? "The middle \(percent) of the effects"
                : "The normal \(percent) interval by the spread of the effects"
            return shape
                + " that the learner finds in \(samples.count) resamples of the \(units). They show how much "
                + "the whole fit varies from sample to sample; they do not correct what the learner smooths away, so "
                + "that flexible effect models hold the true effect less often than that."
        case .halfSampling(let samples, let allowances):
            let units = isClustered ? "clusters" : "rows"
            let rivals =
                allowances.contains { $0 > 0 }
                ? ", and by how far the methods disagree that it combines" : ""
            return
                "A \(percent) band around the effect, by how far it moves in \(samples.count) fits to half of the \(units)\(rivals). It is "
                + "made wide enough for most of what the learner smooths away; an effect that the learner does not see at all is in none. How often such "
                + "bands hold true effects was measured: docs/intervals.md."
        case .analytic:
            let robust =
                isClustered
                ? "cluster-robust (CR1)"
                : "heteroscedasticity-robust (\(spec.intervals.covariance.rawValue.uppercased()))"
            return
                "Holds the best linear approximation of the effect in \(percent) of large samples, by the "
                + "\(robust) covariance of the coefficients of the final regression. It rests on nuisances that are "
                + "estimated well, and says nothing of how far the true effect is from linear."
        case .forest:
            return
                "Holds the true effect in \(percent) of large samples where the effect is smooth, by the "
                + "variance of an honest forest by little bags. It leaves out what the nuisances add, and the bias that "
                + "few rows near a point leave."
        }
    }
}

extension FittedIntervals {
    /// An effect model: what it was fitted to, and the model of all rows.
    typealias EffectModel = (task: TrainingTask, model: (any FittedEstimator)?)

    /// Makes what the spec's intervals need out of fitted effect models: the bootstrap aside, at next to no cost.
    ///
    /// - Returns: nil where the spec asks for none, or leaves the choice open and the effect models have none.
    /// - Throws: `unsupported` for a method that the effect models do not have, with what does.
    static func made(
        _ spec: IntervalSpec, _ traits: LearnerTraits, _ effects: [EffectModel], areHonest: Bool,
        _ context: ExecutionContext
    ) throws(MetaLearnersError) -> FittedIntervals? {
        let linear = effects.compactMap { $0.model as? any CovarianceEstimating }
        let areLinear = linear.count == effects.count && linear.allSatisfy(\.estimatesCovariance)
        let areForests = areHonest && haveVariances(effects)
        switch spec.method {
        case .none, .bootstrap, .halfSampling: return nil
        case .analytic:
            guard areLinear else {
                throw MetaLearnersError(
                    .unsupported, at: "intervals.method", "analytic intervals need a linear effect model",
                    remedy: "set models.effect to ols or ridge, or use half_sampling")
            }
            return try analytic(effects, linear, spec.covariance, context)
        case .forest:
            guard areForests else {
                throw MetaLearnersError(
                    .unsupported, at: "intervals.method",
                    "forest intervals need an honest forest with little bags as the effect model",
                    remedy: "set models.effect to {backend: forest, honest: true}, or use half_sampling")
            }
            return .forest
        case .auto:
            // The rows of one process do not say how much all of them vary.
            guard effects.allSatisfy({ $0.task.features.distribution == nil }) else { return nil }
            guard traits.form == .regression, !effects.isEmpty else { return nil }
            guard traits.hasAnalyticIntervals, areLinear else { return areForests ? .forest : nil }
            // Nobody asked for intervals: data that have none (fewer rows than columns) are no reason to stop.
            do throws(MetaLearnersError) {
                return try analytic(effects, linear, spec.covariance, context)
            } catch  where error.kind != .cancelled && error.kind != .outOfMemory {
                return nil
            }
        }
    }

    private static func analytic(
        _ effects: [EffectModel], _ models: [any CovarianceEstimating], _ covariance: RobustCovariance,
        _ context: ExecutionContext
    ) throws(MetaLearnersError) -> FittedIntervals {
        var covariances: [[Double]] = []
        for (effect, model) in zip(effects, models) {
            covariances.append(try model.coefficientCovariance(effect.task, covariance, context))
        }
        return .analytic(covariances)
    }

    private static func haveVariances(_ effects: [EffectModel]) -> Bool {
        effects.allSatisfy {
            ($0.model as? any VarianceEstimating)?.estimatesVariance == true && $0.model?.outputCount == 1
        }
    }
}

extension FittedIntervals {
    /// Writes the section `intervals` of a model file.
    func encode(to writer: inout BinaryWriter) {
        writer.write(method.rawValue)
        switch self {
        case .bootstrap(let samples):
            writer.write(UInt64(samples.count))
            for sample in samples { sample.encode(to: &writer) }
        case .analytic(let covariances):
            writer.write(UInt64(covariances.count))
            for covariance in covariances { writer.write(covariance) }
        case .halfSampling(let samples, let allowances):
            writer.write(UInt64(samples.count))
            for sample in samples { sample.encode(to: &writer) }
            writer.write(allowances)
        case .forest: break
        }
    }

    private static func samples(from reader: inout BinaryReader, _ model: PredictorSurroundings)
        throws(MetaLearnersError) -> [FittedEffects]
    {
        var samples: [FittedEffects] = []
        for _ in 0..<(try reader.readCount(elementSize: 16)) {
            samples.append(try FittedEffects(from: &reader, model))
        }
        guard !samples.isEmpty else { throw BinaryReader.corrupt("the intervals have no resamples") }
        return samples
    }

    /// Reads what `encode` wrote.
    ///
    /// - Throws: `corruptModel`, `unsupported` for a backend that is not registered.
    init(from reader: inout BinaryReader, _ model: PredictorSurroundings) throws(MetaLearnersError) {
        switch IntervalSpec.Method(rawValue: try reader.readString()) {
        case .bootstrap: self = .bootstrap(try Self.samples(from: &reader, model))
        case .halfSampling:
            let samples = try Self.samples(from: &reader, model)
            let allowances = try reader.readDoubles()
            guard allowances.count == model.armCount - 1, allowances.allSatisfy({ $0 >= 0 && $0.isFinite })
            else { throw BinaryReader.corrupt("the intervals have allowances that make no sense") }
            self = .halfSampling(samples, allowances: allowances)
        case .analytic:
            var covariances: [[Double]] = []
            for _ in 0..<(try reader.readCount(elementSize: 8)) {
                covariances.append(try reader.readDoubles())
            }
            guard covariances.count == model.armCount - 1,
                covariances.allSatisfy({ $0.allSatisfy(\.isFinite) })
            else {
                throw BinaryReader.corrupt("the covariances of the effects make no sense")
            }
            self = .analytic(covariances)
        case .forest: self = .forest
        case .auto, .none?, nil: throw BinaryReader.corrupt("the intervals are of an unknown kind")
        }
    }
}
