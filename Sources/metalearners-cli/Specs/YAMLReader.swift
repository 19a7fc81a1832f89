import MetaLearnersCore

/// Reads YAML into spec values, plain scalars by the core schema of YAML 1.2.
///
/// So `no` and `yes` are texts, `1e-3` is a number, and `0755` is 755. Keys are texts as written.
struct YAMLReader {
    /// What error messages call the text.
    let source: String
    /// Anchors and aliases let a few lines stand for a huge tree; a spec needs no more nodes than this.
    private static let nodeLimit = 100_000
    private static let depthLimit = 64
    private var nodeCount = 0
    /// What anchors stand for, each with the number of its nodes.
    private var anchors: [String: (value: SpecValue, nodes: Int)] = [:]

    /// Creates a reader of the text called `source`.
    init(source: String) { self.source = source }

    /// The value of a document; null for an empty one.
    ///
    /// - Throws: `invalidSpec`, naming line and column.
    mutating func read(_ text: String) throws(MetaLearnersError) -> SpecValue {
        // (A byte-order mark, as Windows editors write it, would be text before the first key.)
        let marked = text.unicodeScalars.first == "\u{FEFF}"
        let events = try YAMLEvents(
            marked ? String(text.unicodeScalars.dropFirst()) : text, source: source)
        guard case .documentStart = try events.next().event else { return .null }
        let (event, mark) = try events.next()
        let value = try value(event, mark, events, depth: 0)
        _ = try events.next()  // The end of the document.
        let rest = try events.next()
        if case .documentStart = rest.event {
            throw events.error(rest.mark, "a second document begins, and a spec is one")
        }
        return value
    }

    private mutating func value(
        _ event: YAMLEvents.Event, _ mark: YAMLEvents.Mark, _ events: YAMLEvents, depth: Int
    ) throws(MetaLearnersError) -> SpecValue {
        let nodesBefore = nodeCount
        try count(1, depth, mark, events)
        let value: SpecValue
        let name: String?
        switch event {
        case .scalar(let text, let isPlain, let anchor):
            value = isPlain ? try Self.value(ofPlain: text, mark, events) : .string(text)
            name = anchor
        case .sequenceStart(let anchor):
            var elements: [SpecValue] = []
            while true {
                let (next, mark) = try events.next()
                if case .sequenceEnd = next { break }
                elements.append(try self.value(next, mark, events, depth: depth + 1))
            }
            value = .array(elements)
            name = anchor
        case .mappingStart(let anchor):
            value = .object(try object(events, depth: depth))
            name = anchor
        case .alias(let anchor):
            guard let known = anchors[anchor] else {
                throw events.error(mark, "is not valid YAML (the alias '\(anchor)' refers to nothing)")
            }
            try count(known.nodes, depth, mark, events)
            return known.value
        case .sequenceEnd, .mappingEnd, .documentStart, .documentEnd, .streamEnd:
            throw events.error(mark, "is not valid YAML (a value is missing)")
        }
        if let name { anchors[name] = (value, nodeCount - nodesBefore) }
        return value
    }

    /// The rest of a mapping that has begun.
    private mutating func object(_ events: YAMLEvents, depth: Int) throws(MetaLearnersError) -> SpecObject {
        var object = SpecObject()
        while true {
            let (event, mark) = try events.next()
            if case .mappingEnd = event { return object }
            guard case .scalar(let key, _, nil) = event else {
                throw events.error(mark, "a key must be text")
            }
            try count(1, depth, mark, events)
            guard object[key] == nil else { throw events.error(mark, "the key '\(key)' occurs twice") }
            let (next, place) = try events.next()
            object[key] = try value(next, place, events, depth: depth + 1)
        }
    }

    private mutating func count(
        _ nodes: Int, _ depth: Int, _ mark: YAMLEvents.Mark, _ events: YAMLEvents
    ) throws(MetaLearnersError) {
        nodeCount += nodes
        guard nodeCount <= Self.nodeLimit, depth <= Self.depthLimit else {
            throw events.error(mark, "the document is too large or too deeply nested for a spec")
        }
    }

    /// A plain scalar by the core schema.
    ///
    /// - Throws: `invalidSpec` for a number that no double holds.
    private static func value(ofPlain text: String, _ mark: YAMLEvents.Mark, _ events: YAMLEvents)
        throws(MetaLearnersError) -> SpecValue
    {
        switch text {
        case "", "~", "null", "Null", "NULL": return .null
        case "true", "True", "TRUE": return .boolean(true)
        case "false", "False", "FALSE": return .boolean(false)
        case ".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF": return .number(.infinity)
        case "-.inf", "-.Inf", "-.INF": return .number(-.infinity)
        case ".nan", ".NaN", ".NAN": return .number(.nan)
        default: break
        }
        if text.hasPrefix("0x"), let value = Int(text.dropFirst(2), radix: 16) { return .integer(value) }
        if text.hasPrefix("0o"), let value = Int(text.dropFirst(2), radix: 8) { return .integer(value) }
        if let value = Int(text) { return .integer(value) }
        guard text.utf8.contains(where: { $0 >= UInt8(ascii: "0") && $0 <= UInt8(ascii: "9") }),
            let number = Array(text.utf8).withUnsafeBufferPointer({ DecimalParser.parse($0) })
        else { return .string(text) }
        guard number.isFinite else {
            throw events.error(mark, "the number \(text) is beyond the largest, 1.8e308")
        }
        return .normalized(number)
    }
}
