import FormulaExport
import MetaLearnersCore
import MetaLearnersKit
import Testing
import _TestSupport

@testable import AutoLearner
@testable import MetaLearners

@Suite("Models in other languages")
struct ExportTests {
    private static let trees: SpecValue = ["backend": "trees", "trees": 9, "max_leaves": 6]
    private static let forest: SpecValue = ["backend": "forest", "trees": 5]
    private static let models: [SpecValue] = [
        ["outcome": "ridge", "propensity": "logistic", "effect": "lasso"],
        [
            "outcome": trees, "propensity": ["backend": "logistic", "calibration": "isotonic"],
            "effect": trees,
        ],
        ["outcome": forest, "propensity": forest, "effect": ["backend": "ridge", "expansion": "splines"]],
    ]

    private func fit(
        _ learner: LearnerKind, arms: Int = 2, outcome: String = "continuous", _ models: SpecValue,
        _ keys: [(String, SpecValue)] = []
    ) throws -> CATEModel {
        var object = SpecObject([("learner", .string(learner.rawValue)), ("cross_fitting", ["folds": 3])])
        if learner != .auto { object["models"] = models }
        for (key, value) in keys { object[key] = value }
        let recipe = ModelFixture.Recipe(name: "", spec: .object(object), arms: arms, outcome: outcome)
        let data = try ModelFixture.dataset(recipe)
        var settings = AutoSettings(rowCount: data.rowCount)
        settings.rounds = 20
        settings.lassoStages = 10
        return try MetaLearnerFitter(MetaLearnerSpec(.object(object))).withAuto(settings).fit(data)
    }

    /// New rows for a schema: missing values, unknown levels, and the borders of trees.
    private func rows(_ document: FormulaDocument, _ count: Int) throws -> Table {
        var stream = RandomStream(seed: 31)
        var borders: [Int: [Double]] = [:]
        for case .trees(let trees) in document.graph.nodes {
            for node in trees.trees.flatMap(\.nodes) {
                guard case .split(let column, .above(let border, _), _, _) = node else { continue }
                borders[column, default: []] += [border, border.nextUp, border.nextDown]
            }
        }
        return try Table(
            document.schema.fields.enumerated().map { index, field in
                if case .categorical(let levels) = field.kind {
                    let codes = (0..<count).map { _ in Int32(stream.integer(below: levels.count + 2)) - 1 }
                    return Column(field.name, codes: StridedValues(codes), levels: levels + ["Atlantis"])
                }
                let known = borders[index] ?? []
                return Column(
                    field.name,
                    (0..<count).map { row -> Double in
                        if row % 9 == index { return .nan }
                        if !known.isEmpty, row % 2 == 0 { return known[stream.integer(below: known.count)] }
                        return 3 * stream.normal()
                    })
            })
    }

    /// The compiled source gives what the model predicts of everything that it predicts.
    private func requireAgreement(_ model: CATEModel, _ note: String) throws {
        var spec = ExportSpec(.c, [])
        for output in [PredictionRequest.Output.effects, .armMeans, .propensities] {
            do throws(MetaLearnersError) {
                _ = try model.formulas(PredictionRequest(output))
                spec.what.append(output)
            } catch {
                // What cannot be predicted cannot be exported, for the same reason.
                let refused = #expect(throws: MetaLearnersError.self) {
                    try model.exported(ExportSpec(.c, [output]))
                }
                #expect(refused == error)
            }
        }
        let document = try model.formulaDocument(spec)
        let rows = try rows(document, 200)
        let compiled = try CompiledExport(document)
        var expected: [[Double]] = []
        for output in spec.what {
            expected += try model.predict(PredictionRequest(output), for: .new(rows)).columns
        }
        #expect(expected.count == document.names.count)
        let columns = rows.columns.map { $0.values.doubles() }
        for row in 0..<rows.rowCount {
            let values = columns.map { $0[row] }
            let found = compiled(values)
            #expect(compiled.predict(values) == found[0])
            for (output, own) in found.enumerated() {
                let other = expected[output][row]
                #expect(
                    abs(own - other) <= 1e-12 * max(1, abs(other)),
                    "\(note), \(document.names[output]), row \(row): \(own) for \(other)")
            }
        }
        // The other languages take whatever C takes.
        for format in [ExportSpec.Format.onnx, .sql, .json] {
            spec.format = format
            // (As a query, which computes shared steps once: an expression may be too long.)
            spec.table = format == .sql ? "people" : nil
            #expect(try !model.exported(spec).isEmpty)
        }
        let read = try FormulaDocument(SpecValue(json: model.exported(spec), source: "export"))
        #expect(read == document)
    }

    @Test(
        "Compiled C gives every learner's effects, arm means and propensities",
        arguments: LearnerKind.allCases)
    func learners(learner: LearnerKind) throws {
        let isOwn = learner == .auto
        for arms in [2, 3] {
            for (index, models) in Self.models.enumerated() where !isOwn || index == 0 {
                try requireAgreement(
                    fit(learner, arms: arms, models), "\(learner), \(arms) arms, models \(index)")
            }
        }
        if !isOwn {
            try requireAgreement(
                fit(learner, arms: 2, Self.models[1], [("prediction", "median")]), "\(learner), median")
        }
    }

    @Test("So it does for binary outcomes and classes", arguments: [LearnerKind.s, .t])
    func outcomes(learner: LearnerKind) throws {
        for outcome in ["binary", "classes"] {
            for model in ["logistic", Self.trees] {
                let models: SpecValue = [
                    "outcome": model, "propensity": ["backend": "logistic", "calibration": "platt"],
                ]
                try requireAgreement(
                    fit(learner, arms: outcome == "binary" ? 2 : 3, outcome: outcome, models),
                    "\(learner), \(outcome)")
            }
        }
    }

    @Test("Arms, baselines and scales are those of predictions")
    func requests() throws {
        let several = try fit(.t, arms: 3, Self.models[0])
        let labels = several.armLabels
        var spec = ExportSpec(.c)
        spec.arm = labels[2]
        spec.baseline = labels[1]
        let document = try several.formulaDocument(spec)
        #expect(document.names == ["cate_\(labels[2])_vs_\(labels[1])"])
        // Beside effects, arm means are of the one arm, and compare with nothing.
        spec.what = [.effects, .armMeans]
        #expect(try several.formulaDocument(spec).names == document.names + ["mean_\(labels[2])"])
        spec.what = [.armMeans]
        #expect(throws: MetaLearnersError.self) { try several.exported(spec) }
        let binary = try fit(.t, outcome: "binary", ["outcome": "logistic", "propensity": "logistic"])
        var ratio = ExportSpec(.sql)
        ratio.scale = .ratio
        #expect(try String(decoding: binary.exported(ratio), as: UTF8.self).contains("AS \"ratio\""))
    }

    @Test("Values that a spec counts as missing are missing in the exported model too")
    func missingValues() throws {
        let models: SpecValue = ["outcome": Self.trees, "propensity": "logistic"]
        let model = try fit(.t, models, [("data", ["missing_values": ["-9", "a"]])])
        try requireAgreement(model, "missing values")
        let document = try model.formulaDocument()
        #expect(document.missingValues == ["-9", "a"])
        let compiled = try CompiledExport(document)
        for (place, field) in document.schema.fields.enumerated() {
            var row = document.schema.fields.map { $0.kind == .numeric ? 0.3 : 1.0 }
            let code: Double
            if case .categorical(let levels) = field.kind {
                code = try Double(#require(levels.firstIndex(of: "a")))
            } else {
                code = -9
            }
            row[place] = code
            let marked = compiled(row)
            row[place] = .nan
            #expect(marked == compiled(row))
        }
        let sql = String(decoding: try model.exported(ExportSpec(.sql)), as: UTF8.self)
        #expect(!sql.contains("'a'") && sql.contains("(-9.0e0)"))
    }

    @Test("Levels that a spec refuses have no prediction")
    func unseen() throws {
        let models: SpecValue = ["outcome": Self.trees, "propensity": "logistic"]
        let model = try fit(.t, models, [("data", ["unseen_levels": "error"])])
        let document = try model.formulaDocument()
        let compiled = try CompiledExport(document)
        let place = try #require(document.schema.fields.firstIndex { $0.kind != .numeric })
        var row = document.schema.fields.map { $0.kind == .numeric ? 0.3 : 1.0 }
        #expect(compiled(row)[0].isFinite)
        for (code, isRefused) in [(-1.0, false), (.nan, false), (99, true), (0.5, true), (1e300, true)] {
            row[place] = code
            #expect(compiled(row)[0].isNaN == isRefused, "\(code)")
        }
        #expect(String(decoding: try model.exported(ExportSpec(.sql)), as: UTF8.self).contains("NOT IN"))
    }

    // MARK: Names

    private static let hostile = [
        "a\"b", "a'b", "a\\", "*/ int main;", "/*", "??/", "??)", "line\nbreak", "tab\t", "%s%n", "ü é 漢字",
        "\u{202E}turned", "--", ";drop table x;--", "$$", "E'\\'", "\\x41", "{}", "mtlr_c0", "cate", " ",
        "x'\u{301}y", "x\"\u{200D}y",
    ]

    private func hostileDocument(_ names: [String], levels: [String]) throws -> FormulaDocument {
        let fields = try Table(
            names.map { Column($0, [Double]()) } + [
                Column("kind", codes: StridedValues([Int32]()), levels: levels)
            ])
        let tree = try DecisionTree([
            .split(
                column: names.count, .levels([0, 3, 5], of: levels.count, othersGoRight: true), left: 1,
                right: 2),
            .leaf(0.1), .leaf(0.7),
        ])
        let formula = Formula(
            .sum(
                names.indices.map {
                    Formula(.standardised(Formula(.number(column: $0)), mean: 1, deviation: 3, missing: 0.5))
                }
                    + [Formula(.trees(DecisionTrees(base: 0, scale: 1, trees: [tree])))]))
        return try FormulaDocument(
            schema: CovariateSchema(fields), names: ["cate"], graph: FormulaGraph([formula]))
    }

    @Test("Names and levels of any characters leave the source one that compiles and computes the same")
    func hostileNames() throws {
        let document = try hostileDocument(Self.hostile, levels: Self.hostile)
        let compiled = try CompiledExport(document)
        let row = Self.hostile.indices.map(Double.init) + [1]
        let table = try Table(
            Self.hostile.enumerated().map { Column($1, [Double($0)]) } + [
                Column("kind", codes: StridedValues([Int32(1)]), levels: Self.hostile)
            ])
        #expect(abs(compiled(row)[0] - (try document.evaluate(table).values[0][0])) < 1e-12)
        let text = try CSourceExport(document).text
        // One comment at the top, and nothing in it that would end it or hide a part.
        #expect(text.components(separated: "*/").count == text.components(separated: "/*").count)
        #expect(!text.contains("??") && !text.contains("\u{202E}"))
        for dialect in SQLDialect.allCases {
            let sql = try SQLExport(document, dialect: dialect).text
            #expect(sql.contains("\"a\"\"b\"") && sql.contains("'a''b'"))
            // A mark with an accent is one character to Swift, and a mark to SQL.
            #expect(sql.utf8.split(separator: Array("'x''\u{301}y'".utf8)).count > 1)
            #expect(sql.utf8.split(separator: Array("\"x\"\"\u{200D}y\"".utf8)).count > 1)
            #expect(sql.contains(dialect == .postgres ? "E'a\\\\'" : "'a\\'"))
        }
        #expect(try !ONNXExport(document).bytes.isEmpty)
    }

    @Test("What a language cannot have is an error that names it")
    func refusals() throws {
        func error(_ body: () throws -> Void) -> MetaLearnersError? {
            #expect(throws: MetaLearnersError.self) { try body() }
        }
        let nul = try hostileDocument(["a\0b"], levels: Self.hostile)
        #expect(error { _ = try SQLExport(nul) }.says(.unsupported, "NUL"))
        #expect(error { _ = try ONNXExport(nul) }.says(.unsupported, "NUL"))
        _ = try CompiledExport(nul)
        let cases = try hostileDocument(["Age", "age"], levels: Self.hostile)
        #expect(error { _ = try SQLExport(cases) }.says(.unsupported, "case alone"))
        _ = try SQLExport(cases, dialect: .postgres)
        let unnamed = try hostileDocument([""], levels: Self.hostile)
        #expect(error { _ = try ONNXExport(unnamed) }.says(.unsupported, "without a name"))
        for name in [
            "", "1a", "a b", "int", "a-b", "ü", "_a", "exp", "a;", String(repeating: "a", count: 41),
        ] {
            #expect(
                error { _ = try CSourceExport(cases, name: name) }.says(.invalidArgument, "name"), "\(name)")
        }
        for table in ["", ".", "a.", ".a", "a\"b", "\"a", "\"a\"b", "a\0"] {
            #expect(error { _ = try SQLExport(nul, table: table) } != nil)
            #expect(
                error { _ = try SQLExport(cases, dialect: .postgres, table: table) }.says(
                    .invalidArgument, "table"),
                "\(table)")
        }
        let query = try SQLExport(cases, dialect: .postgres, table: "s.\"a.\"\"b\"").text
        #expect(query.contains("FROM \"s\".\"a.\"\"b\" AS"))
        let deep = try DecisionTree(
            (0..<301).flatMap { depth -> [DecisionTree.Node] in
                [
                    .split(
                        column: 0, .above(Double(depth), missingGoRight: true), left: 2 * depth + 1,
                        right: 2 * depth + 2),
                    .leaf(Double(depth)),
                ]
            } + [.leaf(0)])
        let document = try FormulaDocument(
            schema: cases.schema, names: ["cate"],
            graph: FormulaGraph([Formula(.trees(DecisionTrees(base: 0, scale: 1, trees: [deep])))]))
        #expect(error { _ = try SQLExport(document, dialect: .postgres) }.says(.unsupported, "300 splits"))
        // C and ONNX have no such limit.
        #expect(try CompiledExport(document)([149.5, 0, 1]) == [150])
        #expect(try !ONNXExport(document).bytes.isEmpty)
    }

    @Test("What has no formula is named, and so is a request that is none")
    func unsupported() throws {
        let model = try fit(
            .dr, ["outcome": "ridge", "effect": "ols"], [("intervals", ["method": "analytic"])])
        for format in ExportSpec.Format.allCases {
            for output in [PredictionRequest.Output.intervals, .stability, .individualIntervals] {
                let error = #expect(throws: MetaLearnersError.self) {
                    try model.exported(ExportSpec(format, [output]))
                }
                #expect(error.says(.unsupported, "no formula"))
            }
        }
        for spec: SpecValue in [
            ["what": []], ["what": ["effects", "effects"]], ["format": "pmml"], ["scale": 1], ["who": 2],
        ] {
            #expect(throws: MetaLearnersError.self) { try ExportSpec(spec) }
        }
        #expect(throws: MetaLearnersError.self) { try model.exported(ExportSpec(.c, [])) }
    }

    @Test("Every step of a formula means the same in C, whatever its arguments are")
    func steps() throws {
        let x = Formula(.number(column: 0))
        let y = Formula(.number(column: 1))
        let kind = Formula(.levels(column: 2, values: [0.5, -2], other: 9))
        let formulas: [Formula] = [
            .constant(-0.0), .constant(.leastNonzeroMagnitude), .constant(1.7976931348623157e308),
            .constant(0.1), x, kind,
            Formula(.isMissing(column: 0)), Formula(.isMissing(column: 2)),
            Formula(.standardised(x, mean: 0.1, deviation: 0.3, missing: -7)),
            Formula(.spline(x, knots: [-1, 0, 0.5, 2], index: 1)),
            Formula(.linear(intercept: 0.1, coefficients: [0.2, -0.3], [x, y])),
            Formula(.linear(intercept: 0.1, coefficients: [], [])), Formula(.sum([x, y, kind])),
            Formula(.sum([])),
            Formula(.difference(x, y)), Formula(.product([x, y])), Formula(.product([])),
            Formula(.quotient(x, y, otherwise: nil)), Formula(.quotient(x, y, otherwise: 3)),
            Formula(.clip(x, lower: -0.5, upper: 0.5)), Formula(.clip(x, lower: nil, upper: 0.5)),
            Formula(.clip(x, lower: nil, upper: nil)), Formula(.sigmoid(x)), Formula(.exp(x)),
            Formula(.log(x)),
            Formula(.softmax([x, y, kind], index: 1)), Formula(.mean([x, y])),
            Formula(.median([x, y, kind])),
            Formula(.median([x, y])), Formula(.median([x])),
            Formula(.curve(x, points: [-1, 0, 0, 1], values: [0, 1, 2, 4])),
            Formula(.curve(x, points: [1], values: [4])),
            Formula(.trees(DecisionTrees(base: 1, scale: 2, trees: []))),
            Formula(.trees(DecisionTrees(base: 1, scale: 2, trees: [try DecisionTree([.leaf(3)])]))),
            Formula(
                .trees(
                    DecisionTrees(
                        base: 0, scale: 1,
                        trees: [
                            try DecisionTree([
                                .split(column: 0, .missing, left: 1, right: 2), .leaf(1), .leaf(2),
                            ]),
                            try DecisionTree([
                                .split(column: 1, .present, left: 1, right: 2), .leaf(4), .leaf(8),
                            ]),
                            try DecisionTree([
                                .split(column: 2, .present, left: 1, right: 2), .leaf(16), .leaf(32),
                            ]),
                            try DecisionTree([
                                .split(column: 0, .above(0.25, missingGoRight: false), left: 1, right: 2),
                                .leaf(64), .leaf(128),
                            ]),
                        ]))),
        ]
        let values: [Double] = [.nan, -3, -1, -0.0, 0, 0.25, 0.25.nextUp, 1, 2, 800, -800, .infinity]
        let rows = values.flatMap { first in values.map { (first, $0) } }
        let table = try Table([
            Column("x", rows.map(\.0)), Column("y", rows.map(\.1)),
            Column("kind", codes: StridedValues(rows.indices.map { Int32($0 % 3) - 1 }), levels: ["p", "q"]),
        ])
        let document = try FormulaDocument(
            schema: CovariateSchema(table), names: formulas.indices.map { "f\($0)" },
            graph: FormulaGraph(formulas))
        let expected = try document.evaluate(table).values
        let compiled = try CompiledExport(document)
        for row in rows.indices {
            let found = compiled([rows[row].0, rows[row].1, Double(row % 3) - 1])
            for (index, own) in found.enumerated() {
                let other = expected[index][row]
                // (The median of what has no order has none.)
                let isOrdered = !rows[row].0.isNaN && !rows[row].1.isNaN
                if case .median = formulas[index].node, !isOrdered { continue }
                if case .softmax = formulas[index].node, !isOrdered { continue }
                #expect(
                    own == other || own.isNaN && other.isNaN || abs(own - other) <= 1e-14 * abs(other),
                    "formula \(index) of \(rows[row]): \(own) for \(other)")
            }
        }
        for dialect in SQLDialect.allCases { _ = try SQLExport(document, dialect: dialect, table: "t") }
        _ = try ONNXExport(document)
    }
}

extension String {
    fileprivate func components(separated by: String) -> [Substring] {
        var parts: [Substring] = []
        var rest = self[...]
        while let found = rest.firstRange(of: by) {
            parts.append(rest[..<found.lowerBound])
            rest = rest[found.upperBound...]
        }
        return parts + [rest]
    }
}
