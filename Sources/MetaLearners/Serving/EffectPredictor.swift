import MetaLearnersCore

/// What turns covariates and nuisances into effects in a fitted model: a fitted learner, or a combination of several.
///
/// The model keeps the nuisance models, aligns tables and knows the spec; a predictor says which nuisances it needs,
/// and adds effect models of its own. Each `FittingStrategy` names the kinds of predictor that its models have.
public protocol EffectPredictor: Sendable {
    /// The kind's name in model files; frozen.
    static var tag: String { get }

    /// The nuisances that predicting new rows takes, for arms 0..<`armCount`.
    func nuisanceRoles(armCount: Int) -> Set<NuisanceRole>

    /// Whether it needs propensities that are known by design, beside its `nuisanceRoles`.
    var needsKnownPropensities: Bool { get }

    /// How many models of single folds there are to ask one by one; nil where there is no model beside the nuisances'.
    var foldCount: Int? { get }

    /// The effects against control of rows that the models were not fitted to: for each arm but the control (and
    /// within an arm for each class of an outcome of several), one for each row.
    ///
    /// - Parameter input: the rows, and the nuisances of `nuisanceRoles` by the models that its selection names.
    func effects(_ input: PredictorInput, _ context: ExecutionContext) throws(MetaLearnersError)
        -> [[Double]]

    /// What `effects` computes, as formulas: in the same order. None by default.
    ///
    /// - Throws: `unsupported`, saying which part has no formula.
    func formulas(_ input: PredictorFormulas) throws(MetaLearnersError) -> [Formula]

    /// The effect models within that may say how much they make of each covariate. None by default.
    ///
    /// - Throws: `invalidData` for a spec whose columns are not those of the schema.
    func importanceSources(_ schema: CovariateSchema, _ spec: MetaLearnerSpec, _ labels: [String])
        throws(MetaLearnersError) -> [ImportanceSource]

    /// The effect models within, by name, for those who look into a model.
    func parts(_ labels: [String]) -> [ModelPart]

    /// The backends that fitted the effect models.
    var backendNames: Set<String> { get }

    /// What the effect models warn of, with the part's name.
    func warnings(_ labels: [String]) -> [String]

    /// What else there is to say of the predictor, for those who look into a model; nil for nothing.
    func details(_ labels: [String]) -> SpecValue?

    /// Writes all that prediction needs.
    func encode(to writer: inout BinaryWriter)

    /// Reads what `encode` wrote, and checks that it is whole and belongs to the model.
    ///
    /// - Throws: `corruptModel`, `unsupported` for a backend that the registry lacks.
    init(from reader: inout BinaryReader, _ model: PredictorSurroundings) throws(MetaLearnersError)
}

extension EffectPredictor {
    public var needsKnownPropensities: Bool { false }
    public var foldCount: Int? { nil }
    public var backendNames: Set<String> { [] }
    public func parts(_ labels: [String]) -> [ModelPart] { [] }
    public func warnings(_ labels: [String]) -> [String] { [] }
    public func details(_ labels: [String]) -> SpecValue? { nil }
}

/// The rows that a predictor is asked about, with what it needs to know of them.
public struct PredictorInput: Sendable {
    /// The covariates, in the order of training; a role's own columns are those that the spec gives it.
    public let features: Table
    /// The nuisances that the predictor asked for.
    public let nuisances: NuisanceEstimates
    /// Propensities that are known by design, for each arm; nil where they are estimated, or nobody needs them.
    package let knownPropensities: [[Double]]?
    /// Which models answer.
    package let selection: ModelSelection
    /// The spec of the model.
    public let spec: MetaLearnerSpec
    /// The arms, the control first.
    public let armLabels: [String]
    /// The kind of outcome.
    public let outcomeKind: Outcome.Kind

    /// The one fold whose models are asked; nil for all of them.
    public var fold: Int? {
        if case .fold(let fold) = selection { return fold }
        return nil
    }
}

/// What a predictor is read in the light of.
public struct PredictorSurroundings: Sendable {
    /// The spec of the model.
    public let spec: MetaLearnerSpec
    /// How many arms there are.
    public let armCount: Int
    /// The kind of outcome.
    public let outcomeKind: Outcome.Kind
    /// Whether propensities are known by design, so that there are no models of them.
    public let knowsPropensities: Bool
    /// Whether the model is a member of a combination.
    package let isMember: Bool
    /// Where backends and learners are found.
    public let registry: Registry
}

/// The section `predictor` of a model file: the kind's tag, then what that kind wrote.
enum PredictorArchive {
    static func encode(_ predictor: any EffectPredictor, to writer: inout BinaryWriter) {
        writer.write(type(of: predictor).tag)
        predictor.encode(to: &writer)
    }

    /// - Throws: `corruptModel` for a tag that is unknown or not that of the model's learner, and what the predictor
    ///   throws.
    static func decode(from reader: inout BinaryReader, _ model: PredictorSurroundings)
        throws(MetaLearnersError) -> any EffectPredictor
    {
        let tag = try reader.readString()
        guard let kind = try model.registry.predictor(tagged: tag, of: model.spec.learner) else {
            throw BinaryReader.corrupt("it has a predictor '\(tag)', which its learner has not")
        }
        return try kind.init(from: &reader, model)
    }
}
