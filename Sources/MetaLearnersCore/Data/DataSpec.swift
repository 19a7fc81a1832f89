/// Which column of a table plays which part: the `data` section of a spec.
public struct DataSpec: ParameterizedSpec {
    /// How the outcome is to be understood.
    public enum OutcomeType: String, Sendable, CaseIterable {
        /// Binary where it has exactly the values 0 and 1, or is a category of two levels; classes where it is a
        /// category of more; else continuous.
        case auto
        case continuous
        case binary
        /// Several classes without an order; numbers are names of classes.
        case classes
        /// How often something happened: 0 or more.
        case count
    }

    /// What to do with rows that have no outcome.
    public enum MissingOutcome: String, Sendable, CaseIterable {
        case error
        case drop
    }

    /// What to do, in prediction, with a level that training never saw.
    public enum UnseenLevels: String, Sendable, CaseIterable {
        /// Count it as missing, and say how many there were.
        case missing
        case error
    }

    /// The treatment column.
    public var treatment: String?
    /// The label of the control arm; the lowest one where nil.
    public var control: String?
    /// The outcome column.
    public var outcome: String?
    /// How the outcome is to be understood.
    public var outcomeType = OutcomeType.auto
    /// Numeric columns whose numbers are names of categories.
    public var categorical: [String] = []
    /// The column whose rows belong together. It is no covariate: whole clusters are held out, so that models are
    /// always asked about clusters that they never saw.
    public var cluster: String?
    /// The column of sample weights.
    public var weight: String?
    /// Columns of known propensities: one for two arms (the treated arm's), or one an arm, the control first.
    public var propensity: [String] = []
    /// Columns to leave out of the covariates.
    public var exclude: [String] = []
    /// What to do with rows that have no outcome.
    public var missingOutcome = MissingOutcome.error
    /// What to do with a level that training never saw.
    public var unseenLevels = UnseenLevels.missing

    public init() {}

    public static let parameters: [Parameter<DataSpec>] = [
        .optionalText("treatment", \.treatment, "column that says which arm a row is in (required)"),
        Parameter(
            "control", "label of the control arm; the lowest label where absent", range: "text or number",
            read: { value, place, spec throws(MetaLearnersError) in
                switch value {
                case .string(let text): spec.control = text
                case .integer(let number): spec.control = String(number)
                case .number(let number): spec.control = Column.label(of: number)
                case .boolean(let flag): spec.control = flag ? "true" : "false"
                default: throw place.error("must be a label, not \(value.kindName)")
                }
            },
            write: { $0.control.map { .string($0) } ?? .null }),
        .optionalText("outcome", \.outcome, "column that was observed after treatment (required)"),
        .choice(
            "outcome_type", \.outcomeType,
            "auto: binary where the values are 0 and 1 or two levels, classes for text of more, else continuous"
        ),
        .texts("categorical", \.categorical, "numeric columns whose numbers name categories"),
        .optionalText(
            "cluster", \.cluster,
            "column whose rows belong together (a school); never a covariate"),
        .optionalText("weight", \.weight, "column of sample weights"),
        .texts(
            "propensity", \.propensity,
            "columns of known treatment probabilities: the treated arm's, or one an arm with the control first"
        ),
        .texts("exclude", \.exclude, "columns to leave out of the covariates"),
        .choice("missing_outcome", \.missingOutcome, "rows without an outcome: refuse the data or drop them"),
        .choice("unseen_levels", \.unseenLevels, "levels not seen in training: count as missing, or refuse"),
    ]
}
