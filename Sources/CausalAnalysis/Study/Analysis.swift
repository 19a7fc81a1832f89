import MetaLearnersCore

/// One question asked of a study: its options as parameters, and how it is answered.
///
/// A type that conforms is one file, and its line in `AnalysisRegistry.default` brings it to the command line, to C and to
/// every binding: name, options, defaults, ranges and help all come from what it states here.
public protocol Analysis: ParameterizedSpec {
    /// The name in requests and results: lower case, words joined by underscores.
    static var name: String { get }
    /// What tables and reports call it.
    static var title: String { get }
    /// The question that it answers, in one sentence.
    static var summary: String { get }
    /// Which kind of question that is: it decides which command asks it.
    static var topic: AnalysisTopic { get }
    /// Whether the command of the topic runs it unasked: false for details that only those want who name it.
    static var runsByDefault: Bool { get }
    /// Whether a report has it without being asked: as `runsByDefault` says, and false for what takes long or needs a
    /// question of its own.
    static var isPartOfReports: Bool { get }

    /// What a study must have for it.
    var needs: StudyParts { get }

    /// Columns of the data that it reads beside the covariates, such as a cost.
    var dataColumns: [String] { get }

    /// Those of `dataColumns` that are no covariates unless the spec lists them: costs, and rankings that were computed elsewhere.
    var foreignColumns: [String] { get }

    /// Answers the question.
    ///
    /// - Parameters:
    ///   - study: has all that `needs` says.
    ///   - scheduler: the threads, the progress and the cancellation of the run.
    /// - Throws: `invalidArgument` for options that do not go with the study, `cancelled`, `numericalFailure`.
    func run(_ study: CausalStudy, _ scheduler: Scheduler) throws(MetaLearnersError) -> AnalysisResult
}

extension Analysis {
    public static var runsByDefault: Bool { true }
    public static var isPartOfReports: Bool { runsByDefault }
    public var dataColumns: [String] { [] }
    public var foreignColumns: [String] { [] }

    /// Runs the analysis with options of the caller, once the study is known to have what it needs.
    ///
    /// - Throws: `invalidSpec` for an option out of its range, `unsupported` where the study lacks something, and what
    ///   `run(_:_:)` throws.
    public func run(_ study: CausalStudy, _ options: ExecutionOptions = ExecutionOptions())
        throws(MetaLearnersError) -> AnalysisResult
    {
        let checked = try validated()
        try study.require(checked.needs, for: Self.name)
        // Scores, weights and orders of the rows, of each arm.
        try AvailableMemory.require(
            study.rowCount, of: 64 + 32 * study.armLabels.count, for: "'\(Self.name)'")
        var result = try checked.run(study, Scheduler(options))
        if checked.judgesEffects || result.assumptions.contains(Assumption.foreignEffects)
            || study.origin == .inSample && checked.needs.contains(.effects),
            let warning = study.ownEffectsWarning
        {
            result.warnings.append(warning)
        }
        if checked.needs.contains(.scores), let warning = study.ownNuisancesWarning {
            result.warnings.append(warning)
        }
        return result
    }

    /// Whether it says how good effects are, or what following them is worth.
    private var judgesEffects: Bool {
        [.ranking, .evaluation, .policy].contains(Self.topic) && needs.contains([.effects, .propensities])
    }

    /// An answer under the analysis' own name and title, to be filled.
    package var emptyResult: AnalysisResult { AnalysisResult(analysis: Self.name, title: Self.title) }
}

/// The kinds of question, in the order in which an analyst asks them.
public enum AnalysisTopic: String, Sendable, CaseIterable {
    /// Can these data answer at all? Overlap, balance, suspicious columns.
    case checks
    /// Does the treatment work on average?
    case averageEffects = "average_effects"
    /// Does it work differently for different people, and how much?
    case heterogeneity
    /// Do those who are ranked first gain most?
    case ranking
    /// How good are the effects of a model?
    case evaluation
    /// Whom to treat, and what is it worth?
    case policy
    /// What would have to be true for the answer to be wrong?
    case refutation

    /// The heading in reports.
    public var title: String {
        switch self {
        case .checks: "Overlap and balance"
        case .averageEffects: "Average effects"
        case .heterogeneity: "Differences between people"
        case .ranking: "Quality of the ranking"
        case .evaluation: "Quality of the effects"
        case .policy: "Whom to treat"
        case .refutation: "Attempts to refute"
        }
    }
}

/// What a study may have beside outcomes and arms.
public struct StudyParts: OptionSet, Sendable {
    public let rawValue: Int
    public init(rawValue: Int) { self.rawValue = rawValue }

    /// The covariates of each row.
    public static let covariates = StudyParts(rawValue: 1)
    /// The probability of each arm.
    public static let propensities = StudyParts(rawValue: 2)
    /// The mean of the outcome in each arm.
    public static let armMeans = StudyParts(rawValue: 4)
    /// The effect of each arm.
    public static let effects = StudyParts(rawValue: 8)
    /// The effects as they really are: simulated data alone have them.
    public static let trueEffects = StudyParts(rawValue: 16)
    /// The spec and the data, so that models can be fitted anew.
    public static let fitting = StudyParts(rawValue: 32)
    /// The fitted model that the effects are of, with the data.
    public static let model = StudyParts(rawValue: 64)

    /// Doubly robust scores: made of propensities and arm means.
    public static let scores: StudyParts = [.propensities, .armMeans]

    /// Each part, with what messages call it and how to have it.
    static let names: [(part: StudyParts, name: String, remedy: String)] = [
        (.covariates, "covariates", "give the data along with the model"),
        (.propensities, "propensities", "fit a model, or give a column of propensities for each arm"),
        (.armMeans, "arm means", "fit a model, or give a column of expected outcomes for each arm"),
        (.effects, "effects", "fit a learner, or give a column of effects for each arm but the control"),
        (.trueEffects, "true effects", "only simulated data have them: name their columns"),
        (.fitting, "a spec to fit anew", "give the spec and the data instead of columns"),
        (.model, "the model of its effects", "fit a learner, and give the data along with the model"),
    ]
}
