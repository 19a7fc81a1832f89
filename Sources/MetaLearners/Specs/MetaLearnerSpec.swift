import MetaLearnersCore

/// The configuration of a whole estimation: what decides the result, and nothing else.
public struct MetaLearnerSpec: ParameterizedSpec {
    /// How the models of the folds serve new rows.
    public enum Prediction: String, Sendable, CaseIterable {
        /// Models fitted once more, on all rows.
        case full
        /// The mean over the models of the folds.
        case mean
        /// The median over the models of the folds.
        case median
    }

    /// How the R-learner fits the effects of several arms.
    public enum MultiArm: String, Sendable, CaseIterable {
        /// Each arm with the control, by itself.
        case pairwise
        /// All arms in one model of one loss.
        case joint
    }

    /// The version of the spec's format.
    public var version = 1
    /// Which column plays which part.
    public var data = DataSpec()
    /// The meta-learner.
    public var learner = LearnerKind.auto
    /// How effects of several arms are fitted.
    public var multiArm = MultiArm.pairwise
    /// What the learner `ensemble` stacks.
    public var ensemble = EnsembleSpec()
    /// What the learner `auto` weighs beside its own candidates.
    public var auto = AutoSpec()
    /// The base learners.
    public var models = ModelsSpec()
    /// Shared libraries with base learners, loaded before anything else. Where they were is nobody's business but this
    /// machine's: a model's spec has none.
    public var plugins: [String] = []
    /// How rows are held out.
    public var crossFitting = CrossFittingSpec()
    /// What to do about propensities near 0 or 1.
    public var overlap = OverlapSpec()
    /// How the models of the folds serve new rows.
    public var prediction = Prediction.full
    /// What effects are measured as.
    public var effectScale = EffectScale.difference
    /// Confidence intervals of effects.
    public var intervals = IntervalSpec()
    /// Whether learners without a model of each arm's outcome get one fitted beside them, which average effects take.
    public var averageEffects = true
    /// Whether the model keeps what belongs to its training rows.
    public var keepTraining = true
    /// The seed of everything that is drawn at random.
    public var seed = 1

    public init() {}

    public static let parameters: [Parameter<MetaLearnerSpec>] = [
        .integer("version", \.version, in: 1...1, "version of this format"),
        .nested("data", \.data, "which column plays which part"),
        Parameter(
            "learner",
            "meta-learner; auto needs no tuning and brings its own models (pw is another name of m)",
            range: "s, t, f, m, x, u, r, ra, dr, auto, ensemble, or one that an app registered",
            read: { value, place, spec throws(MetaLearnersError) in
                guard let name = value.stringValue else {
                    throw place.error("must be the name of a learner, not \(value.kindName)")
                }
                spec.learner = LearnerKind(rawValue: name)
            },
            write: { .string($0.learner.rawValue) }),
        .choice(
            "multi_arm", \.multiArm,
            "r with several arms: each arm with the control, or all arms in one loss"),
        .nested("ensemble", \.ensemble, "what the learner ensemble stacks"),
        .nested("auto", \.auto, "further candidates of the learner auto"),
        .nested("models", \.models, "base learners, each a backend with its parameters; none for auto"),
        .texts(
            "plugins", \.plugins,
            "shared libraries with more base learners; they run with all rights of this program"),
        .nested("cross_fitting", \.crossFitting, "how rows are held out"),
        .nested("overlap", \.overlap, "what to do about propensities near 0 or 1"),
        .choice(
            "prediction", \.prediction,
            "for new rows: models of all rows (full), or the mean or median of the models of the folds"),
        .choice("effect_scale", \.effectScale, "effects as differences, ratios or odds_ratios of arm means"),
        .nested("intervals", \.intervals, "confidence intervals of effects"),
        .boolean(
            "average_effects", \.averageEffects,
            "fit outcomes of each arm beside f, m, u, r and ensemble, which have none: average effects need them"
        ),
        .boolean(
            "keep_training", \.keepTraining,
            "store per-row results of the training rows in the model file (average effects from it need them)"
        ),
        .integer("seed", \.seed, in: 0...Int.max, "seed of everything drawn at random"),
    ]
}

extension MetaLearnerSpec {
    /// Whether anybody wants results for each training row: the model's file, or average effects.
    var keepsTrainingResults: Bool { keepTraining || averageEffects }

    /// The spec as models have it: the section `auto` where it says something.
    package var archivedValue: SpecObject {
        var object = specValue.objectValue ?? SpecObject()
        if auto == AutoSpec() { object["auto"] = nil }
        return object
    }
}
