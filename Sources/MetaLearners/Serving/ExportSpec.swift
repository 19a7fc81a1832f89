import FormulaExport
import MetaLearnersCore

/// What to write of a model for use without the library.
public struct ExportSpec: ParameterizedSpec {
    /// The languages that models are written in.
    public enum Format: String, Sendable, CaseIterable {
        /// One graph of ONNX.
        case onnx
        /// One file of C99.
        case c
        /// Expressions or a query of SQL.
        case sql
        /// The formulas themselves, as `FormulaDocument` reads them.
        case json
    }

    /// The language.
    public var format = Format.json
    /// What is predicted: effects, arm means, propensities, or several of them.
    public var what = [PredictionRequest.Output.effects]
    /// The arm that is asked about; nil for all.
    public var arm: String?
    /// The arm that effects compare with; nil for the control.
    public var baseline: String?
    /// What effects are measured as; nil for the spec's choice.
    public var scale: EffectScale?
    /// ONNX: how categories enter the graph.
    public var categories = ONNXExport.Categories.strings
    /// C: the name of the function and the beginning of all other names.
    public var name = "predict"
    /// SQL: the dialect.
    public var dialect = SQLDialect.duckdb
    /// SQL: the table of a query; nil for expressions.
    public var table: String?

    public init() {}

    /// Creates a spec of one format with every other default.
    public init(_ format: Format, _ what: [PredictionRequest.Output] = [.effects]) {
        self.format = format
        self.what = what
    }

    public static let parameters: [Parameter<ExportSpec>] = [
        .choice("format", \.format, "the language"),
        Parameter(
            "what", "what is predicted", range: "list of: effects, arm_means, propensities",
            read: { value, place, spec throws(MetaLearnersError) in
                var what: [PredictionRequest.Output] = []
                for element in value.arrayValue ?? [value] {
                    guard let text = element.stringValue else {
                        throw place.error("must be a list of texts, and holds \(element.kindName)")
                    }
                    let name = String(text.lowercased().map { $0 == "-" ? "_" : $0 })
                    guard let output = PredictionRequest.Output(rawValue: name) else {
                        let names = PredictionRequest.Output.allCases.map(\.rawValue)
                        throw place.error(
                            "unknown value '\(text)'",
                            remedy: SpellingSuggestion.clause(forName: text, in: names))
                    }
                    what.append(output)
                }
                spec.what = what
            },
            write: { .array($0.what.map { .string($0.rawValue) }) }),
        .optionalText("arm", \.arm, "the arm that is asked about; all without it"),
        .optionalText("baseline", \.baseline, "the arm that effects compare with; the control without it"),
        Parameter(
            "scale", "what effects are measured as; the spec's choice without it",
            range: "difference, ratio, odds_ratio",
            read: { value, place, spec throws(MetaLearnersError) in
                guard let scale = value.stringValue.flatMap(EffectScale.init) else {
                    throw place.error("is \(value.json()), must be: difference, ratio, odds_ratio")
                }
                spec.scale = scale
            },
            write: { $0.scale.map { .string($0.rawValue) } ?? .null }),
        .choice("categories", \.categories, "onnx: how categories enter the graph"),
        Parameter(
            "name", "c: the name of the function", range: "text",
            read: { value, place, spec throws(MetaLearnersError) in
                guard let name = value.stringValue else {
                    throw place.error("must be text, not \(value.kindName)")
                }
                spec.name = name
            },
            write: { .string($0.name) }),
        .choice("dialect", \.dialect, "sql: the dialect"),
        .optionalText("table", \.table, "sql: the table of a query; expressions without it"),
    ]

    public func check(at place: SpecPath) throws(MetaLearnersError) {
        guard !what.isEmpty else { throw place.appending("what").error("names nothing") }
        guard Set(what).count == what.count else {
            throw place.appending("what").error("names something twice")
        }
    }
}
