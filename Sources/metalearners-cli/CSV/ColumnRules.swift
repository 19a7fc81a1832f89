import MetaLearnersCore

/// What a spec or a model says of the columns of a file, before it is read: which are labels, which are numbers.
package struct ColumnRules: Sendable {
    /// How the fields of a column are to be understood.
    enum Use: Equatable {
        /// As numbers where all are numbers, else as texts.
        case covariate
        /// The same for the outcome.
        case outcome
        /// As numbers; anything else is an error.
        case numbers
        /// As labels, each exactly as it is: integers of any length, `007`.
        case treatment
        /// The same for an outcome of classes.
        case classes
        /// The same, and the spec insists that texts are meant as such.
        case category
        /// The same for clusters, whose names may be of any kind.
        case cluster
        /// As levels that a model knows.
        case levels(Set<String>)
        /// Nobody asks.
        case ignored
        /// Nobody asks, and nothing of it is to take memory: it is read as numbers that are missing.
        case passed
    }

    /// What means "missing" beside the usual spellings.
    let missing: MissingValues
    private var uses: [String: Use] = [:]
    /// Columns that the command line asks for, whatever else they are.
    private var asked: Set<String> = []
    private var others: Use

    /// Every column may be a covariate.
    package init() {
        missing = MissingValues([])
        others = .covariate
    }

    /// What `spec` says of the columns to learn from.
    package init(_ spec: DataSpec) {
        missing = MissingValues(spec.missingValues)
        others = spec.covariates.isEmpty ? .covariate : .ignored
        for name in spec.covariates { uses[name] = .covariate }
        for name in spec.exclude { uses[name] = .ignored }
        if let name = spec.outcome {
            switch spec.outcomeType {
            case .auto: uses[name] = .outcome
            case .continuous, .count: uses[name] = .numbers
            case .binary, .classes: uses[name] = .classes
            }
        }
        if let name = spec.cluster { uses[name] = .cluster }
        if let name = spec.treatment { uses[name] = .treatment }
        for name in spec.categorical { uses[name] = .category }
        for name in spec.propensity + [spec.weight].compactMap(\.self) { uses[name] = .numbers }
    }

    /// What a model expects of new rows: its covariates as it knows them.
    package init(_ schema: CovariateSchema, _ spec: DataSpec) {
        self.init(schema, missing: MissingValues(spec.missingValues))
        for name in spec.propensity { uses[name] = .numbers }
    }

    /// What a model expects of rows that also have a treatment and an outcome.
    package init(training schema: CovariateSchema, _ spec: DataSpec) {
        let own = ColumnRules(spec)
        self.init(schema, missing: own.missing)
        // A column that is no covariate plays the part that the spec gives it.
        for (name, use) in own.uses where uses[name] == nil { uses[name] = use }
    }

    private init(_ schema: CovariateSchema, missing: MissingValues) {
        self.missing = missing
        others = .ignored
        for field in schema.fields {
            switch field.kind {
            case .numeric: uses[field.name] = .numbers
            case .categorical(let levels): uses[field.name] = .levels(Set(levels))
            }
        }
    }

    /// The same rules, where more columns are read than the spec says: numbers that were computed elsewhere, and columns to
    /// group by.
    package func reading(numbers: [String], groups: [String]) -> ColumnRules {
        var rules = self
        rules.asked.formUnion(groups)
        for name in groups where rules.use(of: name) == .ignored { rules.uses[name] = .covariate }
        for name in numbers { rules.uses[name] = .numbers }
        return rules
    }

    /// The same rules, where columns that nobody asks for take no memory.
    var passing: ColumnRules {
        var rules = self
        for (name, use) in rules.uses where use == .ignored { rules.uses[name] = .passed }
        if rules.others == .ignored { rules.others = .passed }
        return rules
    }

    /// What the columns of a file are once it is known as a whole: numbers, or texts of known levels.
    func settled(by schema: Table) -> ColumnRules {
        var rules = self
        for column in schema.columns where use(of: column.name) != .passed {
            rules.uses[column.name] = column.levels.map { .levels(Set($0)) } ?? .numbers
        }
        return rules
    }

    /// Whether the spec, the model or the command line gives the column a part, be it that it is left out.
    func isNamed(_ name: String) -> Bool { uses[name] != nil || asked.contains(name) }

    /// How the fields of the column called `name` are to be understood.
    func use(of name: String) -> Use { uses[name] ?? others }
}
