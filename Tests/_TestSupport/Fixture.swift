import MetaLearnersCore

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// Numbers computed elsewhere, stored as JSON in the folder `Fixtures` beside the test that uses them.
public struct Fixture: Sendable {
    /// The document.
    public let value: SpecValue
    private let name: String

    /// Reads `Fixtures/<name>.json` beside the calling file.
    ///
    /// - Throws: `inputOutput` where there is no such file, `invalidSpec` where it is not JSON.
    public init(_ name: String, beside file: String = #filePath) throws(MetaLearnersError) {
        let folder = URL(fileURLWithPath: file).deletingLastPathComponent()
        let url = folder.appendingPathComponent("Fixtures").appendingPathComponent(name + ".json")
        guard let data = try? Data(contentsOf: url) else {
            throw MetaLearnersError(.inputOutput, at: url.path, "the fixture cannot be read")
        }
        try self.init(SpecValue(json: data, source: name), name: name)
    }

    private init(_ value: SpecValue, name: String) throws(MetaLearnersError) {
        self.value = value
        self.name = name
    }

    /// The part of the document under `key`.
    ///
    /// - Throws: `invalidData` where there is none.
    public func part(_ key: String) throws(MetaLearnersError) -> Fixture {
        guard let entry = value.objectValue?[key] else { throw error("has no '\(key)'") }
        return try Fixture(entry, name: name + "." + key)
    }

    /// The parts of a list.
    ///
    /// - Throws: `invalidData` where it is not a list.
    public func parts() throws(MetaLearnersError) -> [Fixture] {
        guard let list = value.arrayValue else { throw error("is not a list") }
        var parts: [Fixture] = []
        for entry in list { parts.append(try Fixture(entry, name: name)) }
        return parts
    }

    /// The number under `key`.
    ///
    /// - Throws: `invalidData` where there is none.
    public func number(_ key: String) throws(MetaLearnersError) -> Double {
        guard let number = try part(key).value.doubleValue else { throw error("'\(key)' is not a number") }
        return number
    }

    /// The text under `key`.
    ///
    /// - Throws: `invalidData` where there is none.
    public func text(_ key: String) throws(MetaLearnersError) -> String {
        guard let text = try part(key).value.stringValue else { throw error("'\(key)' is not text") }
        return text
    }

    /// The list of numbers under `key`; null reads as NaN.
    ///
    /// - Throws: `invalidData` where there is none.
    public func numbers(_ key: String) throws(MetaLearnersError) -> [Double] { try part(key).numbers() }

    /// The list of lists of numbers under `key`; null reads as NaN.
    ///
    /// - Throws: `invalidData` where there is none.
    public func lists(_ key: String) throws(MetaLearnersError) -> [[Double]] {
        var lists: [[Double]] = []
        for part in try part(key).parts() { lists.append(try part.numbers()) }
        return lists
    }

    /// The list of integers under `key`.
    ///
    /// - Throws: `invalidData` where there is none.
    public func integers(_ key: String) throws(MetaLearnersError) -> [Int32] {
        var integers: [Int32] = []
        for number in try numbers(key) {
            guard let integer = Int32(exactly: number) else { throw error("\(number) is not an integer") }
            integers.append(integer)
        }
        return integers
    }

    /// The list of texts under `key`.
    ///
    /// - Throws: `invalidData` where there is none.
    public func texts(_ key: String) throws(MetaLearnersError) -> [String] {
        var texts: [String] = []
        for part in try part(key).parts() {
            guard let text = part.value.stringValue else { throw error("'\(key)' holds something not text") }
            texts.append(text)
        }
        return texts
    }

    private func numbers() throws(MetaLearnersError) -> [Double] {
        guard let list = value.arrayValue else { throw error("is not a list") }
        var numbers: [Double] = []
        for entry in list {
            guard let number = entry == .null ? .nan : entry.doubleValue else {
                throw error("holds \(entry.kindName)")
            }
            numbers.append(number)
        }
        return numbers
    }

    private func error(_ problem: String) -> MetaLearnersError {
        MetaLearnersError(.invalidData, at: "fixture \(name)", problem)
    }
}
