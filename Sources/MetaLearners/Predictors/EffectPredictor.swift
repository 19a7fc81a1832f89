import MetaLearnersCore

/// What turns covariates and nuisances into effects in a fitted model: a fitted learner, or an ensemble of several.
///
/// The model keeps the nuisance models, aligns tables and knows the spec; a predictor says which nuisances it needs,
/// and adds effect models of its own. A new kind of predictor is a conformance and its case in
/// `PredictorArchive.decode`.
protocol EffectPredictor: Sendable {
    /// The kind's name in model files; frozen.
    static var tag: String { get }

    /// The nuisances that predicting new rows takes, for arms 0..<`armCount`.
    func nuisanceRoles(armCount: Int) -> Set<NuisanceRole>

    /// How many models of single folds there are to ask by `ModelSelection.fold`; 0 where that is up to the
    /// nuisances alone.
    var foldCount: Int { get }

    /// The effects against control of rows that the models were not fitted to: for each arm but the control (and
    /// within an arm for each class of an outcome of several), one for each row.
    ///
    /// - Parameter input: the rows, and the nuisances of `nuisanceRoles` by the models that its selection names.
    func effects(_ input: PredictorInput, _ context: ExecutionContext) throws(MetaLearnersError)
        -> [[Double]]

    /// The effect models within, by name, for those who look into a model.
    func parts(_ labels: [String]) -> [ModelPart]

    /// What the effect models warn of, with the part's name.
    func warnings(_ labels: [String]) -> [String]

    /// What else there is to say of the predictor, for those who look into a model; nil for nothing.
    func details(_ labels: [String]) -> SpecValue?

    /// Writes all that prediction needs.
    func encode(to writer: inout BinaryWriter)

    /// Reads what `encode` wrote, and checks that it is whole.
    ///
    /// - Throws: `corruptModel`, `unsupported` for a backend that the registry lacks.
    init(from reader: inout BinaryReader, _ model: PredictorArchive.Surroundings) throws(MetaLearnersError)
}

extension EffectPredictor {
    func details(_ labels: [String]) -> SpecValue? { nil }
}
