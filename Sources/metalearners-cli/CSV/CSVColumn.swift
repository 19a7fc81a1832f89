import MetaLearnersCore

/// A column while its file is being read: numbers until a field is none, texts from then on; labels are texts from the
/// start.
///
/// Numbers are kept as numbers alone. Where a later field turns the column into text, the texts of the earlier
/// rows are read from the file once more: `rowsToRecover` says how many.
struct CSVColumn {
    private let name: String
    private let decimal: UInt8
    private let use: ColumnRules.Use
    private let missing: MissingValues
    private var values: NumberColumn
    /// Rows that were numbers before the column turned into text, and whether any said "missing" by a spelling that is
    /// text among texts.
    private var numberCount = 0
    private var hasDoubtfulMissing = false
    /// The texts; nil as long as every field was a number or missing.
    private var levels: LevelTable?
    /// The codes of the first rows, from the second reading.
    private var recovered: NumberColumn
    /// How many of the first rows must be read again, as text.
    private(set) var rowsToRecover = 0
    /// Why the last field cannot be; nil where it can.
    private(set) var refusal: (problem: String, remedy: String)?

    /// The share of the fields that are numbers, decorated ones included, from which on the others are taken for
    /// mistakes.
    private static let nearlyAll = 0.9

    /// Whether nothing but the kind of the column and its levels is wanted.
    private let isSurveyed: Bool

    /// Creates an empty column whose numbers have `decimal` before their decimals.
    ///
    /// - Parameter isSurveyed: whether nothing but its kind and its levels is wanted: it has no rows then.
    init(_ name: String, _ rules: ColumnRules, decimal: UInt8, isSurveyed: Bool = false) {
        self.name = name
        self.isSurveyed = isSurveyed
        values = NumberColumn(onlyCounts: isSurveyed)
        recovered = NumberColumn(onlyCounts: isSurveyed)
        self.decimal = decimal
        use = rules.use(of: name)
        missing = rules.missing
        switch use {
        case .treatment, .classes, .category, .cluster, .levels: levels = LevelTable()
        case .covariate, .outcome, .numbers, .ignored, .passed: break
        }
    }

    /// How many bytes the texts take.
    var levelBytes: Int { levels?.byteCount ?? 0 }

    /// Appends a field, which stands on `line`.
    ///
    /// - Returns: whether the field was a number or missing; otherwise it is text, to be checked by the caller.
    mutating func append(_ bytes: UnsafeBufferPointer<UInt8>, line: Int) -> Bool {
        if use == .passed {
            values.append(.nan)
            return true
        }
        if levels == nil, let number = DecimalParser.parse(bytes, decimal: decimal) {
            if !missing.isEmpty, missing.numbers.contains(number) {
                values.append(.nan)
            } else {
                numberCount += 1
                values.append(number)
            }
            return true
        }
        switch spelling(bytes) {
        case .missing:
            values.append(levels == nil ? .nan : -1)
            return true
        case .missingAmongNumbers where levels == nil:
            hasDoubtfulMissing = true
            values.append(.nan)
            return true
        default: break
        }
        if levels == nil {
            if use == .numbers {
                let text = String(decoding: bytes, as: UTF8.self)
                refusal = (
                    "column '\(name)' has '\(text)', which is no number",
                    "correct it, or add it to data.missing_values" + hint(FieldSpelling.text(bytes))
                )
            }
            turnToText()
        }
        values.append(Double(levels?.code(of: bytes, line: line) ?? -1))
        if isSurveyed, use == .covariate, let count = levels?.count, count > Self.mostSurveyed {
            refusal = (
                "column '\(name)' has more than \(Self.mostSurveyed) different texts, which rows that are read batch by batch may not have",
                "name it under data.exclude"
            )
        }
        return false
    }

    /// The most texts of a covariate that is only surveyed: what they take grows with the file.
    private static let mostSurveyed = 1 << 20

    /// Appends a field of one of the first `rowsToRecover` rows, read again, which stands on `line`.
    mutating func recover(_ bytes: UnsafeBufferPointer<UInt8>, line: Int) {
        guard recovered.count < rowsToRecover else { return }
        let isMissing = spelling(bytes) == .missing
        recovered.append(isMissing ? -1 : Double(levels?.code(of: bytes, line: line) ?? -1))
    }

    /// What a field means, as far as missing values go; `text` for everything else.
    private func spelling(_ bytes: UnsafeBufferPointer<UInt8>) -> FieldSpelling {
        let spelling = FieldSpelling.missing(bytes) ?? .text
        if spelling != .missing, !missing.isEmpty, missing.contains(String(decoding: bytes, as: UTF8.self)) {
            return .missing
        }
        return spelling
    }

    private mutating func turnToText() {
        levels = LevelTable()
        let rows = values.count
        values = NumberColumn(onlyCounts: isSurveyed)
        if numberCount > 0 || hasDoubtfulMissing {
            rowsToRecover = rows
        } else {
            for _ in 0..<rows { values.append(-1) }
        }
    }

    /// Refuses a column nearly all of whose fields are numbers: the others are mistakes, or the column is declared as
    /// text. To be asked when all rows were read once.
    ///
    /// - Returns: the line of the first field that is no number, with the problem and the remedy; nil where all is well.
    func mistake() -> (line: Int, problem: String, remedy: String)? {
        guard let levels else { return nil }
        let areLabels = use == .treatment || use == .classes
        guard areLabels || use == .covariate || use == .outcome else { return nil }
        var numbers = numberCount
        var decorated = 0
        var others = 0
        var first: (line: Int, text: String, spelling: FieldSpelling)?
        for entry in levels.entries {
            let bytes = Array(entry.text.utf8)
            let isNumber = bytes.withUnsafeBufferPointer { bytes in
                DecimalParser.parse(bytes, decimal: decimal).map { !areLabels || $0.isFinite } ?? false
            }
            if isNumber {
                numbers += entry.rows
                continue
            }
            if bytes.withUnsafeBufferPointer({ FieldSpelling.missing($0) }) == .missingAmongNumbers {
                continue
            }
            let spelling = FieldSpelling.text(bytes)
            if spelling == .decoratedNumber { decorated += entry.rows } else { others += entry.rows }
            if first.map({ entry.firstLine < $0.line }) ?? true {
                first = (entry.firstLine, entry.text, spelling)
            }
        }
        // Arms and classes may well be called by decorated numbers.
        if areLabels {
            others += decorated
            decorated = 0
        }
        let total = numbers + decorated + others
        guard let first, Double(numbers + decorated) >= Self.nearlyAll * Double(total) else { return nil }
        let beside =
            numbers > 0
            ? ", as \(numbers) of its \(total) values are"
            : " as it is written, nor is any other of its \(total) values"
        let problem = "column '\(name)' has '\(first.text)', which is no number\(beside)"
        let remedy =
            switch use {
            case .outcome: "correct it, or add it to data.missing_values"
            case .treatment:
                "correct it, or name the column under data.categorical, where every text is an arm"
            case .classes:
                "correct it, or name the column under data.categorical, where every text is a class"
            default:
                "correct it, add it to data.missing_values, or name the column under data.categorical, where it is text"
            }
        return (first.line, problem, remedy + hint(first.spelling))
    }

    private func hint(_ spelling: FieldSpelling) -> String {
        guard spelling == .decoratedNumber else { return "" }
        let (here, other, name) =
            decimal == UInt8(ascii: ",") ? ("1234,5", "1234.5", "point") : ("1234.5", "1234,5", "comma")
        return " (numbers are written without thousands separators, currency and per cent signs: \(here); "
            + "--decimal \(name) reads \(other))"
    }

    /// The finished column, which is empty afterwards.
    ///
    /// - Throws: `invalidData` where the rows to recover were not all there the second time.
    mutating func take() throws(MetaLearnersError) -> Column {
        guard let levels else { return Column(name, try values.take()) }
        guard recovered.count == rowsToRecover else {
            throw MetaLearnersError(
                .invalidData, at: "column '\(name)'", "the file changed while it was being read")
        }
        let (names, places) = labels(of: levels.entries.map(\.text))
        var codes = NumberColumn(onlyCounts: isSurveyed)
        for part in [recovered, values] {
            part.forEach { codes.append($0 < 0 ? -1 : Double(places[Int($0)])) }
        }
        recovered = NumberColumn(onlyCounts: isSurveyed)
        values = NumberColumn(onlyCounts: isSurveyed)
        return Column(name, codes: try codes.take(), levels: names)
    }

    /// The levels in order, and for each text the place of its level; -1 where it means "missing".
    ///
    /// Texts that differ only in how their characters are composed are one level, as they are one String.
    private func labels(of texts: [String]) -> (levels: [String], places: [Int]) {
        var names = texts
        var isMissing = [Bool](repeating: false, count: texts.count)
        var sorted: [String]?
        switch use {
        case .treatment, .classes, .category, .cluster:
            if use != .category {
                isMissing = texts.map { text in
                    Array(text.utf8).withUnsafeBufferPointer { FieldSpelling.missing($0) != nil }
                }
            }
            let parsed = texts.map { LabelText($0) }
            if parsed.indices.allSatisfy({ isMissing[$0] || parsed[$0].number != nil }),
                isMissing.contains(false)
            {
                names = parsed.map(\.label)
                var known: Set<String> = []
                let numbers = parsed.indices.filter { !isMissing[$0] }.map { parsed[$0] }
                sorted = numbers.sorted(by: LabelText.precedes).map(\.label).filter {
                    known.insert($0).inserted
                }
            } else {
                isMissing = isMissing.map { _ in false }
            }
        case .levels(let known):
            names = texts.map { text in
                if known.contains(text) { return text }
                let label = LabelText(text).label
                return known.contains(label) ? label : text
            }
        case .covariate, .outcome, .numbers, .ignored, .passed: break
        }
        let levels = sorted ?? Set(names).sorted()
        let places = Dictionary(uniqueKeysWithValues: levels.enumerated().map { ($1, $0) })
        return (levels, names.indices.map { isMissing[$0] ? -1 : places[names[$0]] ?? -1 })
    }
}
