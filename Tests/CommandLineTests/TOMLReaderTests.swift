import Foundation
import MetaLearnersCore
import Testing

import metalearners_cli

@Suite("Reading TOML")
struct TOMLReaderTests {
    private func read(_ text: String) throws(MetaLearnersError) -> SpecValue {
        try SpecLoader.parse(Array(text.utf8), format: "toml", source: "s")
    }

    private func error(_ text: String) -> String {
        do throws(MetaLearnersError) {
            return "no error: \(try read(text))"
        } catch {
            return error.description
        }
    }

    /// Infinities as the fixture has them: JSON knows none.
    private func plain(_ value: SpecValue) -> SpecValue {
        switch value {
        case .number(let number) where !number.isFinite: .string("\(number)")
        case .array(let elements): .array(elements.map(plain))
        case .object(let object): .object(SpecObject(object.entries.map { ($0.key, plain($0.value)) }))
        default: value
        }
    }

    @Test("what Python's tomllib reads is read as the same value, and what it refuses is refused")
    func tomllibAgrees() throws {
        let url = Bundle.module.bundleURL.appendingPathComponent("Fixtures/toml.json")
        let cases = try #require(SpecValue(json: Data(contentsOf: url), source: "toml.json").arrayValue)
        #expect(cases.count == 1500)
        for entry in cases.compactMap(\.objectValue) {
            let text = try #require(entry["text"]?.stringValue)
            let expected = try #require(entry["value"])
            let read = try? plain(read(text))
            #expect(read == (expected == .null ? nil : expected), "\(text.debugDescription): \(error(text))")
        }
    }

    @Test(
        "errors name line and column",
        arguments: [
            (
                "a = 1\nb = \n",
                "s, line 2, column 5: is not valid TOML (the end of the line stands where a value"
            ),
            (
                "a = 1 b = 2\n",
                "s, line 1, column 7: is not valid TOML ('b' stands where the line should end)"
            ),
            ("a = yes\n", "'yes' is no value; text stands in quotation marks"),
            ("a = 2001-01-01T07:00:00Z\n", "'2001-01-01T07:00:00Z' is a date or a time"),
            ("a = 07:30:00\n", "is a date or a time"), ("a = 012\n", "'012' is no value"),
            ("a = \"x\n", "s, line 1, column 5: is not valid TOML (the text that begins here has no closing"),
            ("a = '''x\n", "no closing quotation mark"), ("a = [1 2]\n", "'2' stands where a comma or ] is"),
            ("a = {b = 1\n}\n", "s, line 1, column 11: is not valid TOML (the end of the line stands"),
            ("[a\n", "the header has no closing ]"), ("a\n", "the key is not followed by ="),
            ("é = 1\n", "s, line 1, column 1: is not valid TOML ('é' stands where a key is expected)"),
            ("[a]\nb = 1\n[a]\n", "s, line 3, column 2: is not valid TOML ('a' occurs twice"),
            ("a = 99999999999999999999\n", "is too large"), ("a = \"\\x\"\n", "no escape"),
        ])
    func errorsNamePlaces(_ text: String, _ words: String) {
        #expect(error(text).contains(words), "\(error(text))")
    }

    @Test("nesting made to exhaust the stack is refused")
    func deepNesting() {
        func many(_ text: String) -> String { String(repeating: text, count: 100_000) }
        for text in [
            "a = " + many("["), many("a.") + "a = 1", "[" + many("a.") + "a]", "a = " + many("{a = "),
        ] {
            #expect(error(text).contains("s, line 1"))
        }
    }
}
