extension FormulaGraph: Codable {
    /// So many steps at most may lie between an input and an output. No model comes near; without a bound, a file could make
    /// formulas that take the whole stack.
    private static let depthLimit = 1000

    /// Reads what `specValue` wrote. Whatever the file says, the graph can then be evaluated or refuses a table: it has no
    /// cycle, and lists and places are as they have to be.
    ///
    /// - Throws: `invalidSpec`, naming the place, for anything that is no graph of formulas.
    public init(_ value: SpecValue, at place: SpecPath = .root) throws(MetaLearnersError) {
        var fields = try FormulaFields(value, at: place)
        var nodes: [FormulaNode<Int>] = []
        var depths: [Int] = []
        let list = place.appending("nodes")
        for (index, value) in try fields.list("nodes").enumerated() {
            let place = list.appending("\(index)")
            let node = try FormulaNode(value, at: place, before: index)
            let depth = 1 + node.arguments.reduce(0) { max($0, depths[$1]) }
            guard depth <= Self.depthLimit else {
                throw place.error("more than \(Self.depthLimit) steps lie behind each other")
            }
            nodes.append(node)
            depths.append(depth)
        }
        let outputs = try fields.integers("outputs")
        guard outputs.allSatisfy(nodes.indices.contains) else {
            throw place.appending("outputs").error("must be places of the \(nodes.count) nodes")
        }
        try fields.requireNothingElse()
        self.init(nodes: nodes, outputs: outputs)
    }

    public init(from decoder: any Decoder) throws { try self.init(SpecValue(from: decoder)) }

    public func encode(to encoder: any Encoder) throws { try specValue.encode(to: encoder) }

    /// The graph as JSON has it: `nodes`, each with its `op`, the places of its arguments in `of`, and its numbers; and
    /// `outputs`, the place of each formula's last step. docs/formulas.md has the table.
    public var specValue: SpecValue {
        ["nodes": .array(nodes.map(\.specValue)), "outputs": .array(outputs.map { .integer($0) })]
    }
}

extension FormulaNode where Argument == Int {
    /// The step's name in JSON; frozen.
    public var name: String {
        switch self {
        case .constant: "constant"
        case .number: "number"
        case .levels: "levels"
        case .isMissing: "is_missing"
        case .standardised: "standardised"
        case .spline: "spline"
        case .linear: "linear"
        case .trees: "trees"
        case .sum: "sum"
        case .difference: "difference"
        case .product: "product"
        case .quotient: "quotient"
        case .clip: "clip"
        case .sigmoid: "sigmoid"
        case .exp: "exp"
        case .log: "log"
        case .softmax: "softmax"
        case .curve: "curve"
        case .mean: "mean"
        case .median: "median"
        }
    }

    fileprivate var specValue: SpecValue {
        var object = SpecObject([("op", .string(name))])
        if !arguments.isEmpty { object["of"] = .array(arguments.map { .integer($0) }) }
        func numbers(_ values: [Double]) -> SpecValue { .array(values.map(SpecValue.number)) }
        switch self {
        case .constant(let value): object["value"] = .number(value)
        case .number(let column), .isMissing(let column): object["column"] = .integer(column)
        case .levels(let column, let values, let other):
            object["column"] = .integer(column)
            object["values"] = numbers(values)
            object["other"] = .number(other)
        case .standardised(_, let mean, let deviation, let missing):
            object["mean"] = .number(mean)
            object["deviation"] = .number(deviation)
            object["missing"] = .number(missing)
        case .spline(_, let knots, let index):
            object["knots"] = numbers(knots)
            object["index"] = .integer(index)
        case .linear(let intercept, let coefficients, _):
            object["intercept"] = .number(intercept)
            object["coefficients"] = numbers(coefficients)
        case .trees(let trees):
            object["base"] = .number(trees.base)
            object["scale"] = .number(trees.scale)
            object["trees"] = .array(trees.trees.map { .array($0.nodes.map(\.specValue)) })
        case .quotient(_, _, let otherwise):
            if let otherwise { object["otherwise"] = .number(otherwise) }
        case .clip(_, let lower, let upper):
            if let lower { object["lower"] = .number(lower) }
            if let upper { object["upper"] = .number(upper) }
        case .softmax(_, let index): object["index"] = .integer(index)
        case .curve(_, let points, let values):
            object["points"] = numbers(points)
            object["values"] = numbers(values)
        case .sum, .difference, .product, .sigmoid, .exp, .log, .mean, .median: break
        }
        return .object(object)
    }
}

extension DecisionTree.Node {
    fileprivate var specValue: SpecValue {
        switch self {
        case .leaf(let value): return ["leaf": .number(value)]
        case .split(let column, let rule, let left, let right):
            var object = SpecObject([("column", .integer(column))])
            switch rule {
            case .above(let threshold, let missingGoRight):
                object["above"] = .number(threshold)
                object["missing_go_right"] = .boolean(missingGoRight)
            case .levels(let levels, let count, let othersGoRight):
                object["levels"] = .array(levels.map { .integer($0) })
                object["level_count"] = .integer(count)
                object["others_go_right"] = .boolean(othersGoRight)
            case .missing: object["goes_right"] = "missing"
            case .present: object["goes_right"] = "present"
            }
            object["left"] = .integer(left)
            object["right"] = .integer(right)
            return .object(object)
        }
    }
}

// MARK: Reading

/// The keys of an object of a file, each taken once; what nobody takes is unknown.
struct FormulaFields {
    private var object: SpecObject
    private let place: SpecPath
    private var known: [String] = []

    init(_ value: SpecValue, at place: SpecPath) throws(MetaLearnersError) {
        guard let object = value.objectValue else {
            throw place.error("must be a mapping, not \(value.kindName)")
        }
        self.object = object
        self.place = place
    }

    /// Takes what `read` makes of the value of `key`.
    ///
    /// - Throws: `invalidSpec` where the key is missing, or `read` makes nothing of its value.
    mutating func take<Value>(_ key: String, _ what: String, _ read: (SpecValue) -> Value?)
        throws(MetaLearnersError) -> Value
    {
        guard let value = try optional(key, what, read) else {
            throw place.appending(key).error("is missing; it must be \(what)")
        }
        return value
    }

    mutating func optional<Value>(_ key: String, _ what: String, _ read: (SpecValue) -> Value?)
        throws(MetaLearnersError) -> Value?
    {
        known.append(key)
        guard let value = object[key] else { return nil }
        object[key] = nil
        guard let result = read(value) else {
            throw place.appending(key).error("must be \(what)")
        }
        return result
    }

    mutating func number(_ key: String) throws(MetaLearnersError) -> Double {
        try take(key, "a number", \.doubleValue)
    }

    mutating func optionalNumber(_ key: String) throws(MetaLearnersError) -> Double? {
        try optional(key, "a number", \.doubleValue)
    }

    mutating func integer(_ key: String) throws(MetaLearnersError) -> Int {
        try take(key, "an integer", \.integerValue)
    }

    mutating func flag(_ key: String) throws(MetaLearnersError) -> Bool {
        try take(key, "true or false") { if case .boolean(let flag) = $0 { flag } else { nil } }
    }

    mutating func list(_ key: String) throws(MetaLearnersError) -> [SpecValue] {
        try take(key, "a list", \.arrayValue)
    }

    mutating func numbers(_ key: String) throws(MetaLearnersError) -> [Double] {
        try take(key, "a list of numbers") { Self.every($0, \.doubleValue) }
    }

    mutating func integers(_ key: String) throws(MetaLearnersError) -> [Int] {
        try take(key, "a list of integers") { Self.every($0, \.integerValue) }
    }

    mutating func texts(_ key: String) throws(MetaLearnersError) -> [String] {
        try take(key, "a list of texts") { Self.every($0, \.stringValue) }
    }

    /// Every element of a list; nil where one of them is something else.
    static func every<Value>(_ value: SpecValue, _ read: (SpecValue) -> Value?) -> [Value]? {
        guard let list = value.arrayValue else { return nil }
        let all = list.compactMap(read)
        return all.count == list.count ? all : nil
    }

    /// - Throws: `invalidSpec` for a key that nobody took.
    func requireNothingElse() throws(MetaLearnersError) {
        guard let key = object.keys.first else { return }
        throw place.appending(key).error(
            "unknown key", remedy: SpellingSuggestion.clause(for: key, in: known))
    }
}

extension FormulaNode where Argument == Int {
    /// Reads the step at the place `index` of a graph; its arguments stand before it.
    fileprivate init(_ value: SpecValue, at place: SpecPath, before index: Int) throws(MetaLearnersError) {
        var fields = try FormulaFields(value, at: place)
        let op = try fields.take("op", "the name of a step", \.stringValue)
        func arguments(_ count: Int? = nil) throws(MetaLearnersError) -> [Int] {
            let of =
                try fields.optional("of", "a list of places") { FormulaFields.every($0, \.integerValue) }
                ?? []
            guard of.allSatisfy((0..<index).contains) else {
                throw place.appending("of").error("must be places of steps before this one")
            }
            guard count == nil || of.count == count else {
                throw place.appending("of").error("must have \(count ?? 0) places, not \(of.count)")
            }
            return of
        }
        switch op {
        case "constant": self = .constant(try fields.number("value"))
        case "number": self = .number(column: try fields.integer("column"))
        case "levels":
            self = .levels(
                column: try fields.integer("column"), values: try fields.numbers("values"),
                other: try fields.number("other"))
        case "is_missing": self = .isMissing(column: try fields.integer("column"))
        case "standardised":
            self = .standardised(
                try arguments(1)[0], mean: try fields.number("mean"),
                deviation: try fields.number("deviation"), missing: try fields.number("missing"))
        case "spline":
            self = .spline(
                try arguments(1)[0], knots: try fields.numbers("knots"), index: try fields.integer("index"))
        case "linear":
            self = .linear(
                intercept: try fields.number("intercept"), coefficients: try fields.numbers("coefficients"),
                try arguments())
        case "trees":
            var trees: [DecisionTree] = []
            let list = place.appending("trees")
            let (base, scale) = (try fields.number("base"), try fields.number("scale"))
            for (index, tree) in try fields.list("trees").enumerated() {
                trees.append(try DecisionTree(tree, at: list.appending("\(index)")))
            }
            self = .trees(DecisionTrees(base: base, scale: scale, trees: trees))
        case "sum": self = .sum(try arguments())
        case "difference":
            let of = try arguments(2)
            self = .difference(of[0], of[1])
        case "product": self = .product(try arguments())
        case "quotient":
            let of = try arguments(2)
            self = .quotient(of[0], of[1], otherwise: try fields.optionalNumber("otherwise"))
        case "clip":
            self = .clip(
                try arguments(1)[0], lower: try fields.optionalNumber("lower"),
                upper: try fields.optionalNumber("upper"))
        case "sigmoid": self = .sigmoid(try arguments(1)[0])
        case "exp": self = .exp(try arguments(1)[0])
        case "log": self = .log(try arguments(1)[0])
        case "softmax": self = .softmax(try arguments(), index: try fields.integer("index"))
        case "curve":
            self = .curve(
                try arguments(1)[0], points: try fields.numbers("points"),
                values: try fields.numbers("values"))
        case "mean": self = .mean(try arguments())
        case "median": self = .median(try arguments())
        default: throw place.appending("op").error("there is no step '\(op)'")
        }
        try fields.requireNothingElse()
        do throws(MetaLearnersError) { try check() } catch { throw place.error(error.problem) }
    }
}

extension DecisionTree {
    fileprivate init(_ value: SpecValue, at place: SpecPath) throws(MetaLearnersError) {
        guard let list = value.arrayValue else { throw place.error("must be a list of nodes") }
        var nodes: [Node] = []
        for (index, node) in list.enumerated() {
            nodes.append(try Node(node, at: place.appending("\(index)")))
        }
        do throws(MetaLearnersError) { try self.init(nodes) } catch { throw place.error(error.problem) }
    }
}

extension DecisionTree.Node {
    fileprivate init(_ value: SpecValue, at place: SpecPath) throws(MetaLearnersError) {
        var fields = try FormulaFields(value, at: place)
        if let leaf = try fields.optionalNumber("leaf") {
            self = .leaf(leaf)
        } else {
            let column = try fields.integer("column")
            let rule: DecisionTree.Rule
            if let threshold = try fields.optionalNumber("above") {
                rule = .above(threshold, missingGoRight: try fields.flag("missing_go_right"))
            } else if let side = try fields.optional("goes_right", "missing or present", \.stringValue) {
                guard side == "missing" || side == "present" else {
                    throw place.appending("goes_right").error("must be missing or present, not '\(side)'")
                }
                rule = side == "missing" ? .missing : .present
            } else {
                rule = .levels(
                    try fields.integers("levels"), of: try fields.integer("level_count"),
                    othersGoRight: try fields.flag("others_go_right"))
            }
            self = .split(
                column: column, rule, left: try fields.integer("left"), right: try fields.integer("right"))
        }
        try fields.requireNothingElse()
    }
}
