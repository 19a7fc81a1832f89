import CausalAnalysis
import Reporting
import MetaLearnersCore

/// Makes a table of the fields of a CSV file, which come one after another.
struct CSVTableBuilder {
    /// What is being read.
    private enum Phase {
        case header
        case rows
        /// The rows once more, up to the one of this number, for columns that turned out to be text.
        case recovery(rows: Int)
    }

    /// The first thing that was wrong; nothing more is taken in after it.
    private(set) var failure: MetaLearnersError?
    /// The line on which the row being read begins, from 1.
    private(set) var rowLine = 1

    private let fileName: String
    private let rules: ColumnRules
    private let decimal: UInt8
    /// The lines of the rows, as runs of rows that stand on lines one after another.
    private var runs: [RowPlaces.Run] = []
    private var expectedLine = -1
    private var phase = Phase.header
    private var names: [String] = []
    /// The first column of each name.
    private var places: [String: Int] = [:]
    private var columns: [CSVColumn] = []
    /// The columns whose fields are kept as they are, and for each column its place among them; -1 for the others.
    private(set) var kept: [KeptColumn]
    private var keptPlaces: [Int] = []
    private var fieldIndex = 0
    private var rowCount = 0
    private var line = 1
    private var endedWithReturn = false
    /// Whether nothing but the columns' kinds and levels is wanted.
    private let isSurvey: Bool
    /// How many rows a table has that is made before the end; nil where all rows are one table.
    private let batchRows: Int?
    private var batches: [Table] = []

    /// Creates a builder for the file called `fileName`, in which `decimal` stands before the decimals of a number.
    ///
    /// - Parameters:
    ///   - isSurvey: whether nothing but the columns' kinds and levels is wanted: the table has no rows then.
    ///   - batchRows: how many rows make a table of their own (`takeBatch`); nil where all rows are one table.
    init(
        fileName: String, _ rules: ColumnRules = ColumnRules(), decimal: UInt8 = UInt8(ascii: "."),
        keeping names: [String] = [], isSurvey: Bool = false, batchRows: Int? = nil
    ) {
        self.isSurvey = isSurvey
        self.batchRows = batchRows
        kept = names.map(KeptColumn.init)
        self.fileName = fileName
        self.rules = rules
        self.decimal = decimal
    }

    /// How many of the first rows must be read again; 0 where none.
    var rowsToRecover: Int { columns.reduce(0) { max($0, $1.rowsToRecover) } }

    /// How many bytes one more piece of the file may take, whatever is in it: what arrays take while they grow.
    func room(forPiece byteCount: Int) -> Int {
        // A field has one byte at least, and a separator; it is a number of 8 bytes, or a text with its place in a table.
        let growing = rowCount < NumberColumn.blockSize ? columns.count * max(rowCount, 1) * 8 : 0
        return 64 * byteCount + growing + columns.reduce(0) { $0 + $1.levelBytes }
    }

    /// Whether nothing more is needed: something was wrong, or all rows to recover are there.
    var isSatisfied: Bool {
        if failure != nil { return true }
        if case .recovery(let rows) = phase { return rowCount >= rows }
        return false
    }

    /// What is wrong with a column as a whole, now that all rows were read: the error of the first field that is to blame.
    var mistake: MetaLearnersError? {
        let mistakes = columns.compactMap { $0.mistake() }
        guard let first = mistakes.min(by: { $0.line < $1.line }) else { return nil }
        return error(line: first.line, first.problem, remedy: first.remedy)
    }

    /// Prepares for the second reading.
    mutating func beginRecovery() {
        phase = .recovery(rows: rowsToRecover)
        rowCount = -1  // The header comes first.
        fieldIndex = 0
    }

    /// The error of something wrong at `line`.
    func error(line: Int, _ problem: String, remedy: String? = nil) -> MetaLearnersError {
        MetaLearnersError(.invalidData, at: "\(fileName), line \(line)", problem, remedy: remedy)
    }

    /// Takes in a field.
    mutating func receiveField(_ bytes: UnsafeBufferPointer<UInt8>) {
        defer { fieldIndex += 1 }
        endedWithReturn = false
        if failure != nil { return }
        switch phase {
        case .header:
            receiveName(bytes)
        case .rows:
            guard fieldIndex < columns.count else { return }
            if keptPlaces[fieldIndex] >= 0 { kept[keptPlaces[fieldIndex]].append(bytes) }
            if !columns[fieldIndex].append(bytes, line: rowLine) {
                checkText(bytes)
                if failure == nil, let refusal = columns[fieldIndex].refusal {
                    failure = error(line: rowLine, refusal.problem, remedy: refusal.remedy)
                }
            }
        case .recovery:
            if rowCount >= 0, fieldIndex < columns.count { columns[fieldIndex].recover(bytes, line: rowLine) }
        }
    }

    /// Takes in the end of a row or of a blank line.
    mutating func receiveRowEnd(_ terminator: UInt8?) {
        let isSecondHalf = terminator == UInt8(ascii: "\n") && endedWithReturn
        endedWithReturn = terminator == UInt8(ascii: "\r")
        if isSecondHalf { return }
        line += 1
        defer { rowLine = line }
        guard fieldIndex > 0 else { return }  // Blank lines are no rows.
        defer { fieldIndex = 0 }
        if failure != nil { return }
        switch phase {
        case .header:
            beginColumns()
            keptPlaces = names.map { name in kept.firstIndex { $0.name == name } ?? -1 }
            if let missing = kept.first(where: { places[$0.name] == nil }) {
                failure = error(
                    line: rowLine, "there is no column '\(missing.name)' to keep",
                    remedy: SpellingSuggestion.clause(for: missing.name, in: names))
            }
            phase = .rows
        case .rows:
            guard fieldIndex == columns.count else {
                failure = error(
                    line: rowLine,
                    "the row has \(NumberText.counted(fieldIndex, "field")) where the header has \(columns.count)",
                    remedy: fieldIndex > columns.count
                        ? "put fields that contain the separator into double quotes" : "complete the row")
                return
            }
            if rowLine != expectedLine { runs.append(RowPlaces.Run(row: rowCount, line: rowLine)) }
            expectedLine = rowLine + 1
            rowCount += 1
            if rowCount == batchRows { endBatch() }
        case .recovery:
            rowCount += 1
        }
    }

    private mutating func beginColumns() {
        columns = names.map { CSVColumn($0, rules, decimal: decimal, isSurveyed: isSurvey) }
    }

    /// Whether there are rows enough for a table.
    var hasBatch: Bool { !batches.isEmpty }

    /// Makes a table of the rows so far.
    private mutating func endBatch() {
        do throws(MetaLearnersError) {
            batches.append(try take(allowingNoRows: true))
        } catch {
            failure = error
        }
        beginColumns()
        rowCount = 0
        runs = []
        expectedLine = -1
    }

    /// The next table of a batch; once all rows were read also one of fewer rows, and then nil.
    ///
    /// - Throws: `invalidData` for a file without a header.
    mutating func takeBatch() throws(MetaLearnersError) -> Table? {
        if batches.isEmpty {
            if names.isEmpty { throw MetaLearnersError(.invalidData, at: fileName, "the file is empty") }
            guard rowCount > 0 else { return nil }
            endBatch()
        }
        if let failure { throw failure }
        return batches.removeFirst()
    }

    /// The finished table; the builder is empty afterwards.
    ///
    /// - Throws: `invalidData` for a file without a header or, unless that is allowed, without rows.
    mutating func take(allowingNoRows: Bool) throws(MetaLearnersError) -> Table {
        guard !columns.isEmpty else {
            throw MetaLearnersError(.invalidData, at: fileName, "the file is empty")
        }
        guard rowCount > 0 || allowingNoRows else {
            throw MetaLearnersError(.invalidData, at: fileName, "the file has a header and no rows")
        }
        var finished: [Column] = []
        for index in columns.indices {
            let bytes = 16 * rowCount + 4 * columns[index].levelBytes
            try AvailableMemory.require(bytes, for: "the table", at: fileName)
            finished.append(try columns[index].take())
        }
        columns = []
        return try Table(finished, places: RowPlaces(runs: runs))
    }

    private mutating func receiveName(_ bytes: UnsafeBufferPointer<UInt8>) {
        guard let name = String(validating: bytes, as: UTF8.self) else {
            failure = notUnicode()
            return
        }
        let number = fieldIndex + 1
        if name.isEmpty {
            failure = error(
                line: rowLine, "column \(number) has no name",
                remedy:
                    "give each column a name (a table's row names can be left out: index=False in pandas, "
                    + "row.names=FALSE in R)")
        } else if let first = places.updateValue(names.count, forKey: name) {
            failure = error(
                line: rowLine, "columns \(first + 1) and \(number) are both called '\(name)'",
                remedy: "rename one of them")
        }
        names.append(name)
        line += Self.lineEnds(bytes)
    }

    private mutating func checkText(_ bytes: UnsafeBufferPointer<UInt8>) {
        if String(validating: bytes, as: UTF8.self) == nil { failure = notUnicode() }
        line += Self.lineEnds(bytes)
    }

    private func notUnicode() -> MetaLearnersError {
        error(line: rowLine, "the text is not UTF-8", remedy: "save the file in UTF-8")
    }

    /// How many line ends (LF, CR LF or CR) a quoted field contains.
    private static func lineEnds(_ bytes: UnsafeBufferPointer<UInt8>) -> Int {
        var count = 0
        for (index, byte) in bytes.enumerated() {
            if byte == UInt8(ascii: "\n") { count += 1 }
            if byte == UInt8(ascii: "\r"), index + 1 == bytes.count || bytes[index + 1] != UInt8(ascii: "\n")
            {
                count += 1
            }
        }
        return count
    }
}
