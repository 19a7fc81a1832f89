import MetaLearnersCore

/// Formulas as one file of C99 that needs nothing but the mathematical functions of the C library.
///
/// Trees are tables of constants that a short loop goes down, eight trees at once, as the library's row predictor does;
/// everything else is straight-line arithmetic in the order of the formulas. The code allocates nothing, has no state, and any
/// number of threads may be in it.
public struct CSourceExport: Sendable {
    /// The file, as text.
    public let text: String

    /// Writes the formulas of a document.
    ///
    /// - Parameters:
    ///   - document: the formulas with the columns that they read.
    ///   - name: the name of the function and the beginning of all other names.
    /// - Throws: `invalidArgument` for a name that C cannot have; `unsupported` for more than 32,767 columns under trees or an
    ///   ensemble of more than 2³¹ nodes.
    /// - Complexity: O(size of the formulas).
    public init(_ document: FormulaDocument, name: String = "predict") throws(MetaLearnersError) {
        try Self.require(name)
        var writer = CSourceWriter(document, name)
        text = try writer.file()
    }

    private static let keywords: Set<String> = [
        "auto", "break", "case", "char", "const", "continue", "default", "do", "double", "else", "enum",
        "extern", "float", "for", "goto", "if", "inline", "int", "long", "register", "restrict", "return",
        "short", "signed", "sizeof", "static", "struct", "switch", "typedef", "union", "unsigned", "void",
        "volatile", "while", "main", "exp", "log", "and", "bool", "catch", "class", "delete", "false", "new",
        "not", "operator", "or", "this", "throw", "true", "try", "using", "virtual", "xor",
    ]

    private static func require(_ name: String) throws(MetaLearnersError) {
        func isLetter(_ byte: UInt8) -> Bool { (65...90).contains(byte & 0xDF) || byte == 95 }
        let bytes = Array(name.utf8)
        guard let first = bytes.first, first < 128, isLetter(first), first != 95, bytes.count <= 40,
            bytes.allSatisfy({ $0 < 128 && (isLetter($0) || (48...57).contains($0)) }),
            !keywords.contains(name)
        else {
            throw MetaLearnersError(
                .invalidArgument, at: "name", "'\(name)' is no name of a function in C",
                remedy: "use letters of ASCII, digits and underscores, a letter first, 40 at most")
        }
    }
}

/// A file of C while it is written.
struct CSourceWriter {
    private let document: FormulaDocument
    let inputs: ExportInputs
    let name: String
    /// Helpers and tables, in front of the function.
    var tables = ""
    /// The statements of the function.
    private var body = ""
    /// What stands for each node.
    private var values: [String] = []
    private var helpers: Set<CHelper> = []
    private var tableCount = 0
    private let usedColumns: Set<Int>
    let treeRow: CTreeRow

    init(_ document: FormulaDocument, _ name: String) {
        self.document = document
        self.name = name
        inputs = ExportInputs(document)
        usedColumns = Set(document.graph.nodes.flatMap(\.columns))
        treeRow = CTreeRow(document.graph, inputs)
    }

    mutating func file() throws(MetaLearnersError) -> String {
        guard treeRow.count <= 65_535 else {
            throw MetaLearnersError(.unsupported, at: "trees", "they read more than 32,767 columns")
        }
        readColumns()
        for node in document.graph.nodes { values.append(try value(of: node)) }
        var text = CSourceComment(document, inputs, name).text
        text += "\n#include <math.h>\n\n"
        text +=
            "#ifdef __FAST_MATH__\n#error NaN stands for missing values: compile without -ffast-math\n#endif\n\n"
        text += "double \(name)(const double *x);\nvoid \(name)_all(const double *x, double *out);\n"
        let hasLevels = inputs.inputs.contains { !($0.levels ?? []).isEmpty }
        if hasLevels { text += "int \(name)_code(int column, const char *level);\n" }
        text += "\n"
        for helper in CHelper.allCases where helpers.contains(helper) {
            text += helper.source(name, looksUpSets: treeRow.looksUpSets) + "\n"
        }
        text += tables
        text += "void \(name)_all(const double *x, double *out) {\n"
        text += body
        let results = document.graph.outputs.enumerated().map { "  out[\($0)] = \(values[$1]);\n" }
        if invalidity.isEmpty {
            if usedColumns.isEmpty { text += "  (void)x;\n" }
            text += results.joined()
        } else {
            text +=
                "  if (invalid) {\n    int i;\n    for (i = 0; i < \(results.count); ++i) out[i] = NAN;\n    return;\n  }\n"
            text += results.joined()
        }
        text += "}\n\n"
        text += """
            double \(name)(const double *x) {
              double out[\(max(results.count, 1))];
              \(name)_all(x, out);
              return out[0];
            }

            """
        if hasLevels { text += "\n" + codeFunction() }
        return text
    }

    // MARK: Columns

    /// The columns of categories whose unknown codes make a row unpredictable.
    private var invalidity: [Int] {
        inputs.refusesUnseen ? inputs.inputs.indices.filter { inputs.inputs[$0].levels != nil } : []
    }

    private mutating func readColumns() {
        let used = usedColumns.union(invalidity)
        if !invalidity.isEmpty { body += "  int invalid = 0;\n" }
        for (index, input) in inputs.inputs.enumerated() where used.contains(index) {
            if let levels = input.levels {
                use(.known)
                body += "  \(usedColumns.contains(index) ? "const double c\(index) = " : "")"
                let invalid = inputs.refusesUnseen ? "&invalid" : "0"
                let known = "\(name)_known(x[\(index)], \(levels.count).0, \(invalid))"
                if input.missingCodes.isEmpty || !usedColumns.contains(index) {
                    body += "\(usedColumns.contains(index) ? "" : "(void)")\(known);\n"
                } else {
                    let tests = input.missingCodes.sorted().map { "x[\(index)] == \($0).0" }
                    body += "\(tests.joined(separator: " || ")) ? NAN : \(known);\n"
                }
            } else if input.missingNumbers.isEmpty {
                body += "  const double c\(index) = x[\(index)];\n"
            } else {
                let tests = input.missingNumbers.map { "x[\(index)] == \(Self.number($0))" }
                body += "  const double c\(index) = \(tests.joined(separator: " || ")) ? NAN : x[\(index)];\n"
            }
        }
        let row = treeRow.source(name)
        tables += row.tables
        body += row.body
    }

    // MARK: Steps

    mutating func use(_ helper: CHelper) { helpers.insert(helper) }

    /// A table of numbers, by its name.
    mutating func table(_ numbers: [Double]) -> String {
        let table = "\(name)_k\(tableCount)"
        tableCount += 1
        tables += "static const double \(table)[\(max(numbers.count, 1))] = {\n"
        tables += Self.list(numbers.isEmpty ? ["0.0"] : numbers.map(Self.number)) + "};\n\n"
        return table
    }

    /// Several values as an array of the function, by its name.
    private mutating func array(_ places: [Int]) -> String {
        let array = "a\(values.count)"
        body += "  double \(array)[\(max(places.count, 1))];\n"
        for (index, place) in places.enumerated() { body += "  \(array)[\(index)] = \(values[place]);\n" }
        return array
    }

    private mutating func value(of node: FormulaNode<Int>) throws(MetaLearnersError) -> String {
        let own = "s\(values.count)"
        func named(_ expression: String) -> String {
            body += "  const double \(own) = \(expression);\n"
            return own
        }
        switch node {
        case .constant(let value): return Self.number(value)
        case .number(let column): return "c\(column)"
        case .isMissing(let column): return named("c\(column) != c\(column) ? 1.0 : 0.0")
        case .levels(let column, let levels, let other):
            let table = self.table(levels)
            return named(
                "c\(column) >= 0.0 && c\(column) < \(levels.count).0 ? \(table)[(int)c\(column)] : \(Self.number(other))"
            )
        case .standardised(let of, let mean, let deviation, let missing):
            let x = values[of]
            return named(
                "\(x) != \(x) ? \(Self.number(missing)) : (\(x) - \(Self.number(mean))) / \(Self.number(deviation))"
            )
        case .spline(let of, let knots, let index):
            use(.spline)
            let table = self.table(knots)
            return named("\(name)_spline(\(values[of]), \(table), \(knots.count), \(index))")
        case .linear(let intercept, let coefficients, let of):
            body += "  double \(own) = \(Self.number(intercept));\n"
            for (coefficient, place) in zip(coefficients, of) {
                body += "  \(own) += \(Self.number(coefficient)) * \(values[place]);\n"
            }
            return own
        case .trees(let trees):
            let sum = try ensemble(trees.trees, values.count)
            return named("\(Self.number(trees.base)) + \(sum) * \(Self.number(trees.scale))")
        case .sum(let of), .mean(let of):
            body += "  double \(own) = 0.0;\n"
            for place in of { body += "  \(own) += \(values[place]);\n" }
            if case .mean = node { body += "  \(own) /= \(of.count).0;\n" }
            return own
        case .product(let of):
            body += "  double \(own) = 1.0;\n"
            for place in of { body += "  \(own) *= \(values[place]);\n" }
            return own
        case .difference(let left, let right): return named("\(values[left]) - \(values[right])")
        case .quotient(let left, let right, let otherwise):
            let quotient = "\(values[left]) / \(values[right])"
            guard let otherwise else { return named(quotient) }
            return named("\(values[right]) > 0.0 ? \(quotient) : \(Self.number(otherwise))")
        case .clip(let of, let lower, let upper):
            let x = values[of]
            var expression = x
            if let upper {
                expression = "\(x) > \(Self.number(upper)) ? \(Self.number(upper)) : \(expression)"
            }
            if let lower {
                expression = "\(x) < \(Self.number(lower)) ? \(Self.number(lower)) : \(expression)"
            }
            return named(expression)
        case .sigmoid(let of): return named("1.0 / (1.0 + exp(-\(values[of])))")
        case .exp(let of): return named("exp(\(values[of]))")
        case .log(let of): return named("log(\(values[of]))")
        case .softmax(let of, let index):
            use(.softmax)
            return named("\(name)_softmax(\(array(of)), \(of.count), \(index))")
        case .curve(let of, let points, let heights):
            use(.curve)
            let (points, heights) = (table(points), table(heights))
            return named("\(name)_curve(\(values[of]), \(points), \(heights), \(node.curveCount))")
        case .median(let of):
            use(.median)
            return named("\(name)_median(\(array(of)), \(of.count))")
        }
    }

    // MARK: Texts

    /// A number as C reads it: the shortest decimal notation that gives the same bits.
    static func number(_ value: Double) -> String {
        guard let text = shortestDecimal(value) else {
            return value.isNaN ? "NAN" : value < 0 ? "-INFINITY" : "INFINITY"
        }
        return value.sign == .minus ? "(\(text))" : text
    }

    /// Constants, some to a line.
    static func list(_ items: [String]) -> String {
        var text = ""
        var width = 0
        for item in items {
            if width == 0 { text += "  " }
            text += item + ","
            width += item.utf8.count + 2
            if width > 100 {
                text += "\n"
                width = 0
            } else {
                text += " "
            }
        }
        return width > 0 ? text + "\n" : text
    }

    /// The function that gives the code of a level.
    private func codeFunction() -> String {
        var text = ""
        var cases = ""
        for (index, input) in inputs.inputs.enumerated() {
            guard let levels = input.levels, !levels.isEmpty else { continue }
            text += "static const char *const \(name)_levels\(index)[\(levels.count)] = {\n"
            text += Self.list(levels.map(CSourceComment.literal)) + "};\n\n"
            cases += "  case \(index): levels = \(name)_levels\(index); count = \(levels.count); break;\n"
        }
        return text + """
            /* The code of a level of a column, both counted from 0; -1 for a text that is none. */
            int \(name)_code(int column, const char *level) {
              const char *const *levels;
              int count, code;
              switch (column) {
            \(cases)  default: return -1;
              }
              for (code = 0; code < count; ++code) {
                const char *a = levels[code], *b = level;
                while (*a && *a == *b) ++a, ++b;
                if (*a == *b) return code;
              }
              return -1;
            }

            """
    }
}

extension FormulaNode {
    /// How many points a curve has.
    fileprivate var curveCount: Int { if case .curve(_, let points, _) = self { points.count } else { 0 } }
}
