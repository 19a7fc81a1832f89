import MetaLearnersCore

/// The base learner of a role: a backend with its parameters, and which covariates it sees.
public struct RoleModelSpec: Sendable, Equatable {
    /// The backend with its parameters.
    public var choice: EstimatorChoice
    /// The covariates.
    public var columns = ColumnSelection.all
    /// How predicted probabilities are calibrated; of use to the propensity alone.
    public var calibration = Calibration.none

    /// Creates the model of a role.
    public init(_ choice: EstimatorChoice, columns: ColumnSelection = .all, calibration: Calibration = .none)
    {
        self.choice = choice
        self.columns = columns
        self.calibration = calibration
    }

    /// Creates the model of a role.
    public init(_ backend: String, _ parameters: SpecObject = SpecObject()) {
        self.init(EstimatorChoice(backend, parameters))
    }

    /// Creates the model of a role with parameters by their types:
    /// `RoleModelSpec(TreesEstimator.self) { $0.maxLeaves = 4 }`.
    ///
    /// - Parameter configure: changes the backend's defaults.
    public init<Estimator: BaseEstimator>(
        _ type: Estimator.Type, _ configure: (inout Estimator.Spec) -> Void = { _ in }
    ) {
        self.init(EstimatorChoice(type, configure))
    }

    /// The backend's name.
    public var backend: String { choice.backend }

    /// Reads `NAME` or `{backend: NAME, columns: …, …}`; without a backend, the parameters change those of `standard`.
    ///
    /// - Parameter calibrated: whether `calibration` is a key.
    /// - Throws: `invalidSpec`.
    init(_ value: SpecValue, at place: SpecPath, standard: RoleModelSpec, calibrated: Bool = false)
        throws(MetaLearnersError)
    {
        columns = standard.columns
        calibration = standard.calibration
        guard var object = value.objectValue else {
            choice = try EstimatorChoice(value, at: place, standard: standard.choice)
            return
        }
        if let given = object["columns"] {
            columns = try ColumnSelection(given, at: place.appending("columns"))
            object["columns"] = nil
        }
        if calibrated, let given = object["calibration"] {
            guard let known = given.stringValue.flatMap(Calibration.init) else {
                throw place.appending("calibration").error(
                    "is \(given.json()), must be one of "
                        + Calibration.allCases.map(\.rawValue).joined(separator: ", "))
            }
            calibration = known
            object["calibration"] = nil
        }
        choice = try EstimatorChoice(.object(object), at: place, standard: standard.choice)
    }

    /// The positions of the covariates that the model sees; nil for all.
    ///
    /// - Throws: `invalidSpec` for a column that is not there.
    func columns(of covariates: Table, at place: SpecPath) throws(MetaLearnersError) -> [Int]? {
        try columns.positions(in: covariates.columns.map(\.name), at: place.appending("columns"))
    }

    /// The model as a spec has it.
    func specValue(calibrated: Bool = false) -> SpecValue {
        var object = choice.specValue.objectValue ?? SpecObject()
        if columns != .all { object["columns"] = columns.specValue }
        if calibrated { object["calibration"] = .string(calibration.rawValue) }
        return .object(object)
    }
}

/// How predicted probabilities are made to agree with how often things happen.
public enum Calibration: String, Sendable, CaseIterable {
    /// As the model predicts them.
    case none
    /// A step function that never falls (isotonic regression; Zadrozny & Elkan 2002, KDD).
    case isotonic
    /// A logistic function of the logit of the prediction (Platt 1999).
    case platt
}
