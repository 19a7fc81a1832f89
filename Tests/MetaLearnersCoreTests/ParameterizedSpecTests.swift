import MetaLearnersCore
import Testing

@Suite("Parameterised specs")
struct ParameterizedSpecTests {
    enum Shape: String, Sendable, CaseIterable { case round, square }

    struct Inner: ParameterizedSpec {
        var depth = 2
        init() {}
        static let parameters: [Parameter<Inner>] = [.integer("depth", \.depth, in: 1...10, "how deep")]
    }

    struct Sample: ParameterizedSpec {
        var trees = 10
        var rate = 0.5
        var flag = false
        var shape = Shape.round
        var name: String?
        var list: [String] = []
        var inner = Inner()
        init() {}
        static let parameters: [Parameter<Sample>] = [
            .integer("trees", \.trees, in: 1...100, "how many trees"),
            .number("rate", \.rate, in: 0...1, exclusiveLower: true, "how fast"),
            .boolean("flag", \.flag, "whether"),
            .choice("shape", \.shape, aliases: ["ball": .round], "what shape"),
            .optionalText("name", \.name, "what name"),
            .texts("list", \.list, "some texts"),
            .nested("inner", \.inner, "a spec within"),
        ]

        func check(at place: SpecPath) throws(MetaLearnersError) {
            guard trees < 50 || flag else {
                throw place.appending("trees").error("needs flag: true above 49")
            }
        }
    }

    private func message(_ value: SpecValue) -> String? {
        #expect(throws: MetaLearnersError.self) { try Sample(value, at: SpecPath.root.appending("models")) }?
            .description
    }

    @Test("Absent and null keys keep their defaults; every value that is written reads back")
    func roundTrip() throws {
        #expect(try Sample([:]) == Sample())
        #expect(try Sample(.null) == Sample())
        #expect(try Sample(["trees": .null, "name": .null]) == Sample())
        var spec = Sample()
        spec.trees = 77
        spec.rate = 0.125
        spec.flag = true
        spec.shape = .square
        spec.name = "x"
        spec.list = ["a", "b"]
        spec.inner.depth = 9
        #expect(try Sample(spec.specValue) == spec)
        #expect(try spec.validated() == spec)
        #expect(try Sample(SpecValue(json: spec.specValue.json().utf8, source: "spec")) == spec)
    }

    @Test("An unknown key is named with its place and the nearest known one")
    func unknownKeys() {
        #expect(message(["tres": 1]) == "models.tres: unknown key; did you mean 'trees'?")
        #expect(message(["inner": ["dept": 1]]) == "models.inner.dept: unknown key; did you mean 'depth'?")
        #expect(message(["zzzzzzzz": 1])?.contains("known are trees, rate") == true)
    }

    @Test(
        "Values out of range are refused with the range",
        arguments: [
            (["trees": 0], "models.trees: is 0, must be: integer, 1 to 100"),
            (["trees": 101], "models.trees: is 101, must be: integer, 1 to 100"),
            (["rate": 0.0], "models.rate: is 0, must be: number, 0 < x ≤ 1"),
            (["rate": 1.5], "models.rate: is 1.5, must be: number, 0 < x ≤ 1"),
            (["inner": ["depth": 11]], "models.inner.depth: is 11, must be: integer, 1 to 10"),
            (["shape": "sqare"], "models.shape: unknown value 'sqare'; did you mean 'square'?"),
            (["trees": 60], "models.trees: needs flag: true above 49"),
        ] as [(SpecValue, String)])
    func ranges(value: SpecValue, expected: String) {
        #expect(message(value) == expected)
    }

    @Test("NaN and infinity are no numbers of a spec")
    func notFinite() {
        for number in [Double.nan, .infinity, -.infinity] {
            #expect(message(["rate": .number(number)])?.hasPrefix("models.rate: is ") == true)
        }
    }

    @Test(
        "Values of another type are refused by name",
        arguments: [
            (["trees": "many"], "models.trees: must be an integer, not text"),
            (["trees": 1.5], "models.trees: must be an integer, not a number"),
            (["rate": true], "models.rate: must be a number, not a boolean"),
            (["flag": 1], "models.flag: must be true or false, not an integer"),
            (["shape": 1], "models.shape: must be one of round, square, not an integer"),
            (["name": []], "models.name: must be text, not a list"),
            (["list": ["a", 1]], "models.list: must be a list of texts, and holds an integer"),
            (["inner": 5], "models.inner: must be a mapping, not an integer"),
            ("text", "models: must be a mapping, not text"),
        ] as [(SpecValue, String)])
    func types(value: SpecValue, expected: String) {
        #expect(message(value) == expected)
    }

    @Test("One text counts as a list of one, an alias as its value, a whole number as an integer")
    func leniency() throws {
        #expect(try Sample(["list": "a"]).list == ["a"])
        #expect(try Sample(["shape": "ball"]).shape == .round)
        #expect(try Sample(["trees": 20.0]).trees == 20)
        #expect(try Sample(["rate": 1]).rate == 1)
    }

    @Test("Values set in code pass the same checks")
    func validation() {
        var spec = Sample()
        spec.rate = .nan
        #expect(throws: MetaLearnersError.self) { try spec.validated() }
        spec = Sample()
        spec.inner.depth = 0
        #expect(throws: MetaLearnersError.self) { try spec.validated() }
    }

    @Test("Descriptions name every key with its range and default, nested ones too")
    func descriptions() {
        let descriptions = Sample().parameterDescriptions
        #expect(descriptions.map(\.name) == ["trees", "rate", "flag", "shape", "name", "list", "inner"])
        #expect(descriptions[0].defaultValue == 10)
        #expect(descriptions[3].range == "round, square")
        #expect(descriptions[6].nested.map(\.name) == ["depth"])
    }
}
