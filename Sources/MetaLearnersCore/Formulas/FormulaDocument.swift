/// Formulas with the columns that they read and the names of what they give: what is written to a file, and read from it where
/// the model itself is not.
public struct FormulaDocument: Sendable, Equatable, Codable {
    /// The columns that the formulas count by position.
    public let schema: CovariateSchema
    /// The name of what each formula gives.
    public let names: [String]
    /// The formulas.
    public let graph: FormulaGraph
    /// Values that count as missing wherever they stand: `data.missing_values` of a model's spec.
    public let missingValues: [String]

    /// Puts together what belongs together.
    ///
    /// - Throws: `invalidArgument` for another number of names than of formulas, or formulas of other columns.
    public init(
        schema: CovariateSchema, names: [String], graph: FormulaGraph, missingValues: [String] = []
    ) throws(MetaLearnersError) {
        guard names.count == graph.outputs.count else {
            throw MetaLearnersError(
                .invalidArgument, at: "names",
                "there are \(names.count) names of \(graph.outputs.count) formulas")
        }
        _ = try graph.evaluate(schema.emptyTable())
        self.schema = schema
        self.names = names
        self.graph = graph
        self.missingValues = missingValues
    }

    /// Reads what `specValue` wrote: `try FormulaDocument(SpecValue(json: bytes, source: "formulas.json"))`.
    ///
    /// - Throws: `invalidSpec`, naming the place, for anything that is none.
    public init(_ value: SpecValue, at place: SpecPath = .root) throws(MetaLearnersError) {
        var fields = try FormulaFields(value, at: place)
        var columns: [CovariateSchema.Field] = []
        for (index, value) in try fields.list("columns").enumerated() {
            var column = try FormulaFields(value, at: place.appending("columns").appending("\(index)"))
            let name = try column.take("name", "text", \.stringValue)
            let levels = try column.optional("levels", "a list of texts") {
                FormulaFields.every($0, \.stringValue)
            }
            try column.requireNothingElse()
            columns.append(
                CovariateSchema.Field(name: name, kind: levels.map { .categorical(levels: $0) } ?? .numeric))
        }
        let unseen = try fields.take("unseen_levels", "missing or error") {
            $0.stringValue.flatMap(DataSpec.UnseenLevels.init)
        }
        let missing = try fields.optional("missing_values", "a list of texts") {
            FormulaFields.every($0, \.stringValue)
        }
        let names = try fields.texts("names")
        let graph = try FormulaGraph(
            .object(
                SpecObject([
                    ("nodes", .array(try fields.list("nodes"))),
                    ("outputs", .array(try fields.list("outputs"))),
                ])),
            at: place)
        try fields.requireNothingElse()
        do throws(MetaLearnersError) {
            try self.init(
                schema: CovariateSchema(columns, unseenLevels: unseen), names: names, graph: graph,
                missingValues: missing ?? [])
        } catch {
            throw place.error(error.description)
        }
    }

    public init(from decoder: any Decoder) throws { try self.init(SpecValue(from: decoder)) }

    public func encode(to encoder: any Encoder) throws { try specValue.encode(to: encoder) }

    /// The document as JSON has it: `columns` with their names and levels, `unseen_levels`, `missing_values` where there are any,
    /// `names`, and the `nodes` and `outputs` of `FormulaGraph.specValue`.
    public var specValue: SpecValue {
        let columns: [SpecValue] = schema.fields.map { field in
            guard case .categorical(let levels) = field.kind else { return ["name": .string(field.name)] }
            return ["name": .string(field.name), "levels": .array(levels.map(SpecValue.string))]
        }
        return .object(
            SpecObject(
                [
                    ("columns", .array(columns)), ("unseen_levels", .string(schema.unseenLevels.rawValue)),
                ]
                    + (missingValues.isEmpty
                        ? [] : [("missing_values", .array(missingValues.map(SpecValue.string)))])
                    + [("names", .array(names.map(SpecValue.string)))]
                    + (graph.specValue.objectValue?.entries ?? []).map { ($0.key, $0.value) }))
    }

    /// The values of each formula for each row of a table, whose columns are found by their names.
    ///
    /// - Returns: for each of `names` a number for each row, and warnings of levels that training did not have.
    /// - Throws: `invalidData` for a column that is missing, of the wrong kind, or has a level that it may not have.
    public func evaluate(_ table: Table) throws(MetaLearnersError) -> (values: [[Double]], warnings: [String])
    {
        let missing = MissingValues(missingValues)
        let (aligned, warnings) = try schema.align(missing.isEmpty ? table : table.mapping(missing.marking))
        return (try graph.evaluate(aligned), warnings)
    }
}
