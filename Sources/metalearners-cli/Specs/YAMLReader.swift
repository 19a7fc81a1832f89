import MetaLearnersCore
import Yams

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

    /// Creates a reader of the text called `source`.
    init(source: String) { self.source = source }

    /// The value of a document; null for an empty one.
    ///
    /// - Throws: `invalidSpec`, naming the line.
    mutating func read(_ text: String) throws(MetaLearnersError) -> SpecValue {
        let node: Node?
        do {
            node = try Yams.compose(yaml: text)
        } catch let error as YamlError {
            throw Self.describe(error, source)
        } catch {
            throw MetaLearnersError(.invalidSpec, at: source, "is not valid YAML (\(error))")
        }
        guard let node else { return .null }
        return try value(of: node, depth: 0)
    }

    private mutating func value(of node: Node, depth: Int) throws(MetaLearnersError) -> SpecValue {
        nodeCount += 1
        guard nodeCount <= Self.nodeLimit, depth <= Self.depthLimit else {
            throw error(node.mark, "the document is too large or too deeply nested for a spec")
        }
        switch node {
        case .scalar(let scalar):
            return try value(of: scalar)
        case .sequence(let sequence):
            var elements: [SpecValue] = []
            for element in sequence { elements.append(try value(of: element, depth: depth + 1)) }
            return .array(elements)
        case .mapping(let mapping):
            var object = SpecObject()
            for (key, entry) in mapping {
                guard case .scalar(let name) = key else { throw error(key.mark, "a key must be text") }
                guard object[name.string] == nil else {
                    throw error(key.mark, "the key '\(name.string)' occurs twice")
                }
                object[name.string] = try value(of: entry, depth: depth + 1)
            }
            return .object(object)
        case .alias:
            throw error(node.mark, "an alias refers to nothing")
        }
    }

    private func error(_ mark: Mark?, _ problem: String) -> MetaLearnersError {
        MetaLearnersError(.invalidSpec, at: mark.map { "\(source), line \($0.line)" } ?? source, problem)
    }

    /// A plain scalar by the core schema; other scalars are text.
    ///
    /// - Throws: `invalidSpec` for a number that no double holds.
    private func value(of scalar: Node.Scalar) throws(MetaLearnersError) -> SpecValue {
        let text = scalar.string
        guard scalar.style == .plain else { return .string(text) }
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
            let number = Array(text.utf8).withUnsafeBufferPointer(DecimalParser.parse)
        else { return .string(text) }
        guard number.isFinite else {
            throw error(scalar.mark, "the number \(text) is beyond the largest, 1.8e308")
        }
        return .normalized(number)
    }

    private static func describe(_ error: YamlError, _ source: String) -> MetaLearnersError {
        switch error {
        case .scanner(_, let problem, let mark, _), .parser(_, let problem, let mark, _),
            .composer(_, let problem, let mark, _):
            return MetaLearnersError(
                .invalidSpec, at: "\(source), line \(mark.line)", "is not valid YAML (\(problem))")
        case .duplicatedKeysInMapping(let keys, let context):
            return MetaLearnersError(
                .invalidSpec, at: "\(source), line \(context.mark.line)",
                "the key '\(keys.sorted().first ?? "")' occurs twice")
        case .reader(let problem, _, _, _):
            return MetaLearnersError(.invalidSpec, at: source, "is not valid YAML (\(problem))")
        default:
            return MetaLearnersError(.invalidSpec, at: source, "is not valid YAML (\(error))")
        }
    }
}
