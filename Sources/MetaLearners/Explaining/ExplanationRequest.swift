import MetaLearnersCore

/// Which effects to explain, and how.
public struct ExplanationRequest: ParameterizedSpec {
    /// How values are found.
    public enum Method: String, Sendable, CaseIterable {
        /// `path_dependent` where the effect is a sum of trees, else `interventional`, else `permutation`.
        case automatic = "auto"
        /// Absent covariates count by the training rows at the splits of trees.
        case pathDependent = "path_dependent"
        /// Absent covariates have the values of background rows; exact where that is feasible, else estimated.
        case interventional
        /// The same, estimated from random orders of the covariates.
        case permutation
    }

    /// How values are found.
    public var method = Method.automatic
    /// How many background rows are drawn of those given.
    public var backgroundRows = 100
    /// Where values are estimated, how many orders of the covariates each background row gets, each with its reverse.
    public var permutations = 2
    /// Decides which background rows and which orders are drawn.
    public var seed = 0
    /// The arm whose effect is explained; nil for every one but the baseline.
    public var arm: String?
    /// The arm that it is compared with; nil for the control.
    public var baseline: String?
    /// What effects are measured as: difference, ratio or odds_ratio; nil for the spec's choice.
    public var scale: String?

    public static let parameters: [Parameter<ExplanationRequest>] = [
        .choice("method", \.method, "how values are found"),
        .integer(
            "background_rows", \.backgroundRows, in: 1...100_000,
            "rows that absent covariates take their values from, drawn of those given"),
        .integer(
            "permutations", \.permutations, in: 1...10_000,
            "where values are estimated: orders of the covariates for each background row, each with its reverse"
        ),
        .integer("seed", \.seed, in: 0...Int.max, "seed of everything drawn at random"),
        .label("arm", \.arm, "label of the arm that is explained; every arm where absent"),
        .label("baseline", \.baseline, "label of the arm that it is compared with; the control where absent"),
        .optionalText(
            "scale", \.scale, "effects as difference, ratio or odds_ratio; the spec's choice where absent"),
    ]

    /// Creates a request for the effects of every arm against the control, by the method that suits the model.
    public init() {}

    public func check(at place: SpecPath) throws(MetaLearnersError) {
        guard let scale, EffectScale(rawValue: scale) == nil else { return }
        let names = EffectScale.allCases.map(\.rawValue)
        throw place.appending("scale").error(
            "unknown value '\(scale)'", remedy: SpellingSuggestion.clause(forName: scale, in: names))
    }

    /// The prediction that is explained.
    var prediction: PredictionRequest {
        PredictionRequest(
            .effects, arm: arm, baseline: baseline, scale: scale.flatMap { EffectScale(rawValue: $0) })
    }
}
