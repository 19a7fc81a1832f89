extension CausalDataset {
    /// Makes a dataset of a table, whose columns `spec` tells apart.
    ///
    /// The covariates are the columns that `spec.covariates` names, or every column that plays no other part and is not
    /// excluded. A text column with about as many levels as rows is left out, with a warning, unless
    /// `spec.categorical` names it.
    ///
    /// - Throws: `invalidSpec` where treatment or outcome is not named, `invalidData` where a column is not there
    ///   or cannot play its part; `outOfMemory`.
    public init(_ table: Table, _ spec: DataSpec) throws(MetaLearnersError) {
        // Numbers of the parts, and what is worked out of them.
        try AvailableMemory.require(table.rowCount, of: 64, for: "a dataset of \(table.rowCount) rows")
        try self.init(DatasetParts(table, spec))
    }

    /// Makes the part of a dataset that one of several processes holds of a table whose columns all have agreed on.
    static func part(_ table: Table, _ spec: DataSpec, _ distribution: DistributedRows)
        throws(MetaLearnersError) -> CausalDataset
    {
        try AvailableMemory.require(table.rowCount, of: 64, for: "a dataset of \(table.rowCount) rows")
        return try CausalDataset(DatasetParts(table, spec))
    }

    /// Makes a dataset of its parts, with other covariates where these are given.
    package init(_ parts: DatasetParts, covariates: Table? = nil) throws(MetaLearnersError) {
        try self.init(
            covariates: covariates ?? parts.covariates, treatment: parts.treatment, outcome: parts.outcome,
            weights: parts.weights, clusters: parts.clusters, knownPropensities: parts.propensities,
            sourceRows: parts.sourceRows, warnings: parts.warnings, leftOut: parts.leftOut,
            names: parts.names)
    }
}

/// A table taken apart into what a dataset needs.
package struct DatasetParts: Sendable {
    let covariates: Table
    /// Covariates that are left out of fits.
    let leftOut: [Column]
    let treatment: Treatment
    var outcome: Outcome
    package let weights: [Double]?
    let clusters: [Int32]?
    let propensities: [[Double]]?
    package let sourceRows: [Int32]?
    let names: CausalDataset.PartNames
    var warnings: [String] = []

    /// How many rows have an outcome.
    package var rowCount: Int { outcome.numbers.count }

    init(_ source: Table, _ spec: DataSpec) throws(MetaLearnersError) {
        let treatmentName = try Self.required(spec.treatment, key: "treatment")
        let outcomeName = try Self.required(spec.outcome, key: "outcome")
        guard treatmentName != outcomeName else {
            throw MetaLearnersError(
                .invalidSpec, at: "data", "treatment and outcome are the same column '\(outcomeName)'")
        }
        for column in source.columns { try column.requireCodesWithinLevels(source.places) }
        let missing = MissingValues(spec.missingValues)
        var table = missing.isEmpty ? source : source.mapping(missing.marking)
        let outcomeSource = try table.requiredColumn(outcomeName, for: "data.outcome")
        sourceRows = try Self.keptRows(of: outcomeSource, spec, table.places, source.distribution)
        var dropped = source.rowCount - (sourceRows?.count ?? source.rowCount)
        var distribution = source.distribution
        if let shared = distribution {
            dropped = try shared.sum(dropped)
            // Rows of all processes count anew.
            distribution = dropped > 0 ? try shared.holding(sourceRows?.count ?? source.rowCount) : shared
        }
        if dropped > 0 { warnings.append("\(dropped) rows without an outcome were dropped") }
        let ofAllRows = table.columns.first { $0.name == treatmentName }
        if let sourceRows {
            let size = table.columns.reduce(0) { $0 + ($1.values.sparse == nil ? $1.values.element.size : 0) }
            try AvailableMemory.require(sourceRows.count, of: size, for: "a copy of the rows with an outcome")
            table = table.selecting(rows: sourceRows)
        }
        table = table.distributed(distribution)

        let treatmentColumn = try table.requiredColumn(treatmentName, for: "data.treatment")
        // Counted first: without the arms that have lost all their outcomes there may be no treatment.
        var attrition: AttritionWarning?
        if dropped > 0 {
            attrition = try AttritionWarning(ofAllRows ?? treatmentColumn, rows: sourceRows, distribution)
        }
        treatment = try Treatment(
            treatmentColumn, control: spec.control, places: table.places, distribution,
            attrition: attrition, warnings: &warnings)
        outcome = try Outcome(
            table.requiredColumn(outcomeName, for: "data.outcome"), type: spec.outcomeType,
            places: table.places, distribution, warnings: &warnings)
        if let name = spec.weight {
            weights = try Self.numbers(
                table.requiredColumn(name, for: "data.weight"), part: "weight", table.places)
        } else {
            weights = nil
        }
        if let name = spec.cluster {
            clusters = try Self.clusterCodes(
                table.requiredColumn(name, for: "data.cluster"), table.places, distribution)
        } else {
            clusters = nil
        }
        let rowCount = table.rowCount
        if let attrition { warnings += try attrition.texts(clusters: clusters, distribution) }
        if let shares = try spec.shares(armCount: treatment.armCount) {
            propensities = shares.map { [Double](repeating: $0, count: rowCount) }
        } else {
            propensities = try Self.propensities(table, spec.propensity, treatment.labels)
        }
        names = CausalDataset.PartNames(
            treatment: "treatment '\(treatmentName)'", outcome: "outcome '\(outcomeName)'",
            weight: spec.weight.map { "weight '\($0)'" } ?? "weight")
        (covariates, leftOut) = try Self.covariates(table, spec, &warnings)
    }

    static func required(_ name: String?, key: String) throws(MetaLearnersError) -> String {
        if let name { return name }
        throw MetaLearnersError(
            .invalidSpec, at: "data.\(key)", "is required", remedy: "name the column that holds the \(key)")
    }

    /// The rows that have an outcome; nil where all have.
    private static func keptRows(
        of column: Column, _ spec: DataSpec, _ places: RowPlaces, _ distribution: DistributedRows?
    ) throws(MetaLearnersError) -> [Int32]? {
        let missing: [Bool]
        if let codes = column.codes() {
            missing = codes.map { $0 < 0 }
        } else {
            missing = column.values.doubles().map { !$0.isFinite }
        }
        let count = missing.reduce(0) { $0 + ($1 ? 1 : 0) }
        guard count > 0, let first = missing.firstIndex(of: true) else { return nil }
        guard spec.missingOutcome == .drop else {
            throw MetaLearnersError(
                .invalidData, at: "outcome '\(column.name)'",
                "\(count) of \(column.count) rows are missing or infinite, the first is \(places.name(first))",
                remedy: "drop them with data.missing_outcome: drop")
        }
        // (Of several processes one may have no outcome at all.)
        guard count < column.count || distribution != nil else {
            throw MetaLearnersError(.invalidData, at: "outcome '\(column.name)'", "no row has a value")
        }
        return missing.indices.compactMap { missing[$0] ? nil : Int32($0) }
    }

    private static func numbers(_ column: Column, part: String, _ places: RowPlaces)
        throws(MetaLearnersError) -> [Double]
    {
        guard column.levels == nil else {
            throw MetaLearnersError(
                .invalidData, at: "\(part) '\(column.name)'", "is text\(column.example(places))",
                remedy: "it must be numeric")
        }
        return column.values.doubles()
    }

    private static func clusterCodes(
        _ column: Column, _ places: RowPlaces, _ distribution: DistributedRows?
    ) throws(MetaLearnersError) -> [Int32] {
        let codes = try column.asCategorical(distribution).codes() ?? []
        if let row = codes.firstIndex(where: { $0 < 0 }) {
            throw MetaLearnersError(
                .invalidData, at: "cluster '\(column.name)'", "\(places.name(row)) is missing",
                remedy: "give each row without a cluster one of its own")
        }
        return codes
    }

    private static func propensities(_ table: Table, _ names: [String], _ arms: [String])
        throws(MetaLearnersError) -> [[Double]]?
    {
        guard !names.isEmpty else { return nil }
        var columns: [[Double]] = []
        for (index, name) in names.enumerated() {
            let values = try numbers(
                table.requiredColumn(name, for: "data.propensity"), part: "propensity", table.places)
            let arm = arms.count == 2 && names.count == 1 ? 1 : index
            if arms.indices.contains(arm), let row = values.firstIndex(where: { !($0 > 0 && $0 < 1) }) {
                throw CausalDataset.badPropensity(
                    at: "propensity '\(name)'", values[row], arm: arms[arm], table.places.name(row))
            }
            columns.append(values)
        }
        if arms.count == 2, columns.count == 1 { columns.insert(columns[0].map { 1 - $0 }, at: 0) }
        return columns
    }

    /// The columns to learn from, and those among them that no model could learn from.
    private static func covariates(_ table: Table, _ spec: DataSpec, _ warnings: inout [String])
        throws(MetaLearnersError) -> (Table, leftOut: [Column])
    {
        let isCovariate = try spec.covariates(of: table)
        let categorical = Set(spec.categorical)
        var columns: [Column] = []
        var leftOut: [Column] = []
        for column in table.columns where isCovariate.contains(column.name) {
            if categorical.contains(column.name) {
                columns.append(try column.asCategorical(table.distribution))
            } else if let levels = try column.identifierLevels(table.distribution) {
                leftOut.append(column)
                warnings.append(Column.identifierWarning(column.name, levels.count, rows: levels.rows))
            } else {
                columns.append(column)
            }
        }
        let chosen = try Table(columns, rowCount: table.rowCount, places: table.places)
        return (chosen.distributed(table.distribution), leftOut)
    }
}

extension Column {
    /// How many different levels a text column has in how many rows, where these are so many that its texts look like
    /// identifiers: more than 20, and more than half as many as rows. Else nil.
    fileprivate func identifierLevels(_ distribution: DistributedRows?) throws(MetaLearnersError) -> (
        count: Int, rows: Int
    )? {
        guard let levels, levels.count > 20, let codes = codes() else { return nil }
        var isPresent = [Bool](repeating: false, count: levels.count)
        var rows = 0
        for code in codes where code >= 0 {
            isPresent[Int(code)] = true
            rows += 1
        }
        if let distribution {
            isPresent = try distribution.any(isPresent)
            rows = try distribution.sum(rows)
        }
        let count = isPresent.reduce(0) { $0 + ($1 ? 1 : 0) }
        return Self.areIdentifiers(count, rows: rows) ? (count, rows) : nil
    }

    /// Whether so many different texts in so many rows look like identifiers.
    static func areIdentifiers(_ count: Int, rows: Int) -> Bool { count > 20 && 2 * count > rows }

    /// The warning of a column that is left out.
    static func identifierWarning(_ name: String, _ count: Int, rows: Int) -> String {
        "column '\(name)' is left out: its \(count) different texts in \(rows) rows look like identifiers, from which nothing can be learned; name it under data.exclude, or under data.categorical to use it nonetheless"
    }
}

extension DataSpec {
    /// The names of the columns of `table` that are covariates.
    ///
    /// - Throws: `invalidData` for a column that is not there, `invalidSpec` for one with two parts to play.
    func covariates(of table: Table) throws(MetaLearnersError) -> Set<String> {
        for name in exclude { _ = try table.requiredColumn(name, for: "data.exclude") }
        for name in categorical { _ = try table.requiredColumn(name, for: "data.categorical") }
        for name in covariates { _ = try table.requiredColumn(name, for: "data.covariates") }
        var parts: [String: String] = [:]
        for name in exclude { parts[name] = "data.exclude" }
        for name in propensity { parts[name] = "data.propensity" }
        parts[cluster ?? ""] = cluster == nil ? nil : "data.cluster"
        parts[weight ?? ""] = weight == nil ? nil : "data.weight"
        parts[outcome ?? ""] = outcome == nil ? nil : "data.outcome"
        parts[treatment ?? ""] = treatment == nil ? nil : "data.treatment"
        if let name = covariates.first(where: { parts[$0] != nil }), let key = parts[name] {
            throw MetaLearnersError(
                .invalidSpec, at: "data.covariates", "'\(name)' is also named by \(key)",
                remedy: "a column plays one part")
        }
        let wanted = covariates.isEmpty ? table.columns.map(\.name) : covariates
        return Set(wanted.filter { parts[$0] == nil })
    }
}
