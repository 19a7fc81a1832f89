import Foundation
import MetaLearnersCore
import Testing

@Suite("Reading JSON")
struct JSONReaderTests {
    private func error(_ text: String) -> String {
        do throws(MetaLearnersError) {
            return "no error: \(try SpecValue(json: text.utf8, source: "s"))"
        } catch {
            return error.description
        }
    }

    @Test(
        "errors name line and column, and what stands there",
        arguments: [
            ("{\"a\": }", "s, line 1, column 7: is not valid JSON (a value is none)"),
            (
                "{\n  \"a\": 1,\n}",
                "s, line 3, column 1: is not valid JSON (a comma stands before the closing })"
            ),
            ("[1, 2,]", "s, line 1, column 7: is not valid JSON (a comma stands before the closing ])"),
            ("{\"a\" 1}", "line 1, column 6: is not valid JSON (a colon is missing after the key \"a\")"),
            ("{\"é\": 1 \"b\": 2}", "line 1, column 9: is not valid JSON (a comma or } is missing"),
            ("{'a': 1}", "column 2: is not valid JSON (a key in double quotes is missing)"),
            ("{\"a\": True}", "column 7: is not valid JSON"), ("{\"a\": NaN}", "column 7: is not valid JSON"),
            ("// x\n{}", "s, line 1, column 1: is not valid JSON"),
            ("[1\r\n 2]", "line 2, column 2: is not valid JSON (a comma or ] is missing"),
            ("{\"a\": \"x\n}", "line 1, column 7: is not valid JSON (a text has no end in its line)"),
            ("[\"a", "column 2: is not valid JSON (a text has no end)"),
            ("[1", "column 3: is not valid JSON (a comma or ] is missing"),
            ("[ 01]", "column 3: is not valid JSON (a number begins with 0)"),
            ("[1.]", "ends with its point"),
            ("[1e]", "within its exponent"), ("[1e999]", "line 1, column 2: the number 1e999 is beyond"),
            ("[\"\\x\"]", "is not valid JSON"), ("[\"\\ud800\"]", "half of a character"),
            ("[\"\t\"]", "column 3: is not valid JSON (a text holds a control character)"),
            ("{} {}", "line 1, column 4: is not valid JSON (there is more after its end)"),
            ("", "s, line 1, column 1: is not valid JSON"),
            ("{\n\"a\": 1,\n \"a\": 2}", "s, line 3, column 2: has the key \"a\" twice in one object"),
        ])
    func errorsNamePlaces(_ text: String, _ words: String) {
        #expect(error(text).contains(words), "\(error(text))")
    }

    @Test("escapes, surrogate pairs, a byte-order mark and numbers of every form are read")
    func forms() throws {
        func read(_ text: String) throws -> SpecValue { try SpecValue(json: text.utf8, source: "s") }
        #expect(try read(#""\"\\\/\b\f\n\r\té😀\u0000""#) == "\"\\/\u{8}\u{C}\n\r\té😀\0")
        #expect(try read("\u{FEFF} [ ] ") == [])
        #expect(
            try read("[0, -0, -12, 1.0, 1e3, 1E-2, 2.5e+1, 9223372036854775807, 9223372036854775808, 1e-999]")
                == [
                    0, -0.0, -12, 1, 1000.0, 0.01, 25.0, 9_223_372_036_854_775_807, 9223372036854775808.0,
                    0.0,
                ])
        #expect(try read("{\"b\": null, \"a\": [true, false, {}]}").objectValue?.keys == ["b", "a"])
    }

    /// A value with its integers as numbers: Foundation takes 1e3 for one.
    private func numbers(_ value: SpecValue) -> SpecValue {
        switch value {
        case .integer(let integer): .number(Double(integer))
        case .array(let elements): .array(elements.map(numbers))
        case .object(let object): .object(SpecObject(object.entries.map { ($0.key, numbers($0.value)) }))
        default: value
        }
    }

    @Test("what Foundation reads is read as the same value, and what it refuses is refused")
    func foundationAgrees() throws {
        let document = Array(
            #"{"a": [1, -2.5e3, true, null, "x\"\u00e9 \\ é"], "b": {"c": {}, "d": []}, "e": 0.1}"#.utf8)
        let marks = Array(#"{}[],:"\0123eE+-.tfn u/"#.utf8)
        var stream = RandomStream(seed: 5)
        var accepted = 0
        for _ in 0..<3000 {
            var bytes = document
            for _ in 0...stream.integer(below: 3) {
                let place = stream.integer(below: bytes.count)
                switch stream.integer(below: 3) {
                case 0: bytes.remove(at: place)
                case 1: bytes.insert(marks[stream.integer(below: marks.count)], at: place)
                default: bytes[place] = marks[stream.integer(below: marks.count)]
                }
            }
            let ours = Result { try SpecValue(json: bytes, source: "s") }
            let theirs = Result { try JSONDecoder().decode(SpecValue.self, from: Data(bytes)) }
            let text = String(decoding: bytes, as: UTF8.self)
            switch (ours, theirs) {
            case (.success(let ours), .success(let theirs)):
                #expect(numbers(ours) == numbers(theirs), "\(text)")
                accepted += 1
            case (.failure(let error), .success):
                // It takes commas before closing brackets, too, which are no JSON.
                let isStricter = [
                    "twice in one object", "a comma stands before the closing", "beyond the largest",
                ].contains {
                    "\(error)".contains($0)
                }
                #expect(isStricter, "\(text): \(error)")
            case (.success, .failure(let error)): Issue.record("\(text): \(error)")
            case (.failure, .failure): break
            }
        }
        #expect(accepted > 150)
    }
}
