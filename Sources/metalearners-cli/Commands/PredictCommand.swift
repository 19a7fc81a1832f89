import CausalAnalysis
import Reporting
import ArgumentParser
import MetaLearners
import MetaLearnersCore
import MetaLearnersKit

/// `metalearners predict`.
struct PredictCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "predict",
        abstract: "Predict effects, arm means or propensities of the rows of a CSV file.",
        discussion: """
            Rows are treated as new ones. With --training they must be those that the model was fitted to: effects, \
            arm means and propensities are then out of fold.
            """)

    @Argument(help: "Model file that 'fit' saved.")
    var model: String

    @Argument(help: "CSV file with the columns that the model was trained on; - reads standard input.")
    var data: String

    @Option(
        name: .shortAndLong,
        help: ArgumentHelp("File to write the predictions to; - is standard output.", valueName: "out.csv"))
    var output: String

    @Option(
        help: ArgumentHelp(
            """
            What to predict: effects, arm_means, propensities, intervals, individual_intervals or stability.
            """, valueName: "what"))
    var what: PredictionRequest.Output = .effects

    @Flag(help: "Effects with the ends of their confidence intervals: --what intervals.")
    var intervals = false

    @Flag(help: "Effects with intervals of each row's own effect: --what individual_intervals.")
    var individualIntervals = false

    @Option(help: ArgumentHelp("The level of intervals (default: the spec's).", valueName: "share"))
    var level: Double?

    @OptionGroup var comparison: ComparisonOptions

    @Flag(help: "The rows are those that the model was fitted to; refused where they are not.")
    var training = false

    @Flag(
        help:
            "Read the file piece by piece, twice, and keep none of it in memory: for files larger than memory."
    )
    var stream = false

    @OptionGroup var dataOptions: DataOptions
    @OptionGroup var runOptions: RunOptions

    func validate() throws {
        guard !(intervals && individualIntervals) else {
            throw ValidationError("Give --intervals or --individual-intervals, not both.")
        }
        if intervals || individualIntervals, what != .effects, what != wanted {
            throw ValidationError("Intervals are those of effects: leave --what out.")
        }
        if level != nil, wanted != .intervals, wanted != .individualIntervals {
            throw ValidationError("--level is that of intervals: add --intervals or --individual-intervals.")
        }
        guard stream else { return }
        if training {
            throw ValidationError("--training needs the rows in memory: leave it out with --stream.")
        }
        if !dataOptions.conditions.isEmpty {
            throw ValidationError("--where needs the rows in memory: leave it out with --stream.")
        }
    }

    /// What the options ask for together.
    private var wanted: PredictionRequest.Output {
        intervals ? .intervals : individualIntervals ? .individualIntervals : what
    }

    mutating func run() throws {
        let session = CommandSession(runOptions)
        let registry = try runOptions.registry()
        try InputFiles.requireOrder(model: model, data: data, of: "predict")
        var files = CommandFiles()
        files.reads("the model", model)
        files.reads("the data file", data)
        files.reads(registry.estimators)
        files.writes("-o", output)
        try files.check()
        let model = try CATEModel(contentsOf: model, registry: registry)
        let request = PredictionRequest(
            wanted, arm: comparison.arm, baseline: comparison.baseline,
            scale: comparison.scale, level: level)
        _ = try model.columnNames(request)
        try OutputFile.requireWritable(output)
        if stream { return try predictStream(model, request, session) }
        let (path, options, ofTraining) = (data, dataOptions, training)
        let (table, _) = try session.timed { () throws(MetaLearnersError) in
            try session.readTable(
                path,
                ofTraining ? ColumnRules(model.spec.data) : ColumnRules(model.schema, model.spec.data),
                options,
                allowingNoRows: !ofTraining)
        }
        let (prediction, _) = try session.timed { () throws(MetaLearnersError) in
            guard ofTraining else { return try model.predict(request, for: .new(table), session.execution) }
            let dataset = try CausalDataset(table, model.spec.data)
            return try TrainingPredictions.make(
                request, of: table, dataset, rows: .trainingRows(dataset), model, session)
        }
        session.warn(prediction.warnings)
        try CSVWriter.write(prediction.names, prediction.columns, to: output)
        report(request, prediction.meaning, rowCount: prediction.rowCount, session)
    }

    /// Predicts the rows of the file some at a time, and writes them as they come.
    private func predictStream(
        _ model: CATEModel, _ request: PredictionRequest, _ session: CommandSession
    ) throws(MetaLearnersError) {
        let (path, output, options) = (data, output, dataOptions)
        let (found, _) = try session.timed { () throws(MetaLearnersError) in
            let source = try session.streamTable(
                path, ColumnRules(model.schema, model.spec.data), options, allowingNoRows: true)
            var pieces = PredictedPieces(model, request)
            let writer = try CSVWriter(try model.columnNames(request), to: output)
            // (The columns are looked at before any row is, of which there may be none.)
            _ = try pieces.predict(source.schema, session.execution)
            try source.restart()
            while let rows = try source.next() {
                try writer.append(try pieces.predict(rows, session.execution))
            }
            try writer.commit()
            return pieces
        }
        session.warn(found.warnings)
        report(request, found.meaning, rowCount: found.rowCount, session)
    }

    private func report(
        _ request: PredictionRequest, _ meaning: String?, rowCount: Int, _ session: CommandSession
    ) {
        guard output != "-" else { return }
        if let meaning { session.note(meaning) }
        session.note("\(request.output.noun) of \(NumberText.counted(rowCount, "row")) written to \(output)")
    }
}

extension PredictionRequest.Output: ExpressibleByArgument {
    public init?(argument: String) { self.init(spelled: argument) }

    /// The output in messages.
    fileprivate var noun: String {
        switch self {
        case .effects: "effects"
        case .armMeans: "arm means"
        case .propensities: "propensities"
        case .intervals: "effects with their intervals"
        case .individualIntervals: "effects with individual intervals"
        case .stability: "stability of the effects"
        }
    }
}
