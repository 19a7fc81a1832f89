import MetaLearnersCore

/// Formulas as SQL for DuckDB or Postgres: one expression for each of them, or one query over a table.
///
/// Trees are CASE expressions, everything else is arithmetic in double precision. NULL and NaN in a column are both missing; a
/// result is NULL where a formula is NaN, and where it divides by 0. Texts of categories are compared as texts, so that columns of
/// texts, enumerations, integers and booleans all serve.
public struct SQLExport: Sendable {
    /// The largest text that is written, in bytes.
    public static let sizeLimit = 64 << 20

    /// The most subqueries of an expression.
    private static let subqueryLimit = 8

    /// The columns for shared steps that a query of Postgres may have, which takes 1,664 in all.
    private static let postgresColumns = 1400

    /// The expressions, each on a line with its name (`… AS "cate"`), or the query.
    public let text: String

    /// Writes the formulas of a document.
    ///
    /// - Parameters:
    ///   - document: the formulas with the columns that they read.
    ///   - dialect: whose SQL it is.
    ///   - table: the table of a query that gives all its columns and the formulas beside them; nil for expressions to be put
    ///     into a query. A query computes steps that are used more than once only once.
    /// - Throws: `invalidArgument` for a table's name that is none; `unsupported` for more than 64 MiB of text, trees deeper
    ///   than 300 splits, a NUL in a name or level, expressions of more than 8 subqueries, and of
    ///   DuckDB names that differ in case alone.
    /// - Complexity: O(size of the text).
    public init(_ document: FormulaDocument, dialect: SQLDialect = .duckdb, table: String? = nil)
        throws(MetaLearnersError)
    {
        let inputs = ExportInputs(document)
        try inputs.requireNoNUL(for: "SQL")
        if dialect == .duckdb {
            var seen: [String: String] = [:]
            for input in inputs.inputs {
                if let other = seen.updateValue(input.name, forKey: input.name.lowercased()) {
                    throw MetaLearnersError(
                        .unsupported, at: "column '\(input.name)'",
                        "DuckDB cannot tell it from '\(other)', which differs in case alone")
                }
            }
        }
        if let table {
            let source = try dialect.qualified(table)
            text = try Self.query(document, inputs, dialect, source)
        } else {
            var writer = SQLWriter(document, inputs, dialect, isQuery: false)
            var expressions: [String] = []
            for (output, name) in zip(document.graph.outputs, inputs.outputNames(document.names)) {
                let expression = writer.guarded(try writer.expression(output))
                // Each is computed for itself: DuckDB makes a join of it, Postgres runs it in every row.
                let subqueries = expression.ranges(of: SQLWriter.subqueryEnd).count
                guard subqueries <= Self.subqueryLimit else {
                    throw MetaLearnersError(
                        .unsupported, at: "sql",
                        "the expression would have \(subqueries) subqueries, which databases are slow at",
                        remedy: "name a table, so that a query computes shared steps once")
                }
                expressions.append("\(expression) AS \(dialect.identifier(name))")
            }
            text = expressions.joined(separator: ",\n") + "\n"
        }
        try Self.requireSize(text.utf8.count)
    }

    static func requireSize(_ count: Int) throws(MetaLearnersError) {
        guard count > sizeLimit else { return }
        throw MetaLearnersError(
            .unsupported, at: "sql", "it would have more than \(sizeLimit >> 20) MiB",
            remedy: "name a table, so that a query computes shared steps once, or export to C or ONNX")
    }

    private static func query(
        _ document: FormulaDocument, _ inputs: ExportInputs, _ dialect: SQLDialect, _ table: String
    ) throws(MetaLearnersError) -> String {
        var writer = SQLWriter(document, inputs, dialect, isQuery: true)
        let layers = try writer.layers()
        var results: [String] = []
        for (output, name) in zip(document.graph.outputs, inputs.outputNames(document.names)) {
            let expression = writer.guarded(try writer.expression(output))
            results.append("\(expression) AS \(dialect.identifier(name))")
        }
        let outputs = results.joined(separator: ",\n  ")
        func list(_ layer: [(name: String, expression: String)]) -> String {
            layer.map { "\($0.expression) AS \($0.name)" }.joined(separator: ",\n  ")
        }
        switch dialect {
        case .duckdb:
            var source = table
            for layer in layers where !layer.isEmpty {
                source = "(\nSELECT *,\n  \(list(layer))\nFROM \(source))"
                try requireSize(source.utf8.count)
            }
            let names = layers.flatMap { $0.map(\.name) }.joined(separator: ", ")
            return "SELECT * \(names.isEmpty ? "" : "EXCLUDE (\(names))"),\n  \(outputs)\nFROM \(source);\n"
        case .postgres:
            let count = layers.reduce(0) { $0 + $1.count }
            guard count <= Self.postgresColumns else {
                throw MetaLearnersError(
                    .unsupported, at: "sql",
                    "it would need \(count) columns for shared steps, and Postgres has room for \(postgresColumns)",
                    remedy: "export for DuckDB, or to C or ONNX")
            }
            // The row goes through the layers as a whole. (Joins would let Postgres remember steps by each mention of a column.)
            var source = "\(table) AS mtlr_rows"
            for (index, layer) in layers.enumerated() where index == 0 || !layer.isEmpty {
                let own = index == 0 ? "mtlr_rows AS mtlr_row" : "*"
                let steps = layer.isEmpty ? "" : ",\n  \(list(layer))"
                source = "(\nSELECT \(own)\(steps)\nFROM \(source)\(dialect.fence)) AS mtlr_layer\(index)"
                try requireSize(source.utf8.count)
            }
            return "SELECT (mtlr_row).*,\n  \(outputs)\nFROM \(source);\n"
        }
    }
}
