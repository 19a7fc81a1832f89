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
            ("{\"a\": }", "s, line 1, column 7: is not valid JSON ('}' stands where a value is expected)"),
            (
                "{\n  \"a\": 1,\n}",
                "s, line 3, column 1: is not valid JSON (a comma stands before the closing })"
            ),
            ("[1, 2,]", "s, line 1, column 7: is not valid JSON (a comma stands before the closing ])"),
            ("{\"a\" 1}", "line 1, column 6: is not valid JSON ('1' stands where the colon"),
            ("{\"é\": 1 \"b\": 2}", "line 1, column 9: is not valid JSON ('\"' stands where a comma or } is"),
            ("{'a': 1}", "column 2: is not valid JSON (a single quotation mark stands where a key"),
            ("{a: 1}", "column 2: is not valid JSON ('a' stands where a key in double quotes"),
            ("{\"a\": True}", "column 7: is not valid JSON ('True' is no value"),
            ("{\"a\": NaN}", "'NaN' is no value"), ("// x\n{}", "'/' stands where a value is expected"),
            ("[1\r\n 2]", "line 2, column 2: is not valid JSON ('2' stands where a comma or ]"),
            (
                "{\"a\": \"x\n}",
                "line 1, column 9: is not valid JSON (the text that begins at line 1, column 7"
            ),
            ("[\"a", "column 2: is not valid JSON (the text that begins here has no closing"),
            ("[1", "column 3: is not valid JSON (the end of the text stands where a comma or ]"),
            ("[01]", "a number has a leading zero"), ("[1.]", "no digit after its point"),
            ("[-]", "minus sign"), ("[1e]", "no digit after its e"),
            ("[1e999]", "the number 1e999 is too large"),
            ("[\"\\x\"]", "the backslash and 'x' are no escape"), ("[\"\\ud800\"]", "surrogate"),
            ("[\"\\u12g4\"]", "four hexadecimal digits"), ("[\"\t\"]", "write it as \\u0009"),
            ("{} {}", "line 1, column 4: is not valid JSON ('{' follows the end of the value)"),
            ("", "empty"),
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
                == [0, 0, -12, 1, 1000, 0.01, 25, 9_223_372_036_854_775_807, 9223372036854775808.0, 0])
        #expect(try read("{\"b\": null, \"a\": [true, false, {}]}").objectValue?.keys == ["a", "b"])
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
                #expect(ours == theirs, "\(text)")
                accepted += 1
            case (.failure(let error), .success):
                // It takes commas before closing brackets, too, which are no JSON.
                let isStricter = ["twice in one object", "a comma stands before the closing"].contains {
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
