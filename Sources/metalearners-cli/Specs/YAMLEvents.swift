import CYAML
import MetaLearnersCore

/// The parts of a YAML text one after another, as libyaml finds them.
final class YAMLEvents {
    /// A place in the text, from 1.
    struct Mark {
        let line: Int
        let column: Int

        fileprivate init(_ mark: yaml_mark_t) {
            line = Int(mark.line) + 1
            column = Int(mark.column) + 1
        }
    }

    /// One part. An anchor is the name under which aliases repeat it.
    enum Event {
        case scalar(String, isPlain: Bool, anchor: String?)
        case alias(String)
        case sequenceStart(anchor: String?)
        case sequenceEnd
        case mappingStart(anchor: String?)
        case mappingEnd
        case documentStart
        case documentEnd
        case streamEnd
    }

    private let source: String
    private let parser: UnsafeMutablePointer<yaml_parser_t>
    private let text: UnsafeMutableBufferPointer<UInt8>

    /// Begins to read `text`, called `source` in error messages.
    ///
    /// - Throws: `outOfMemory`.
    init(_ text: String, source: String) throws(MetaLearnersError) {
        self.source = source
        parser = .allocate(capacity: 1)
        self.text = .allocate(capacity: text.utf8.count)
        _ = self.text.initialize(from: text.utf8)
        guard yaml_parser_initialize(parser) == 1 else {
            // It has cleared the parser, so that deleting it does no harm.
            throw MetaLearnersError(.outOfMemory, at: source, "there is no memory to read YAML")
        }
        yaml_parser_set_encoding(parser, YAML_UTF8_ENCODING)
        yaml_parser_set_input_string(parser, self.text.baseAddress, self.text.count)
    }

    deinit {
        yaml_parser_delete(parser)
        parser.deallocate()
        text.deallocate()
    }

    /// The next part, with the place where it begins. After the end of the stream there is none.
    ///
    /// - Throws: `invalidSpec`, naming line and column, where the text is not YAML.
    func next() throws(MetaLearnersError) -> (event: Event, mark: Mark) {
        while true {
            var event = yaml_event_t()
            guard yaml_parser_parse(parser, &event) == 1 else { throw failure() }
            defer { yaml_event_delete(&event) }
            if let known = Self.event(event) { return (known, Mark(event.start_mark)) }
        }
    }

    /// The error of something wrong at `mark`.
    func error(_ mark: Mark, _ problem: String) -> MetaLearnersError {
        MetaLearnersError(.invalidSpec, at: "\(source), line \(mark.line), column \(mark.column)", problem)
    }

    private static func event(_ event: yaml_event_t) -> Event? {
        switch event.type {
        case YAML_SCALAR_EVENT:
            let scalar = event.data.scalar
            let bytes = UnsafeBufferPointer(
                start: scalar.value, count: scalar.value == nil ? 0 : scalar.length)
            // A tag other than the standard ones for numbers and the like says that it is text.
            let tag = text(scalar.tag)
            let isText = tag == "!" || tag == "tag:yaml.org,2002:str"
            return .scalar(
                String(decoding: bytes, as: UTF8.self),
                isPlain: scalar.style == YAML_PLAIN_SCALAR_STYLE && !isText, anchor: text(scalar.anchor))
        case YAML_ALIAS_EVENT: return .alias(text(event.data.alias.anchor) ?? "")
        case YAML_SEQUENCE_START_EVENT: return .sequenceStart(anchor: text(event.data.sequence_start.anchor))
        case YAML_SEQUENCE_END_EVENT: return .sequenceEnd
        case YAML_MAPPING_START_EVENT: return .mappingStart(anchor: text(event.data.mapping_start.anchor))
        case YAML_MAPPING_END_EVENT: return .mappingEnd
        case YAML_DOCUMENT_START_EVENT: return .documentStart
        case YAML_DOCUMENT_END_EVENT: return .documentEnd
        case YAML_STREAM_START_EVENT: return nil
        default: return .streamEnd
        }
    }

    private static func text(_ pointer: UnsafeMutablePointer<yaml_char_t>?) -> String? {
        pointer.map { String(cString: $0) }
    }

    private func failure() -> MetaLearnersError {
        let problem = parser.pointee.problem.map { String(cString: $0) } ?? "it cannot be read"
        switch parser.pointee.error {
        case YAML_MEMORY_ERROR:
            return MetaLearnersError(.outOfMemory, at: source, "there is no memory to read YAML")
        case YAML_READER_ERROR:
            // The reader knows the byte alone.
            let before = text.prefix(parser.pointee.problem_offset)
            let line = before.count { $0 == UInt8(ascii: "\n") } + 1
            return MetaLearnersError(
                .invalidSpec, at: "\(source), line \(line)", "is not valid YAML (\(problem))")
        default:
            return error(Mark(parser.pointee.problem_mark), "is not valid YAML (\(problem))")
        }
    }
}
