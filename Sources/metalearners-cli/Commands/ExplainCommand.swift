import ArgumentParser
import CausalAnalysis
import MetaLearners
import MetaLearnersCore
import MetaLearnersKit
import Reporting

/// `metalearners explain`.
struct ExplainCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "explain",
        abstract: "Explain the effects of the rows of a CSV file: SHAP values of every covariate.",
        discussion: """
            For each row and effect the values of the covariates and the base value add up to the effect that 'predict' \
            gives. The table has the mean of their absolute values; -o writes those of every row.

            Absent covariates count by the training rows at the splits of trees (path_dependent, the default for sums of \
            trees), or take the values of background rows (interventional). What is exact in neither way is estimated from \
            random orders of the covariates, with a standard error (permutation).
            """)

    @Argument(help: "Model file that 'fit' saved.")
    var model: String

    @Argument(help: "CSV file with the columns that the model was trained on; - reads standard input.")
    var data: String

    @Option(
        name: .shortAndLong,
        help: ArgumentHelp(
            "File to write the values of every row to; - is standard output, without the table.",
            valueName: "out.csv"))
    var output: String?

    @Option(
        help: ArgumentHelp(
            "How values are found.", valueName: "method")
    )
    var method: ExplanationRequest.Method = .automatic

    @Option(
        help: ArgumentHelp(
            "CSV file with the rows that absent covariates take their values from (default: those explained).",
            valueName: "rows.csv"))
    var background: String?

    @Option(
        name: .customLong("background-rows"),
        help: ArgumentHelp("Rows that are drawn of the background.", valueName: "n"))
    var backgroundRows = ExplanationRequest().backgroundRows

    @Option(
        help: ArgumentHelp(
            "Where values are estimated: orders of the covariates for each background row.", valueName: "n"))
    var permutations = ExplanationRequest().permutations

    @Option(help: ArgumentHelp("Explain so many rows, drawn at random (default: all).", valueName: "n"))
    var rows: Int?

    @OptionGroup var comparison: ComparisonOptions

    @Flag(help: "Print JSON instead of the table.")
    var json = false

    @OptionGroup var dataOptions: DataOptions
    @OptionGroup var runOptions: RunOptions

    func validate() throws {
        if let rows, rows < 1 { throw ValidationError("--rows must be at least 1.") }
        if backgroundRows < 1 { throw ValidationError("--background-rows must be at least 1.") }
        if permutations < 1 { throw ValidationError("--permutations must be at least 1.") }
        if json, output == "-" { throw ValidationError("-o - and --json both write to standard output.") }
    }

    mutating func run() throws {
        let session = CommandSession(runOptions)
        let registry = try runOptions.registry()
        try InputFiles.requireOrder(model: model, data: data, of: "explain")
        var files = CommandFiles()
        files.reads("the model", model)
        files.reads("the data file", data)
        if let background { files.reads("the background", background) }
        files.reads(registry.estimators)
        if let output { files.writes("-o", output) }
        try files.check()
        let model = try CATEModel(contentsOf: model, registry: registry)
        let request = self.request
        if let output { try OutputFile.requireWritable(output) }
        let rules = ColumnRules(model.schema, model.spec.data)
        let (path, other, options) = (data, background, dataOptions)
        let (tables, _) = try session.timed { () throws(MetaLearnersError) in
            let table = try session.readTable(path, rules, options, allowingNoRows: other != nil)
            return (
                table,
                try other.map { path throws(MetaLearnersError) in try session.readTable(path, rules, options)
                }
            )
        }
        let (explainer, _) = try session.timed { () throws(MetaLearnersError) in
            try model.explainer(request, background: tables.1 ?? tables.0, session.execution)
        }
        let drawn = sample(of: tables.0.rowCount)
        let table = drawn.map { tables.0.selecting(rows: $0) } ?? tables.0
        let file = ExplanationFile(
            explainer, rows: drawn,
            try output.map { path throws(MetaLearnersError) in try OutputFile(path) })
        _ = try session.timed { () throws(MetaLearnersError) in
            try explainer.explainParts(table, session.execution) { part throws(MetaLearnersError) in
                try file.append(part)
            }
        }
        let summary = try file.finish()
        session.warn(summary.warnings)
        guard output != "-" else { return }
        if json {
            try session.print(summary.specValue.json(indented: true) + "\n")
        } else {
            try output == nil ? session.print(summary.text) : session.report(summary.text)
        }
        if let output {
            session.note(
                "explanations of \(NumberText.counted(summary.rowCount, "row")) written to \(output)")
        }
    }

    private var request: ExplanationRequest {
        var request = ExplanationRequest()
        request.method = method
        request.backgroundRows = backgroundRows
        request.permutations = permutations
        request.seed = runOptions.seed ?? 0
        request.arm = comparison.arm
        request.baseline = comparison.baseline
        request.scale = comparison.scale?.rawValue
        return request
    }

    /// The rows to explain, of so many; nil for all.
    private func sample(of count: Int) -> [Int32]? {
        guard let rows, rows < count else { return nil }
        var stream = RandomStream(seed: UInt64(runOptions.seed ?? 0), path: 0x524F_5753)
        var drawn: [Int32] = []
        stream.select(rows, of: count) { row, isDrawn in if isDrawn { drawn.append(Int32(row)) } }
        return drawn
    }
}

extension ExplanationRequest.Method: ExpressibleByArgument {
    public init?(argument: String) { self.init(spelled: argument) }
}
