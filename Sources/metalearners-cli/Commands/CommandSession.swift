import MetaLearners
import MetaLearnersCore

/// One run of a command: its progress bar, its messages, its clock.
final class CommandSession {
    private let options: RunOptions
    private let bar: ProgressBar
    /// What the user was, or would have been, warned of.
    private(set) var warnings: [String] = []

    /// Starts a run.
    init(_ options: RunOptions) {
        self.options = options
        bar = ProgressBar(isEnabled: !options.quiet && StandardStreams.errorIsTerminal)
    }

    /// How the library is to run.
    var execution: ExecutionOptions {
        let bar = bar
        return ExecutionOptions(
            threads: options.threads,
            progress: { progress in
                bar.show(progress.stage, done: progress.done, total: progress.total)
                return !Interruption.token.isCancelled
            },
            cancellation: Interruption.token, memoryLimit: options.memory.map { $0 << 20 },
            notice: { [quiet = options.quiet] text in
                if !quiet { StandardStreams.message(text) }
            })
    }

    /// How the library is to run a search: one bar for each of its two stages, with the time that is left.
    var searchExecution: ExecutionOptions {
        var options = execution
        let bar = bar
        let clock = ContinuousClock()
        let starts = Lock<[String: ContinuousClock.Instant]>([:])
        options.progress = { progress in
            // Fits of both stages are many and short; what counts are settings and candidates that are done.
            guard ["nuisances judged", "candidates"].contains(progress.stage) else {
                return !Interruption.token.isCancelled
            }
            let start = starts.withLock { starts in
                let start = starts[progress.stage] ?? clock.now
                starts[progress.stage] = start
                return start
            }
            var note = ""
            if progress.done > 0, progress.done < progress.total {
                let (seconds, attoseconds) = (clock.now - start).components
                let each = (Double(seconds) + Double(attoseconds) * 1e-18) / Double(progress.done)
                note = Self.timeLeft(each * Double(progress.total - progress.done))
            }
            bar.show(progress.stage, done: progress.done, total: progress.total, note: note)
            return !Interruption.token.isCancelled
        }
        return options
    }

    /// Seconds in words: "40 s left", "12 min left", "3 h left".
    package static func timeLeft(_ seconds: Double) -> String {
        if seconds < 90 { return "\(Int(seconds.rounded(.up))) s left" }
        if seconds < 5400 { return "\(Int((seconds / 60).rounded())) min left" }
        return seconds < 1e9 ? "\(Int((seconds / 3600).rounded())) h left" : ""
    }

    /// Takes the progress bar away.
    func clear() { bar.clear() }

    /// Does a stage of the work, and says how long it took.
    func timed<Value>(_ work: () throws(MetaLearnersError) -> Value) throws(MetaLearnersError) -> (
        Value, Double
    ) {
        let clock = ContinuousClock()
        let start = clock.now
        defer { bar.clear() }
        let value = try work()
        guard !Interruption.token.isCancelled else {
            throw MetaLearnersError(.cancelled, "the work was cancelled")
        }
        let (seconds, attoseconds) = (clock.now - start).components
        return (value, Double(seconds) + Double(attoseconds) * 1e-18)
    }

    /// Reads the data file at `path`, whose columns are what `rules` say.
    ///
    /// - Parameters:
    ///   - options: what the command line says of how the file is written.
    ///   - allowingNoRows: whether a header alone will do.
    func readTable(
        _ path: String, _ rules: ColumnRules, _ options: DataOptions, allowingNoRows: Bool = false
    ) throws(MetaLearnersError) -> Table {
        try readRows(path, rules, options, allowingNoRows: allowingNoRows, keeping: []).table
    }

    /// Gives the rows of the data file at `path` batch by batch, once it was read for what its columns are.
    ///
    /// - Parameter allowingNoRows: whether a header alone will do.
    func streamTable(
        _ path: String, _ rules: ColumnRules, _ options: DataOptions, allowingNoRows: Bool = false
    ) throws(MetaLearnersError) -> CSVRowSource {
        let bar = bar
        var reader = CSVReader(rules, options.dialect) { done, total in
            if total > 0 { bar.show("columns", done: done, total: total) }
            return !Interruption.token.isCancelled
        }
        reader.notice = { [self] in note($0) }
        reader.allowsNoRows = allowingNoRows
        return try reader.pieces(of: path)
    }

    /// The same with the fields of the columns `names` as they stand in the file.
    func readRows(
        _ path: String, _ rules: ColumnRules, _ options: DataOptions, allowingNoRows: Bool = false,
        keeping names: [String]
    ) throws(MetaLearnersError) -> (table: Table, kept: [KeptColumn]) {
        let bar = bar
        let conditions = options.conditions
        var reader = CSVReader(
            rules.reading(numbers: [], groups: conditions.map(\.column)), options.dialect
        ) { done, total in
            if total > 0 { bar.show("read", done: done, total: total) }
            return !Interruption.token.isCancelled
        }
        reader.notice = { [self] in note($0) }
        reader.allowsNoRows = allowingNoRows
        reader.keeps = names
        let (table, kept) = try reader.readKeeping(path)
        guard !conditions.isEmpty else { return (table, kept) }
        let rows = try RowCondition.rows(of: table, where: conditions)
        // A column that the rows were chosen by is no covariate unless somebody says so.
        let used = table.columns.indices.filter { index in
            let name = table.columns[index].name
            return rules.isNamed(name) || !conditions.contains { $0.column == name }
        }
        // As if the file had these rows alone: a level of other rows is none.
        let chosen = table.selecting(columns: used).selecting(rows: rows).mapping { $0.withoutUnusedLevels() }
        return (chosen, kept.map { $0.selecting(rows) })
    }

    /// Warns of things that are no errors.
    func warn(_ texts: [String]) {
        warnings += texts
        guard !options.quiet else { return }
        for text in texts { StandardStreams.message("warning: " + text) }
    }

    /// Says something that is no result.
    func note(_ text: String) {
        if !options.quiet { StandardStreams.message(text) }
    }

    /// Prints what goes along with the work: not with `--quiet`.
    ///
    /// - Throws: `inputOutput` where standard output cannot take it.
    func report(_ text: @autoclosure () -> String) throws(MetaLearnersError) {
        if !options.quiet { try print(text()) }
    }

    /// Prints a result, which somebody asked for.
    ///
    /// - Throws: `inputOutput` where standard output cannot take it.
    func print(_ text: String) throws(MetaLearnersError) { try OutputFile.write(Array(text.utf8), to: "-") }
}
