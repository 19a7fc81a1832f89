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
    /// The label of the control arm. Where nil it is the lowest of numbers, and of texts the first that says so
    /// ("control", "placebo", "untreated", "none", "no", "false", "0"), else the first in order.
    public var control: String?
    /// The outcome column.
    public var outcome: String?
    /// How the outcome is to be understood.
    public var outcomeType = OutcomeType.auto
    /// Columns that are categories whatever is in them: numbers that are names, and texts that would otherwise be taken
    /// for misspelt numbers or for identifiers.
    public var categorical: [String] = []
    /// The columns to learn from; every column that plays no other part where empty.
    public var covariates: [String] = []
    /// Values that mean "missing" in any column, beside those that always do.
    public var missingValues: [String] = []
    /// The column whose rows belong together. It is no covariate: whole clusters are held out, so that models are
    /// always asked about clusters that they never saw.
    public var cluster: String?
    /// The column of sample weights.
    public var weight: String?
    /// Columns of known propensities: one for two arms (the treated arm's), or one per arm, the control first.
    public var propensity: [String] = []
    /// Known propensities that are the same in every row, the shares of a trial: the treated arm's, or one per arm, the
    /// control first; empty where there are none or they are columns.
    public var propensityShares: [Double] = []
    /// Columns to leave out of the covariates.
    public var exclude: [String] = []
    /// What to do with rows that have no outcome.
    public var missingOutcome = MissingOutcome.error
    /// What to do with a level that training never saw.
    public var unseenLevels = UnseenLevels.missing

    public init() {}

    /// Whether a column has a part by its name: as treatment, outcome, cluster, weight, propensity or covariate, or as one to leave out.
    package func names(_ column: String) -> Bool {
        [treatment, outcome, cluster, weight].contains(column)
            || (covariates + propensity + exclude).contains(column)
    }

    /// The shares of a trial, one per arm; nil where propensities are not known as such.
    ///
    /// - Throws: `invalidSpec` where there are not as many as arms (or one for two).
    package func shares(armCount: Int) throws(MetaLearnersError) -> [Double]? {
        guard let first = propensityShares.first else { return nil }
        if propensityShares.count == 1, armCount == 2 { return [1 - first, first] }
        guard propensityShares.count == armCount else {
            throw SpecPath.root.appending("data").appending("propensity").error(
                "has \(propensityShares.count) shares for \(armCount) arms",
                remedy: "give one per arm, the control first (for two arms, the treated arm's alone will do)")
        }
        return propensityShares
    }

    public static let parameters: [Parameter<DataSpec>] = [
        .optionalText("treatment", \.treatment, "column that says which arm a row is in (required)"),
        Parameter(
            "control",
            "label of the control arm; where absent the lowest number, or the text that says so (control, placebo, none, no, …), else the first in order",
            range: "text or number",
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
        .texts(
            "categorical", \.categorical,
            "columns that are categories whatever is in them: numbers that are names, texts that look like numbers or identifiers"
        ),
        .texts(
            "covariates", \.covariates,
            "columns to learn from; where empty, all that play no other part and are not excluded"),
        Parameter(
            "missing_values",
            "values that mean missing in any column, such as -9 or 'refused', beside the spellings that always do",
            range: "list of texts and numbers",
            read: { value, place, spec throws(MetaLearnersError) in
                var values: [String] = []
                for element in value.arrayValue ?? [value] {
                    switch element {
                    case .string(let text): values.append(text)
                    case .integer(let number): values.append(String(number))
                    case .number(let number) where number.isFinite:
                        values.append(Column.label(of: number))
                    default:
                        throw place.error("must be a list of texts and numbers, not \(element.kindName)")
                    }
                }
                spec.missingValues = values
            },
            write: { .array($0.missingValues.map { .string($0) }) }),
        .optionalText(
            "cluster", \.cluster,
            "column whose rows belong together (a school); never a covariate"),
        .optionalText("weight", \.weight, "column of sample weights"),
        Parameter(
            "propensity",
            "known treatment probabilities: columns, or the shares of a trial as numbers; the treated arm's, or one per arm with the control first",
            range: "list of columns, or of numbers between 0 and 1",
            read: { value, place, spec throws(MetaLearnersError) in
                let elements = value.arrayValue ?? [value]
                let names = elements.compactMap(\.stringValue)
                let shares = elements.compactMap(\.doubleValue)
                guard names.count == elements.count || shares.count == elements.count else {
                    throw place.error("is \(value.json()), must be: columns, or numbers between 0 and 1")
                }
                guard shares.allSatisfy({ $0 > 0 && $0 < 1 }) else {
                    throw place.error("is \(value.json()), must be: numbers between 0 and 1")
                }
                guard shares.count <= 1 || abs(shares.reduce(0, +) - 1) <= 1e-6 else {
                    throw place.error("adds up to \(shares.reduce(0, +)), not to 1")
                }
                spec.propensity = names
                spec.propensityShares = shares
            },
            write: { spec in
                .array(
                    spec.propensityShares.isEmpty
                        ? spec.propensity.map { .string($0) } : spec.propensityShares.map { .number($0) })
            }),
        .texts("exclude", \.exclude, "columns to leave out of the covariates"),
        .choice("missing_outcome", \.missingOutcome, "rows without an outcome: refuse the data or drop them"),
        .choice("unseen_levels", \.unseenLevels, "levels not seen in training: count as missing, or refuse"),
    ]
}
