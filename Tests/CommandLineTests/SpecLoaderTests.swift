import MetaLearners
import MetaLearnersCore
import MetaLearnersKit
import Testing

import metalearners_cli

@Suite("Spec files")
struct SpecLoaderTests {
    private func yaml(_ text: String) throws(MetaLearnersError) -> SpecValue {
        try SpecLoader.parse(Array(text.utf8), format: "yaml", source: "s.yaml")
    }

    private func error(_ text: String, format: String = "yaml") -> String {
        do throws(MetaLearnersError) {
            _ = try SpecLoader.parse(Array(text.utf8), format: format, source: "s." + format)
            return "no error"
        } catch {
            return error.kind == .invalidSpec ? error.description : "\(error.kind)"
        }
    }

    @Test("the same spec in YAML, JSON and TOML is the same value")
    func formatsAgree() throws {
        let folder = #filePath.split(separator: "/").dropLast(3).joined(separator: "/")
        let values = try ["yaml", "json", "toml"].map {
            try SpecLoader.load("/\(folder)/examples/specs/learning_mindset.\($0)")
        }
        #expect(values[0] == values[1])
        #expect(values[0] == values[2])
        #expect(try MetaLearnerSpec(values[0], at: .root).overlap.bounds == [0.01, 0.99])
        #expect(try MetaLearnerSpec(["overlap": ["bounds": "auto"]], at: .root).overlap.bounds == nil)
        _ = try MetaLearnerFitter(MetaLearnerSpec(values[0], at: .root))
        _ = try MetaLearnerFitter(
            MetaLearnerSpec(SpecLoader.load("/\(folder)/examples/specs/minimal.yaml"), at: .root))
    }

    @Test("a byte-order mark before YAML, JSON or TOML makes no difference")
    func byteOrderMark() throws {
        for (format, text) in [
            ("yaml", "learner: t\nseed: 3\n"), ("json", "{\"learner\": \"t\",\n \"seed\": 3}"),
            ("toml", "learner = 't'\nseed = 3\n"),
        ] {
            let value = try SpecLoader.parse(Array(("\u{FEFF}" + text).utf8), format: format, source: "s")
            #expect(value == ["learner": "t", "seed": 3])
        }
    }

    @Test("plain YAML scalars follow the core schema, quoted ones are text")
    func scalars() throws {
        let value = try yaml(
            """
            no: [no, yes, on, n, "true", 'null', "1", 2001-01-01, 1:30, 1_000, 0x1F, 0o17, 0755]
            numbers: [1, -1, 1e-3, 1.0, .5, .inf, -.inf, +3]
            others: [true, False, ~, null, ""]
            empty:
            """)
        #expect(
            value["no"]
                == ["no", "yes", "on", "n", "true", "null", "1", "2001-01-01", "1:30", "1_000", 31, 15, 755])
        #expect(
            value["numbers"] == [
                1, -1, 0.001, 1, 0.5, .number(.infinity), .number(-.infinity), 3,
            ])
        #expect(value["others"] == [true, false, .null, .null, ""])
        #expect(value["empty"] == .null)
        #expect(try yaml("") == .null)
        #expect(try yaml("# nothing\n") == .null)
    }

    @Test("errors name the file and the line")
    func errorsNameTheLine() {
        #expect(error("a: 1\na: 2\n").hasPrefix("s.yaml, line "))
        #expect(error("a: 1\na: 2\n") == "s.yaml, line 2, column 1: the key 'a' occurs twice")
        #expect(error("a: 1\nb: {c: 1, d: 2, c: 3}\n").hasPrefix("s.yaml, line 2, column 17: "))
        #expect(error("a: \u{1}\n").hasPrefix("s.yaml, line 1: is not valid YAML"))
        #expect(error("a: 1\nb: [1, 2\nc: 3\n").hasPrefix("s.yaml, line "))
        #expect(error("- 1\n- 2\n").contains("must be a mapping"))
        #expect(error("a: 1\n---\nb: 2\n").hasPrefix("s.yaml, line "))
        #expect(
            error("a = 1\na = 2\n", format: "toml").hasPrefix("s.toml, line 2, column 1: is not valid TOML"))
        #expect(error("a = 2001-01-01\n", format: "toml").contains("date"))
        #expect(error("{\"a\": }", format: "json").hasPrefix("s.json, line 1, column 7: is not valid JSON"))
        #expect(error("a: 1", format: "txt").contains("the extension says nothing"))
    }

    @Test("documents made to exhaust memory or the stack are refused")
    func hostileDocuments() {
        let deep = 200_000
        #expect(error(String(repeating: "[", count: deep)).hasPrefix("s.yaml"))
        #expect(
            error(String(repeating: "{a: ", count: 500) + String(repeating: "}", count: 500)).hasPrefix(
                "s.yaml"))
        #expect(error(String(repeating: "[", count: deep), format: "json").hasPrefix("s.json"))
        #expect(error("a = " + String(repeating: "[", count: deep), format: "toml").hasPrefix("s.toml"))
        var bomb = "a0: &a0 [x, x, x, x, x, x, x, x]\n"
        for level in 1..<12 {
            bomb +=
                "a\(level): &a\(level) [" + (0..<8).map { _ in "*a\(level - 1)" }.joined(separator: ", ")
                + "]\n"
        }
        #expect(error(bomb).contains("too large"))
        #expect(error("a: *nothing\n").hasPrefix("s.yaml, line 1, column 4: "))
        #expect(error("a: &x [*x]\n").contains("refers to nothing"))
        for text in [
            "a: [", "{", "a: {b: [1, ", "? [a]\n: 1", "[a]: 1", "&a : 1", "a: !!", "%", "---\n...\n...\n]",
        ] {
            #expect(error(text).hasPrefix("s.yaml"), "\(text)")
        }
    }

    @Test("anchors, block texts, tags and documents with their marks are read")
    func yamlForms() throws {
        #expect(
            try yaml("a: &x {b: [1, two]}\nc: *x\n") == ["a": ["b": [1, "two"]], "c": ["b": [1, "two"]]])
        #expect(try yaml("a: &x 1\nb: &x 2\nc: *x\n") == ["a": 1, "b": 2, "c": 2])
        #expect(try yaml("a: |\n  1\n  2\nb: >-\n  x\n  y\n") == ["a": "1\n2\n", "b": "x y"])
        #expect(try yaml("a: !!str 1\nb: ! 2\nc: !!int 3\n") == ["a": "1", "b": "2", "c": 3])
        #expect(try yaml("%YAML 1.2\n---\na: 1 # one\n...\n") == ["a": 1])
        #expect(try yaml("\u{FEFF}a: é\n\n") == ["a": "é"])
        #expect(try yaml("{\"a\": [\"x\", 1.5]}") == ["a": ["x", 1.5]])
    }

    @Test("what no number holds is said to be too large, in every format")
    func tooLargeNumbers() {
        for number in ["1e400", "-1e400", "1" + String(repeating: "0", count: 400) + ".0"] {
            #expect(error("a: \(number)").contains("beyond the largest"))
            #expect(error("{\"a\": \(number)}", format: "json").contains("beyond the largest"))
            #expect(error("a = \(number)", format: "toml").contains("beyond the largest"))
        }
    }

    @Test("what the TOML parser cannot bear never reaches it")
    func hostileTOML() throws {
        let many = 20_000
        let parts = Array(repeating: "a", count: many).joined(separator: ".")
        let texts = [
            "[[[", "[[[a]]]", "[[ [a]]", "[ [ [", "[", "[[", "x = 1\n  [[[a\n", "[a]\n[[[", "\u{FEFF}[[[",
            parts + " = 1", "[" + parts + "]", "[[" + parts + "]]", "x = {" + parts + " = 1}",
            "x = [{" + parts + " = 1}]", "\"a\"" + String(repeating: ".'a'", count: many) + " = 1",
            "a . " + Array(repeating: "a", count: many).joined(separator: " .\t") + " = 1",
            "x = " + String(repeating: "[", count: many), "x = " + String(repeating: "{a=", count: many),
            "x = " + String(repeating: "[{a=", count: many), "x = [" + String(repeating: "\n[", count: many),
            "x = \"\"\"\n\"\"\"\n[[[", "x = '\n[[[", "x = \"\\\"\n[[[", "x = '''a'''\n[[[", "# [[[\n[[[",
        ]
        for text in texts { #expect(error(text, format: "toml").hasPrefix("s.toml"), "\(text.prefix(40))") }
    }

    @Test("TOML that only looks hostile is read")
    func harmlessTOML() throws {
        let text = #"""
            # [[[ a.b.c
            x = "[[[ \" [[[" # [[[
            y = '[[[\'
            w = '''
            [[['''
            numbers = [
              [[1.5, 2.5], [3]],
              [[[4]]],
            ]
            a.b."c.d".e = 1
            [t.u]
            v = {k = [1, 2], l = {m = 1}}
            [[list]]
            n = 1
            [[list]]
            n = 2
            """#
        let value = try SpecLoader.parse(Array(text.utf8), format: "toml", source: "s.toml")
        #expect(value["x"] == "[[[ \" [[[")
        #expect(value["y"] == "[[[\\")
        #expect(value["w"] == "[[[")
        #expect(value["numbers"] == [[[1.5, 2.5], [3]], [[[4]]]])
        #expect(value["a"] == ["b": ["c.d": ["e": 1]]])
        #expect(value["t"] == ["u": ["v": ["k": [1, 2], "l": ["m": 1]]]])
        #expect(value["list"] == [["n": 1], ["n": 2]])
    }

    @Test("files that never end, and files of another kind, are no specs")
    func endlessFiles() {
        for path in ["/dev/zero", "/dev/urandom", "/dev/null/x", "/"] {
            let error = #expect(throws: MetaLearnersError.self) { try SpecLoader.load(path) }
            #expect(error?.kind == .invalidSpec)
            #expect(throws: MetaLearnersError.self) { try CSVReader().read(path) }
        }
    }

    @Test("overrides reach any key and take YAML values")
    func overridesReachAnyKey() throws {
        var value = try yaml("models: {outcome: ridge, effect: {backend: trees, trees: 5}}\nseed: 1\n")
        for text in [
            "models.effect.trees=7", "overlap.bounds=[0.05,0.95]", "models.outcome.l2=2", "seed=",
            "data.control='0'",
            "models.propensity={backend: logistic, l2: 3}",
        ] {
            try SpecOverride(parsing: text).apply(to: &value)
        }
        #expect(value["models"]?["effect"] == ["backend": "trees", "trees": 7])
        #expect(value["models"]?["outcome"] == ["backend": "ridge", "l2": 2])
        #expect(value["models"]?["propensity"] == ["backend": "logistic", "l2": 3])
        #expect(value["overlap"] == ["bounds": [0.05, 0.95]])
        #expect(value["data"] == ["control": "0"])
        #expect(value["seed"] == nil)
    }

    @Test(
        "an override that cannot be applied is refused",
        arguments: ["seed", "=1", "a..b=1", "a b=1", "seed.x=1", "x=[1"])
    func badOverrides(_ text: String) {
        #expect(throws: MetaLearnersError.self) {
            var value: SpecValue = ["seed": 1]
            try SpecOverride(parsing: text).apply(to: &value)
        }
    }

    @Test("the printed spec of every learner loads again as the same spec", arguments: LearnerKind.allCases)
    func printedSpecsLoadAgain(_ learner: LearnerKind) throws {
        var spec = MetaLearnerSpec()
        spec.learner = learner
        spec.data.treatment = "true"
        spec.data.outcome = "a: b #c"
        spec.data.exclude = ["x", "1"]
        let complete = try MetaLearnerFitter(spec).completeSpec
        let text = try SpecDocument.text(of: complete, registry: .default)
        let again = try MetaLearnerSpec(yaml(text), at: .root)
        #expect(again.data == spec.data)
        #expect(try MetaLearnerFitter(again).completeSpec == complete)
        for line in text.split(separator: "\n") where !line.contains("#") {
            #expect(line.contains(":"))
        }
    }
}

extension SpecValue {
    fileprivate subscript(key: String) -> SpecValue? { objectValue?[key] }
}
