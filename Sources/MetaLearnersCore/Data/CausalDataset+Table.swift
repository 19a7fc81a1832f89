extension CausalDataset {
    /// Makes a dataset of a table, whose columns `spec` tells apart.
    ///
    /// Every column that plays no other part and is not excluded is a covariate.
    ///
    /// - Throws: `invalidSpec` where treatment or outcome is not named, `invalidData` where a column is not there
    ///   or cannot play its part; `outOfMemory`.
    public init(_ table: Table, _ spec: DataSpec) throws(MetaLearnersError) {
        // Numbers of the parts, and what is worked out of them.
        try AvailableMemory.require(table.rowCount, of: 64, for: "a dataset of \(table.rowCount) rows")
        try self.init(Parts(table, spec))
    }

    private init(_ parts: Parts) throws(MetaLearnersError) {
        try self.init(
            covariates: parts.covariates, treatment: parts.treatment, outcome: parts.outcome,
            weights: parts.weights, clusters: parts.clusters, knownPropensities: parts.propensities,
            sourceRows: parts.sourceRows, warnings: parts.warnings)
    }
}

/// A table taken apart into what a dataset needs.
private struct Parts {
    let covariates: Table
    let treatment: Treatment
    let outcome: Outcome
    let weights: [Double]?
    let clusters: [Int32]?
    let propensities: [[Double]]?
    let sourceRows: [Int32]?
    var warnings: [String] = []

    init(_ source: Table, _ spec: DataSpec) throws(MetaLearnersError) {
        let treatmentName = try Self.required(spec.treatment, key: "treatment")
        let outcomeName = try Self.required(spec.outcome, key: "outcome")
        guard treatmentName != outcomeName else {
            throw MetaLearnersError(
                .invalidSpec, at: "data", "treatment and outcome are the same column '\(outcomeName)'")
        }
        var table = source
        let outcomeSource = try table.requiredColumn(outcomeName, for: "data.outcome")
        sourceRows = try Self.keptRows(of: outcomeSource, spec)
        if let sourceRows {
            warnings.append("\(source.rowCount - sourceRows.count) rows without an outcome were dropped")
            table = source.selecting(rows: sourceRows)
        }

        treatment = try Self.treatment(
            table.requiredColumn(treatmentName, for: "data.treatment"), control: spec.control)
        outcome = try Outcome(
            table.requiredColumn(outcomeName, for: "data.outcome"), type: spec.outcomeType)
        if let name = spec.weight {
            weights = try Self.numbers(table.requiredColumn(name, for: "data.weight"), part: "weight")
        } else {
            weights = nil
        }
        if let name = spec.cluster {
            clusters = try Self.clusterCodes(table.requiredColumn(name, for: "data.cluster"))
        } else {
            clusters = nil
        }
        let rowCount = table.rowCount
        if let shares = try spec.shares(armCount: treatment.armCount) {
            propensities = shares.map { [Double](repeating: $0, count: rowCount) }
        } else {
            propensities = try Self.propensities(table, spec.propensity, arms: treatment.armCount)
        }
        covariates = try Self.covariates(table, spec)
    }

    private static func required(_ name: String?, key: String) throws(MetaLearnersError) -> String {
        if let name { return name }
        throw MetaLearnersError(
            .invalidSpec, at: "data.\(key)", "is required", remedy: "name the column that holds the \(key)")
    }

    /// The rows that have an outcome; nil where all have.
    private static func keptRows(of column: Column, _ spec: DataSpec) throws(MetaLearnersError) -> [Int32]? {
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
                "\(count) of \(column.count) rows are missing or infinite, the first is row \(first + 1)",
                remedy: "drop them with data.missing_outcome: drop")
        }
        guard count < column.count else {
            throw MetaLearnersError(.invalidData, at: "outcome '\(column.name)'", "no row has a value")
        }
        return missing.indices.compactMap { missing[$0] ? nil : Int32($0) }
    }

    private static func treatment(_ column: Column, control: String?) throws(MetaLearnersError) -> Treatment {
        if column.levels == nil { try refuseContinuous(column) }
        let coded = column.asCategorical()
        guard let codes = coded.codes(), let levels = coded.levels else {
            throw MetaLearnersError(.internalFault, at: column.name, "a category without levels")
        }
        if let row = codes.firstIndex(where: { $0 < 0 }) {
            let count = codes.reduce(0) { $0 + ($1 < 0 ? 1 : 0) }
            throw MetaLearnersError(
                .invalidData, at: "treatment '\(column.name)'",
                "\(count) of \(codes.count) rows are missing, the first is row \(row + 1)",
                remedy: "remove these rows: a row without a treatment tells nothing about effects")
        }
        let present = Set(codes)
        var order = levels.indices.filter { present.contains(Int32($0)) }
        if let control {
            guard let position = order.firstIndex(where: { levels[$0] == control }) else {
                let labels = order.map { levels[$0] }
                throw MetaLearnersError(
                    .invalidData, at: "data.control", "no row of '\(column.name)' has the label '\(control)'",
                    remedy: SpellingSuggestion.clause(for: control, in: labels))
            }
            order.insert(order.remove(at: position), at: 0)
        }
        var armOfLevel = [Int32](repeating: 0, count: levels.count)
        for (arm, level) in order.enumerated() { armOfLevel[level] = Int32(arm) }
        return try Treatment(arms: codes.map { armOfLevel[Int($0)] }, labels: order.map { levels[$0] })
    }

    private static func refuseContinuous(_ column: Column) throws(MetaLearnersError) {
        var distinct: Set<Double> = []
        for (row, value) in column.values.doubles().enumerated() where !value.isNaN {
            guard value.isFinite else {
                throw MetaLearnersError(
                    .invalidData, at: "treatment '\(column.name)'", "row \(row + 1) is infinite",
                    remedy: "remove these rows: a row without a treatment tells nothing about effects")
            }
            distinct.insert(value)
            guard distinct.count <= 256 else {
                throw MetaLearnersError(
                    .invalidData, at: "treatment '\(column.name)'",
                    "has more than 256 different numbers: it looks continuous",
                    remedy: "treatments are arms here; group the doses into a few")
            }
        }
    }

    private static func numbers(_ column: Column, part: String) throws(MetaLearnersError) -> [Double] {
        guard column.levels == nil else {
            throw MetaLearnersError(
                .invalidData, at: "\(part) '\(column.name)'", "is text", remedy: "it must be numeric")
        }
        return column.values.doubles()
    }

    private static func clusterCodes(_ column: Column) throws(MetaLearnersError) -> [Int32] {
        let codes = column.asCategorical().codes() ?? []
        if let row = codes.firstIndex(where: { $0 < 0 }) {
            throw MetaLearnersError(
                .invalidData, at: "cluster '\(column.name)'", "row \(row + 1) is missing",
                remedy: "give each row without a cluster one of its own")
        }
        return codes
    }

    private static func propensities(_ table: Table, _ names: [String], arms: Int) throws(MetaLearnersError)
        -> [[Double]]?
    {
        guard !names.isEmpty else { return nil }
        var columns: [[Double]] = []
        for name in names {
            columns.append(
                try numbers(table.requiredColumn(name, for: "data.propensity"), part: "propensity"))
        }
        if arms == 2, columns.count == 1 { columns.insert(columns[0].map { 1 - $0 }, at: 0) }
        return columns
    }

    private static func covariates(_ table: Table, _ spec: DataSpec) throws(MetaLearnersError) -> Table {
        for name in spec.exclude { _ = try table.requiredColumn(name, for: "data.exclude") }
        var taken = Set(spec.exclude + spec.propensity)
        taken.formUnion([spec.treatment, spec.outcome, spec.weight, spec.cluster].compactMap(\.self))
        for name in spec.categorical {
            _ = try table.requiredColumn(name, for: "data.categorical")
        }
        let categorical = Set(spec.categorical)
        var columns: [Column] = []
        for column in table.columns where !taken.contains(column.name) {
            columns.append(categorical.contains(column.name) ? column.asCategorical() : column)
        }
        return try Table(columns, rowCount: table.rowCount)
    }
}
