import MetaLearners
import MetaLearnersCore

/// How hyper-parameters are searched: the section `tuning` of a document that is otherwise a spec.
public struct TuningSpec: ParameterizedSpec {
    /// Which settings are tried.
    public enum Method: String, Sendable, CaseIterable {
        /// Every combination of the values of a space; ranges at evenly spread points.
        case grid
        /// Settings drawn at random.
        case random
        /// Settings of the grid, or drawn where `candidates` says how many; most of them at a part of the cost (successive
        /// halving; Jamieson & Talwalkar 2016, arXiv 1502.07943).
        case halving
    }

    /// How settings of nuisances and of effect models are put together.
    public enum Strategy: String, Sendable, CaseIterable {
        /// Nuisances are chosen by their own loss, and effect models are tuned on the best.
        case staged
        /// Every setting of the effect model on every combination of nuisances.
        case joint
    }

    /// How points of a space are drawn.
    public enum Sampling: String, Sendable, CaseIterable {
        /// A Sobol sequence, shifted at random (Joe & Kuo 2008); of more than twenty parameters a Latin hypercube.
        case sobol
        /// A Latin hypercube (McKay, Beckman & Conover 1979).
        case latinHypercube = "latin_hypercube"
    }

    /// What effects are judged by, on rows that their models have not seen.
    public enum Score: String, Sendable, CaseIterable {
        /// `r_loss`, or `dr_loss` for an outcome of several classes.
        case auto
        /// Mean of ((Y − m) − (W − ē)·τ)² (Nie & Wager 2021, arXiv 1712.04912).
        case rLoss = "r_loss"
        /// Mean of (ψ − τ)², ψ being the doubly robust scores (Kennedy 2023, arXiv 2004.14497).
        case drLoss = "dr_loss"
        /// Mean of (D − τ)², D being Y − μ_0 in the arm and μ_k − Y in the control (Künzel et al. 2019, arXiv 1706.03461).
        case xLoss = "x_loss"
        /// AUTOC: how much more those gain who are ranked first (Yadlowsky et al. 2021, arXiv 2111.07966). Larger is better.
        case rate
    }

    /// What nuisances are judged by.
    public enum NuisanceScore: String, Sendable, CaseIterable {
        /// `log_loss` for probabilities, `rmse` for numbers.
        case auto
        /// The root of the mean squared error; of probabilities that of the Brier score.
        case rmse
        /// −log of the probability of what happened; `rmse` for numbers.
        case logLoss = "log_loss"
        /// The mean squared error of probabilities; `rmse` for numbers.
        case brier
    }

    /// The nuisances that effects of all candidates are judged with.
    public enum ScoringNuisances: String, Sendable, CaseIterable {
        /// Those of the least loss.
        case best
        /// Those of the spec's own models.
        case spec
    }

    /// Which candidate is chosen.
    public enum Choice: String, Sendable, CaseIterable {
        /// That of the best score.
        case best
        /// Of those that are worse by one standard error of the difference at most, the one whose effects vary least.
        case oneStdError = "one_std_error"
    }

    public var method = Method.grid
    public var strategy = Strategy.staged
    /// How many settings of each role are drawn; 0 for the grid, of `random` for 20.
    public var candidates = 0
    public var sampling = Sampling.sobol
    /// The learners; those of the spec where there are none.
    public var learners: [String] = []
    /// The settings of the base learners.
    public var models = SearchSpace()
    public var score = Score.auto
    public var nuisanceScore = NuisanceScore.auto
    public var scoringNuisances = ScoringNuisances.best
    public var choose = Choice.best
    /// The share of rows (or clusters) that are held out to judge; 0 for judgement out of fold.
    public var validationShare = 0.0
    public var halving = HalvingSpec()
    /// Whether scores on the rows of training are wanted too.
    public var trainScores = true
    public var seed = 0

    public init() {}

    public static let parameters: [Parameter<TuningSpec>] = [
        .choice("method", \.method, "which settings are tried"),
        .choice("strategy", \.strategy, "best nuisances first, then effects; or all combinations"),
        .integer(
            "candidates", \.candidates, in: 0...100_000,
            "settings that are drawn of each role; 0 for the grid, with random for 20"),
        .choice("sampling", \.sampling, "how settings are drawn"),
        .texts("learners", \.learners, "the learners; the spec's own where empty"),
        Parameter(
            "models", "settings of the base learners by role: {outcome: …, propensity: …, effect: …}",
            range: "for each role a backend with lists and ranges, or a list of such",
            read: { value, place, spec throws(MetaLearnersError) in
                spec.models = try SearchSpace(value, at: place)
            }, write: { $0.models.specValue }),
        .choice("score", \.score, "what effects are judged by"),
        .choice("nuisance_score", \.nuisanceScore, "what nuisances are judged by"),
        .choice(
            "scoring_nuisances", \.scoringNuisances,
            "nuisances that all effects are judged with: one set for all"),
        .choice(
            "choose", \.choose, "the best score, or the plainest effects within one standard error of it"),
        .number(
            "validation_share", \.validationShare, in: 0...0.9,
            "share of rows held out to judge by, at least 0.05; 0 to judge out of fold"),
        .nested("halving", \.halving, "what the method halving saves, and how"),
        .boolean("train_scores", \.trainScores, "scores on the rows of training too"),
        .integer("seed", \.seed, in: 0...Int.max, "seed of drawn settings and held-out rows"),
    ]

    public func check(at place: SpecPath) throws(MetaLearnersError) {
        guard validationShare == 0 || validationShare >= 0.05 else {
            throw place.appending("validation_share").error(
                "is \(validationShare), must be 0 or at least 0.05",
                remedy: "hold more rows out, or judge out of fold by 0")
        }
    }

    /// How many settings of each role are drawn; 0 for the grid.
    var drawn: Int { method == .random && candidates == 0 ? 20 : method == .grid ? 0 : candidates }

    /// Parts a document into a spec and its section `tuning`.
    ///
    /// - Throws: `invalidSpec`.
    public static func document(_ value: SpecValue) throws(MetaLearnersError) -> (
        spec: SpecValue, tuning: TuningSpec
    ) {
        guard var object = value.objectValue else { return (value, TuningSpec()) }
        let place = SpecPath.root.appending("tuning")
        let tuning = try TuningSpec(object["tuning"] ?? .null, at: place)
        object["tuning"] = nil
        return (.object(object), tuning)
    }
}

/// What successive halving saves: the section `tuning.halving`.
public struct HalvingSpec: ParameterizedSpec {
    /// What candidates get a part of at first.
    public enum Resource: String, Sendable, CaseIterable {
        /// The rows that models are fitted to.
        case rows
        /// The trees of models that have any; others get all of their cost at once.
        case trees
    }

    public var resource = Resource.rows
    /// By what the candidates become fewer, and their share of the resource larger, from round to round.
    public var factor = 3.0
    /// The share of the resource in the first round, at least.
    public var leastShare = 0.1

    public init() {}

    public static let parameters: [Parameter<HalvingSpec>] = [
        .choice("resource", \.resource, "what is spared in the first rounds"),
        .number("factor", \.factor, in: 1.1...100, "candidates become fewer by it in each round, and dearer"),
        .number(
            "least_share", \.leastShare, in: 0...1, exclusiveLower: true,
            "share of the resource in the first round, at least"),
    ]

    /// The share of the resource in each round for so many candidates: the last is 1, each before it smaller by `factor`, and
    /// as many that one candidate would be left after the last.
    func shares(_ count: Int) -> [Double] {
        var shares = [1.0]
        var left = Double(count) / factor
        while left > 1, let first = shares.first, first / factor >= leastShare * (1 - 1e-12) {
            shares.insert(first / factor, at: 0)
            left /= factor
        }
        return shares
    }

    /// How many of `count` go on to the next round.
    func survivors(of count: Int) -> Int { max(1, Int((Double(count) / factor).rounded(.up))) }
}
