import ArgumentParser
import FormulaExport
import MetaLearners
import MetaLearnersCore
import MetaLearnersKit

/// `metalearners export`.
struct ExportCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "export",
        abstract: "Write a model as ONNX, C or SQL, to predict without the library.",
        discussion: """
            What the file computes is what 'predict' computes of new rows. Models without formulas, such as those of \
            plug-ins, and intervals cannot be exported.
            """)

    @Argument(help: "Model file that 'fit' saved.")
    var model: String

    @Flag(exclusivity: .exclusive, help: "The language:")
    var format: ExportFormat

    @Option(
        name: .shortAndLong,
        help: ArgumentHelp("File to write; - is standard output.", valueName: "file"))
    var output: String

    @Option(
        parsing: .singleValue,
        help: ArgumentHelp(
            "What to predict: effects, arm_means or propensities (default: effects). May be repeated.",
            valueName: "what"))
    var what: [PredictionRequest.Output] = []

    @OptionGroup var comparison: ComparisonOptions

    @Option(
        help: ArgumentHelp(
            "ONNX: categories as strings or as codes (default: strings).", valueName: "strings|codes"))
    var categories: ONNXExport.Categories?

    @Option(
        help: ArgumentHelp("C: the name of the function (default: predict).", valueName: "name"))
    var name: String?

    @Option(help: ArgumentHelp("SQL: duckdb or postgres (default: duckdb).", valueName: "dialect"))
    var dialect: SQLDialect?

    @Option(
        help: ArgumentHelp(
            "SQL: a whole query over this table rather than an expression.", valueName: "table"))
    var table: String?

    @OptionGroup var runOptions: RunOptions

    func validate() throws {
        for (option, isGiven, owner) in [
            ("--categories", categories != nil, ExportFormat.onnx), ("--name", name != nil, .c),
            ("--dialect", dialect != nil, .sql), ("--table", table != nil, .sql),
        ] where isGiven && format != owner {
            throw ValidationError("\(option) is for --\(owner.rawValue).")
        }
    }

    mutating func run() throws {
        let session = CommandSession(runOptions)
        let registry = try runOptions.registry()
        var files = CommandFiles()
        files.reads("the model", model)
        files.reads(registry.estimators)
        files.writes("-o", output)
        try files.check()
        var spec = ExportSpec(format.format, what.isEmpty ? [.effects] : what)
        (spec.arm, spec.baseline, spec.scale) = (comparison.arm, comparison.baseline, comparison.scale)
        if let categories { spec.categories = categories }
        if let name { spec.name = name }
        if let dialect { spec.dialect = dialect }
        spec.table = table
        let model = try CATEModel(contentsOf: model, registry: registry)
        try OutputFile.requireWritable(output)
        let bytes = try model.exported(spec)
        try OutputFile.write(bytes, to: output)
        if output != "-" { session.note("\(format.noun) written to \(output)") }
    }
}

/// The flags that name a language.
enum ExportFormat: String, EnumerableFlag {
    case onnx, c, sql, json

    var format: ExportSpec.Format {
        switch self {
        case .onnx: .onnx
        case .c: .c
        case .sql: .sql
        case .json: .json
        }
    }

    /// The file in messages.
    var noun: String {
        switch self {
        case .onnx: "ONNX graph"
        case .c: "C source"
        case .sql: "SQL"
        case .json: "formulas"
        }
    }

    static func help(for value: ExportFormat) -> ArgumentHelp? {
        switch value {
        case .onnx: "One graph for onnxruntime 1.21 or newer."
        case .c: "One file of C99."
        case .sql: "An expression, or with --table a query, for DuckDB or Postgres."
        case .json: "The formulas as JSON."
        }
    }
}

extension ONNXExport.Categories: ExpressibleByArgument {}
extension SQLDialect: ExpressibleByArgument {}
