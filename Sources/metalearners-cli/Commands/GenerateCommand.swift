import ArgumentParser
import CausalAnalysis
import MetaLearnersCore
import Reporting

/// `metalearners generate`.
struct GenerateCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "generate",
        abstract: "Draw data of which the truth is known, to try learners and analyses on.",
        usage: "metalearners generate <law> -o <data.csv> [<options>]",
        discussion: """
            The file has an identifier, covariates, treatment and outcome, and the truth: true_effect, true_propensity and \
            true_mean_<arm> of each row. What is printed are the lines of a spec that fit it. 'metalearners generate --list' \
            lists the laws with their parameters.
            """)

    @Argument(help: ArgumentHelp("The law to draw from.", valueName: "law"))
    var law: String?

    @Option(
        name: .shortAndLong,
        help: ArgumentHelp("File to write the data to; - is standard output.", valueName: "data.csv"))
    var output: String?

    @Option(help: ArgumentHelp("How many rows (default: the law's).", valueName: "n"))
    var rows: Int?

    @Option(
        name: .customLong("set"), parsing: .singleValue,
        help: ArgumentHelp(
            "Set a parameter of the law; the value is YAML. May be repeated.", valueName: "key=value"))
    var settings: [String] = []

    @Flag(help: "List the laws with their parameters.")
    var list = false

    @Flag(help: "Print what was drawn, or with --list the laws, as JSON.")
    var json = false

    @OptionGroup var runOptions: RunOptions

    func validate() throws {
        if list { return }
        guard law != nil else {
            throw ValidationError("Name a law: 'metalearners generate --list' lists them.")
        }
        guard output != nil else { throw ValidationError("Missing expected argument '--output <data.csv>'.") }
        if output == "-", json {
            throw ValidationError("--json and the data cannot both go to standard output.")
        }
    }

    mutating func run() throws {
        let session = CommandSession(runOptions)
        if list {
            let registry = LawRegistry.default
            try session.print(
                json ? registry.specValue.json(indented: true) + "\n" : Self.text(registry.laws))
            return
        }
        guard let law, let output else { return }
        var files = CommandFiles()
        files.writes("-o", output)
        if output != "-" { files.writesStandardOutput() }
        try files.check()
        let spec = try request(law)
        try OutputFile.requireWritable(output)
        let (data, _) = try session.timed { () throws(MetaLearnersError) in
            try Self.draw(spec, session.execution)
        }
        _ = try session.timed { () throws(MetaLearnersError) in
            try CSVRows.write(data.table, to: output, Scheduler(session.execution))
        }
        if output == "-" { return }
        if json {
            try session.print(Self.summary(data).json(indented: true) + "\n")
        } else {
            session.note("\(NumberText.counted(data.table.rowCount, "row")) written to \(output)")
            try session.report(data.specLines)
        }
    }

    private func request(_ name: String) throws(MetaLearnersError) -> any DataLaw {
        var request = SpecValue.object(SpecObject([("law", .string(name))]))
        for setting in settings { try SpecOverride(parsing: setting).apply(to: &request) }
        if let rows { try SpecOverride("rows", .integer(rows)).apply(to: &request) }
        if let seed = runOptions.seed { try SpecOverride("seed", .integer(seed)).apply(to: &request) }
        return try LawRegistry.default.law(request)
    }

    private static func draw(_ law: any DataLaw, _ options: ExecutionOptions) throws(MetaLearnersError)
        -> GeneratedData
    {
        func open(_ law: some DataLaw) throws(MetaLearnersError) -> GeneratedData {
            try GeneratedData(law, options)
        }
        return try open(law)
    }

    /// What was drawn, for programs.
    private static func summary(_ data: GeneratedData) -> SpecValue {
        [
            "law": .string(data.law), "parameters": data.parameters, "rows": .integer(data.table.rowCount),
            "columns": .array(data.table.columns.map { .string($0.name) }),
            "data": [
                "treatment": .string(data.data.treatment ?? ""), "control": .string(data.data.control ?? ""),
                "outcome": .string(data.data.outcome ?? ""),
                "cluster": data.data.cluster.map { .string($0) } ?? .null,
                "exclude": .array(data.data.exclude.map { .string($0) }),
            ],
            "constants": .object(
                SpecObject(data.constants.map { ($0.name, .array($0.values.map { .number($0) })) })),
            "true_average_effects": .array(
                data.effects.map { .number($0.reduce(0, +) / Double(max($0.count, 1))) }),
        ]
    }

    /// Each law with what it is good for and its parameters.
    private static func text(_ laws: [any DataLaw.Type]) -> String {
        laws.map { law in
            var text = "\(law.name): \(law.title)\n"
            for line in TextTable.wrapped("\(law.summary) (\(law.source))", to: 94) { text += "  \(line)\n" }
            var table = TextTable([("key", .left), ("default", .left), ("values", .left), ("meaning", .left)])
            for key in law.init().parameterDescriptions {
                table.append([key.name, key.defaultValue.json(), key.range, key.summary])
            }
            return text + table.text(indent: 2, width: 120)
        }.joined(separator: "\n")
    }
}
