import MetaLearnersCore

/// What a field that is no plain number says by its spelling.
enum FieldSpelling {
    /// "Missing", whatever column it stands in.
    case missing
    /// "Missing" among numbers, and a text like any other among texts: `-`, `?`, `none`.
    case missingAmongNumbers
    /// A number with decoration that a person reads and a program should not guess: `1,234`, `$5`, `5 %`.
    case decoratedNumber
    /// Text.
    case text

    /// Missing everywhere, in lower case.
    private static let missingWords: [StaticString] = [
        "na", "n/a", "nan", "null", "<na>", "#n/a", "#div/0!", "#value!", "#ref!", "#name?", "#num!",
        "#null!",
    ]
    /// Missing among numbers alone, in lower case.
    private static let wordsAmongNumbers: [StaticString] = [
        ".", "-", "--", "?", "none", "nil", "missing", "n.a.",
    ]
    /// The longest of both.
    private static let longest = 7
    /// What they begin with, so that most texts are told from them by one byte.
    private static let beginnings: StaticString = "nN<#.-?mM"

    /// Tells whether `bytes` mean "missing"; nil where they mean anything else.
    static func missing(_ bytes: UnsafeBufferPointer<UInt8>) -> FieldSpelling? {
        if bytes.isEmpty { return .missing }
        guard bytes.count <= longest, beginnings.withUTF8Buffer({ $0.contains(bytes[0]) }) else { return nil }
        // pandas writes `NaT`, and Nat is a name.
        if bytes.elementsEqual("NaT".utf8) { return .missing }
        if missingWords.contains(where: { spells(bytes, $0) }) { return .missing }
        if wordsAmongNumbers.contains(where: { spells(bytes, $0) }) { return .missingAmongNumbers }
        return nil
    }

    /// What `bytes` are that neither mean "missing" nor are a number: a decorated number, or text.
    static func text(_ bytes: some Collection<UInt8>) -> FieldSpelling {
        isDecoratedNumber(bytes) ? .decoratedNumber : .text
    }

    /// Whether `bytes` are `word` but for the case of their letters.
    private static func spells(_ bytes: UnsafeBufferPointer<UInt8>, _ word: StaticString) -> Bool {
        guard bytes.count == word.utf8CodeUnitCount else { return false }
        return word.withUTF8Buffer { word in
            bytes.indices.allSatisfy { index in
                let isUpper = (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(bytes[index])
                return (isUpper ? bytes[index] | 0x20 : bytes[index]) == word[index]
            }
        }
    }

    /// Whether `bytes` are a number between a currency sign and a per cent sign, either of which may be absent, with
    /// thousands separators or a decimal comma, in parentheses or not.
    private static func isDecoratedNumber(_ bytes: some Collection<UInt8>) -> Bool {
        guard let text = String(validating: bytes, as: UTF8.self), text.count <= 40 else { return false }
        var body = Substring(text)
        let decoration = "$€£¥₹%‰()+-− \u{A0}\u{202F}"
        while let first = body.first, decoration.contains(first) { body.removeFirst() }
        while let last = body.last, decoration.contains(last) { body.removeLast() }
        // Groups of digits between separators: "1", "234", "5".
        let separators = ".,'’ \u{A0}\u{202F}"
        let groups = body.split(omittingEmptySubsequences: false) { separators.contains($0) }
        guard groups.allSatisfy({ $0.allSatisfy { ("0"..."9").contains($0) } }), let first = groups.first
        else { return false }
        // One separator divides the whole from its fraction; of more, all but the last divide thousands.
        guard groups.count > 2 else { return !first.isEmpty || groups.count == 2 && !groups[1].isEmpty }
        return (1...3).contains(first.count) && groups[1..<(groups.count - 1)].allSatisfy { $0.count == 3 }
            && groups.last.map { !$0.isEmpty } ?? false
    }
}
