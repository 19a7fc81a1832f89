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
            ("a = 1\nb = \n", "s, line 2, column 5: is not valid TOML (a value is missing)"),
            (
                "a = 1 b = 2\n",
                "s, line 1, column 7: is not valid TOML (something follows where the line should"
            ),
            (
                "a = yes\n",
                "s, line 1, column 5: is not valid TOML ('yes' is no value; text stands in quotation"
            ),
            ("a = 2001-01-01T07:00:00Z\n", "s, line 1, column 5: has a date or a time"),
            ("a = 07:30:00\n", "has a date or a time"), ("a = 012\n", "'012' is no value"),
            ("b = 1\na = \"x\n", "s, line 2, column 5: is not valid TOML (a text has no end on its line"),
            ("a = '''x\n", "s, line 1, column 5: is not valid TOML (a text has no end"),
            ("a = [1 2]\n", "column 8: is not valid TOML (a comma or ] is missing"),
            ("a = {b = 1\n}\n", "s, line 1, column 11: is not valid TOML (a comma or } is missing"),
            ("[a\n", "line 1, column 3: is not valid TOML (a ] is missing"),
            ("a\n", "= is missing after the key"),
            ("é = 1\n", "s, line 1, column 1: is not valid TOML (a key is missing, or has characters"),
            ("[a]\nb = 1\n[a]\n", "s, line 3, column 2: is not valid TOML ('a' is defined twice"),
            ("a = 1\n b = 2\n a = 3\n", "s, line 3, column 2: is not valid TOML (the key 'a' occurs twice"),
            ("a = 99999999999999999999\n", "is beyond 64 bits"), ("a = \"\\x\"\n", "is not valid TOML"),
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
