import MetaLearnersCore
import Testing

@Suite("Spec values and JSON")
struct SpecValueTests {
    private func parse(_ text: String) throws(MetaLearnersError) -> SpecValue {
        try SpecValue(json: text.utf8, source: "spec.json")
    }

    @Test("Values survive being written and read", arguments: [false, true])
    func roundTrip(indented: Bool) throws {
        let value: SpecValue = [
            "text": "line\n\"quoted\" \\ tab\t \u{1} é 漢 🙂", "empty": "", "none": .null, "yes": true,
            "no": false,
            "integer": -42, "largest": .integer(.max), "least": .integer(.min), "number": 0.1,
            "tiny": .number(.leastNonzeroMagnitude),
            "large": 1.7976931348623157e308, "list": [1, [2.5, "x"], [], .null], "object": ["a": ["b": []]],
            "": "an empty key",
        ]
        #expect(try parse(value.json(indented: indented)) == value)
    }

    @Test("Numbers are written with the digits that read back as the same bits")
    func numbers() throws {
        for number in [
            0.1, 1.0 / 3, 1e-7, 123456789.125, .leastNonzeroMagnitude, .greatestFiniteMagnitude, -2.5e-300,
            1e22,
        ] {
            #expect(try parse(SpecValue.number(number).json()).doubleValue == number)
        }
        #expect(SpecValue.number(.nan).json() == "null")
        #expect(SpecValue.number(.infinity).json() == "null")
        #expect(SpecValue.number(3).json() == "3")
    }

    @Test("Keys keep their order when written, and order does not matter for equality")
    func order() {
        var object = SpecObject([("z", 1), ("a", 2), ("m", 3)])
        #expect(SpecValue.object(object).json() == #"{"z": 1, "a": 2, "m": 3}"#)
        object["a"] = nil
        object["a"] = 2
        #expect(object.keys == ["z", "m", "a"])
        #expect(object == SpecObject([("a", 2), ("m", 3), ("z", 1)]))
        object["z"] = 9
        #expect(object.keys == ["z", "m", "a"])
        #expect(SpecObject([("k", 1), ("k", 2)])["k"] == 2)
    }

    @Test(
        "Text that is not JSON is refused with the name of its source",
        arguments: [
            "", " ", "{", "[1,", "{\"a\": }", "{\"a\" 1}", "nul", "[1 2]", "\"open", "{\"a\": 1} x",
            "[01]",
        ])
    func badJSON(text: String) {
        let error = #expect(throws: MetaLearnersError.self) { try parse(text) }
        #expect(error?.kind == .invalidSpec)
        #expect(error?.location?.hasPrefix("spec.json, line 1, column ") == true)
        #expect(error?.description.contains("is not valid JSON") == true)
    }

    @Test("Bytes that are not UTF-8 are refused")
    func badBytes() {
        #expect(throws: MetaLearnersError.self) {
            try SpecValue(json: [0x22, 0xFF, 0xFE, 0x22] as [UInt8], source: "spec.json")
        }
    }

    @Test(
        "Nesting of ten thousand levels is refused or read, and crashes nothing", arguments: ["[", "{\"a\":"])
    func deepNesting(open: String) throws {
        let depth = 10_000
        let close = open == "[" ? "]" : "}"
        let text = String(repeating: open, count: depth) + "1" + String(repeating: close, count: depth)
        let error = #expect(throws: MetaLearnersError.self) { try parse(text) }
        #expect(error?.kind == .invalidSpec)
        // Nesting that is no attack is read.
        let some = String(repeating: open, count: 100) + "1" + String(repeating: close, count: 100)
        #expect(throws: Never.self) { try parse(some) }
    }

    @Test("Views of a value give what it is, and nothing else")
    func views() {
        #expect(SpecValue.integer(3).doubleValue == 3)
        #expect(SpecValue.number(3).integerValue == 3)
        #expect(SpecValue.number(3.5).integerValue == nil)
        #expect(SpecValue.number(1e300).integerValue == nil)
        #expect(SpecValue.number(.nan).integerValue == nil)
        #expect(SpecValue.string("3").integerValue == nil)
        #expect(SpecValue.boolean(true).integerValue == nil)
        #expect(SpecValue.array([]).objectValue == nil)
    }

    @Test(
        "What was written is read as the same text again",
        arguments: [
            8.3e18, 1e15, 1e16, 9_007_199_254_740_994, -1e22, 1.5, 3, -0.0, 1e-300, 1.7976931348623157e308,
            .leastNonzeroMagnitude,
            0.1, 123_456_789_012_345_680, 4.611686018427388e18,
        ])
    func sameText(number: Double) throws {
        let text = SpecValue.number(number).json()
        let again = try SpecValue(json: text.utf8, source: "spec")
        #expect(again.json() == text)
        #expect(again.doubleValue == number)
    }

    @Test("Integers stay integers, and beyond 64 bits become numbers")
    func integers() throws {
        func read(_ text: String) throws -> SpecValue { try SpecValue(json: text.utf8, source: "spec") }
        #expect(try read("9223372036854775807") == .integer(.max))
        #expect(try read("-9223372036854775808") == .integer(.min))
        #expect(try read("9223372036854775808") == .number(0x1p63))
        #expect(try read("3.0") == .integer(3))
        #expect(try read("1e3").integerValue == 1000)
        #expect(try read("8.3e18") == .number(8.3e18))
    }

    @Test(
        "What is no JSON is refused",
        arguments: [
            "", " ", "{", "[", "[1", "[1,", "[1,]", "{\"a\"", "{\"a\":", "{\"a\":1", "{\"a\":1,}", "{a:1}",
            "01", "1.",
            ".5", "+1", "-", "1e", "1e+", "0x1", "nan", "inf", "tru", "nul", "\"", "\"\\", "\"\\u12",
            "\"\\ud800\"",
            "\"\\udc00\"", "\"\\ud800\\u0041\"", "\"\\x\"", "\"\n\"", "1 2", "[1]]", "{}{}", "'a'", "\u{0}",
            "1e400",
            "\"\\u+123\"", "\"\\u-000\"", String(repeating: "[", count: 100_000),
            "[" + String(repeating: "{\"a\":", count: 100_000),
        ])
    func noJSON(text: String) {
        let error = #expect(throws: MetaLearnersError.self) { try SpecValue(json: text.utf8, source: "spec") }
        #expect(error?.kind == .invalidSpec)
    }

    @Test("Texts come with every escape, and keys in their order")
    func textsAndOrder() throws {
        let text = #"{"z": "\"\\\/\b\f\n\r\t\u00e9\ud83d\ude00é😀", "a": {"y": [], "b": {}}}"#
        let value = try SpecValue(json: text.utf8, source: "spec")
        #expect(value.objectValue?["z"] == "\"\\/\u{8}\u{C}\n\r\té😀é😀")
        #expect(value.objectValue?.keys == ["z", "a"])
        #expect(value.objectValue?["a"]?.objectValue?.keys == ["y", "b"])
    }

    @Test(
        "A key that an object has twice is refused by name, at any depth",
        arguments: [
            #"{"a": 1, "a": 2}"#, #"[{"b": {"a": [{"c": 1}], "a": 0}}]"#,
            #"{"x": ["{", "\"a"], "a": {}, "a": "a"}"#,
        ])
    func repeatedKey(text: String) {
        let error = #expect(throws: MetaLearnersError.self) {
            _ = try SpecValue(json: text.utf8, source: "spec.json")
        }
        #expect(error?.description.contains(#"the key "a" twice"#) == true)
    }

    @Test("Keys of different objects, and values like keys, may be alike")
    func alikeButNotRepeated() throws {
        let text = #"{"a": "a", "b": [{"a": 1}, {"a": 2}, "a", "a"], "c": {"a": {"a": "\\"}}}"#
        #expect(try SpecValue(json: text.utf8, source: "spec").objectValue?.entries.count == 3)
    }
}
