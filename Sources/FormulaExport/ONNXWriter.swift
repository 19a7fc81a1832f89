import MetaLearnersCore

/// A value within a graph of ONNX: a number for each row, or one for all.
private enum Value {
    case rows(String)
    case one(String)
    /// A constant, which enters the graph where it is used.
    case constant(Double)

    var isOfRows: Bool { if case .rows = self { true } else { false } }
}

/// The steps of formulas as nodes of ONNX.
struct ONNXWriter {
    var graph: ONNXGraph
    private let formulas: FormulaGraph
    private let inputs: ExportInputs
    private let categories: ONNXExport.Categories
    private let rows: String
    private var values: [Value] = []
    private var numbers: [Int: String] = [:]
    private var codes: [Int: String] = [:]
    /// Rows that have no prediction.
    private var invalid: [String] = []
    private var scalars: [UInt64: String] = [:]
    private var matrix: String?
    private var shape: String?
    private var shares: [[Int]: String] = [:]
    private let treeColumns: [Int]
    private let treePlaces: [Int: Int]

    /// - Parameter rows: the name of an input.
    init(
        _ graph: ONNXGraph, _ formulas: FormulaGraph, _ inputs: ExportInputs,
        _ categories: ONNXExport.Categories,
        rows: String
    ) {
        self.graph = graph
        self.formulas = formulas
        self.inputs = inputs
        self.categories = categories
        self.rows = rows
        var used: Set<Int> = []
        for case .trees(let trees) in formulas.nodes {
            used.formUnion(FormulaNode<Int>.trees(trees).columns)
        }
        treeColumns = used.sorted()
        treePlaces = Dictionary(uniqueKeysWithValues: treeColumns.enumerated().map { ($1, $0) })
    }

    /// Makes all nodes, and gives the values of the outputs.
    mutating func outputs() throws(MetaLearnersError) -> [String] {
        for node in formulas.nodes { values.append(try value(of: node)) }
        if inputs.refusesUnseen {
            for (column, input) in inputs.inputs.enumerated() where input.levels != nil { _ = code(column) }
        }
        var refused: String?
        for condition in invalid { refused = refused.map { graph.node("Or", [$0, condition]) } ?? condition }
        return formulas.outputs.map { place in
            let value = full(values[place])
            guard let refused else { return value }
            return graph.node("Where", [refused, scalar(.nan), value])
        }
    }

    // MARK: Columns

    private mutating func scalar(_ value: Double) -> String {
        if let known = scalars[value.bitPattern] { return known }
        let name = graph.constant(ONNXTensor([value], shape: [1, 1]))
        scalars[value.bitPattern] = name
        return name
    }

    private mutating func integer(_ value: Int) -> String {
        graph.constant(ONNXTensor([value], shape: [1, 1]))
    }

    /// A number for each row.
    private mutating func full(_ value: Value) -> String {
        if case .rows(let name) = value { return name }
        let shape = shape ?? graph.node("Shape", [rows])
        self.shape = shape
        return graph.node("Expand", [name(of: value), shape])
    }

    private mutating func number(_ column: Int) -> String {
        if let known = numbers[column] { return known }
        var name = inputs.inputs[column].name
        for missing in inputs.inputs[column].missingNumbers {
            name = graph.node("Where", [graph.node("Equal", [name, scalar(missing)]), scalar(.nan), name])
        }
        numbers[column] = name
        return name
    }

    /// The code of a category's level as an integer, the number of levels where it is missing.
    private mutating func code(_ column: Int) -> String {
        if let known = codes[column] { return known }
        let input = inputs.inputs[column]
        let levels = input.levels ?? []
        let missing = levels.count
        var name: String
        switch categories {
        case .strings:
            var keys = levels
            var places = levels.indices.map { input.missingCodes.contains($0) ? missing : $0 }
            if inputs.refusesUnseen {
                for text in [""] + inputs.missingTexts where !keys.contains(text) {
                    keys.append(text)
                    places.append(missing)
                }
            }
            // (No list of ONNX may be empty; the key is none that a level could have.)
            if keys.isEmpty { (keys, places) = ([""], [missing]) }
            name = graph.node(
                "LabelEncoder", [input.name],
                [
                    ("keys_strings", .texts(keys)), ("values_int64s", .integers(places)),
                    ("default_int64", .integer(inputs.refusesUnseen ? missing + 1 : missing)),
                ], isTraditional: true)
            if inputs.refusesUnseen {
                invalid.append(graph.node("Equal", [name, integer(missing + 1)]))
                name = graph.node("Min", [name, integer(missing)])
            }
        case .codes:
            let limit = integer(missing)
            let isMissing = graph.node("Less", [input.name, integer(0)])
            let isBeyond = graph.node("GreaterOrEqual", [input.name, limit])
            if inputs.refusesUnseen { invalid.append(isBeyond) }
            name = graph.node("Where", [graph.node("Or", [isMissing, isBeyond]), limit, input.name])
            if !input.missingCodes.isEmpty {
                let places = (0...missing).map { input.missingCodes.contains($0) ? missing : $0 }
                name = graph.node("Gather", [graph.constant(ONNXTensor(places)), name])
            }
        }
        codes[column] = name
        return name
    }

    private func isCategory(_ column: Int) -> Bool { inputs.inputs[column].levels != nil }

    private func levelCount(_ column: Int) -> Int { (inputs.inputs[column].levels ?? []).count }

    // MARK: Steps

    private mutating func name(of value: Value) -> String {
        switch value {
        case .rows(let name), .one(let name): name
        case .constant(let value): scalar(value)
        }
    }

    private mutating func apply(_ operation: String, _ of: Value...) -> Value {
        let result = graph.node(operation, of.map { name(of: $0) })
        return of.contains(where: \.isOfRows) ? .rows(result) : .one(result)
    }

    private func constant(_ value: Double) -> Value { .constant(value) }

    /// Several values side by side.
    private mutating func columns(_ places: [Int]) -> String {
        let all = places.map { full(values[$0]) }
        return all.count == 1 ? all[0] : graph.node("Concat", all, [("axis", .integer(1))])
    }

    /// One of several columns.
    private mutating func column(_ index: Int, of matrix: String) -> String {
        graph.node(
            "Gather", [matrix, graph.constant(ONNXTensor([index]))], [("axis", .integer(1))])
    }

    private mutating func chain(_ operation: String, _ places: [Int], _ neutral: Double) -> Value {
        guard let first = places.first else { return constant(neutral) }
        var value = values[first]
        for place in places.dropFirst() { value = apply(operation, value, values[place]) }
        return value
    }

    /// `then` where `condition` holds, else `otherwise`.
    private mutating func choose(_ condition: Value, _ then: Value, _ otherwise: Value) -> Value {
        apply("Where", condition, then, otherwise)
    }

    private mutating func value(of node: FormulaNode<Int>) throws(MetaLearnersError) -> Value {
        switch node {
        case .constant(let value): return constant(value)
        case .number(let column): return .rows(number(column))
        case .isMissing(let column):
            let isMissing =
                isCategory(column)
                ? graph.node("Equal", [code(column), integer(levelCount(column))])
                : graph.node("IsNaN", [number(column)])
            return choose(.rows(isMissing), constant(1), constant(0))
        case .levels(let column, let levels, let other):
            let table = (0...levelCount(column)).map {
                $0 < min(levels.count, levelCount(column)) ? levels[$0] : other
            }
            return .rows(graph.node("Gather", [graph.constant(ONNXTensor(table)), code(column)]))
        case .standardised(let of, let mean, let deviation, let missing):
            let x = values[of]
            let scaled = apply("Div", apply("Sub", x, constant(mean)), constant(deviation))
            return choose(apply("IsNaN", x), constant(missing), scaled)
        case .spline(let of, let knots, let index): return spline(values[of], knots, index)
        case .linear(let intercept, let coefficients, let of): return linear(intercept, coefficients, of)
        case .trees(let trees): return try ensemble(trees)
        case .sum(let of): return chain("Add", of, 0)
        case .product(let of): return chain("Mul", of, 1)
        case .mean(let of): return apply("Div", chain("Add", of, 0), constant(Double(of.count)))
        case .difference(let left, let right): return apply("Sub", values[left], values[right])
        case .quotient(let left, let right, let otherwise):
            let quotient = apply("Div", values[left], values[right])
            guard let otherwise else { return quotient }
            return choose(apply("Greater", values[right], constant(0)), quotient, constant(otherwise))
        case .clip(let of, let lower, let upper):
            // (`Clip` may lose NaN.)
            var value = values[of]
            if let upper {
                value = choose(apply("Greater", value, constant(upper)), constant(upper), value)
            }
            if let lower { value = choose(apply("Less", value, constant(lower)), constant(lower), value) }
            return value
        case .sigmoid(let of):
            let odds = apply("Exp", apply("Neg", values[of]))
            return apply("Div", constant(1), apply("Add", constant(1), odds))
        case .exp(let of): return apply("Exp", values[of])
        case .log(let of): return apply("Log", values[of])
        case .softmax(let of, let index):
            let all: String
            if let known = shares[of] {
                all = known
            } else {
                all = graph.node("Softmax", [columns(of)], [("axis", .integer(1))])
                shares[of] = all
            }
            return .rows(column(index, of: all))
        case .curve(let of, let points, let heights): return curve(values[of], points, heights)
        case .median(let of):
            guard of.count > 1 else { return values[of[0]] }
            let sorted = graph.node(
                "TopK", [columns(of), graph.constant(ONNXTensor([of.count]))], outputs: 2)
            let middle = Value.rows(column(of.count / 2, of: sorted))
            guard of.count.isMultiple(of: 2) else { return middle }
            let other = Value.rows(column(of.count / 2 - 1, of: sorted))
            return apply("Div", apply("Add", middle, other), constant(2))
        }
    }

    private mutating func linear(_ intercept: Double, _ coefficients: [Double], _ of: [Int]) -> Value {
        var constantPart = intercept
        var factors: [Double] = []
        var places: [Int] = []
        for (coefficient, place) in zip(coefficients, of) {
            if case .constant(let value) = formulas.nodes[place] {
                constantPart += coefficient * value
            } else {
                factors.append(coefficient)
                places.append(place)
            }
        }
        guard !places.isEmpty else { return constant(constantPart) }
        let weights = graph.constant(ONNXTensor(factors, shape: [factors.count, 1]))
        let product = graph.node("MatMul", [columns(places), weights])
        return apply("Add", .rows(product), constant(constantPart))
    }

    private mutating func spline(_ x: Value, _ knots: [Double], _ index: Int) -> Value {
        let (inner, outer) = (knots[knots.count - 2], knots[knots.count - 1])
        let range = outer - knots[0]
        func cube(_ knot: Double, _ factor: Double) -> Value {
            let distance = apply("Sub", x, constant(knot))
            let positive = choose(apply("Greater", distance, constant(0)), distance, constant(0))
            return apply("Mul", apply("Mul", apply("Mul", positive, positive), positive), constant(factor))
        }
        let bend = apply(
            "Add", cube(knots[index], 1),
            apply(
                "Add", cube(inner, -(outer - knots[index]) / (outer - inner)),
                cube(outer, (inner - knots[index]) / (outer - inner))))
        return choose(apply("IsNaN", x), x, apply("Div", bend, constant(range * range)))
    }

    private mutating func curve(_ x: Value, _ points: [Double], _ heights: [Double]) -> Value {
        guard points.count > 1 else { return choose(apply("IsNaN", x), x, constant(heights[0])) }
        let last = points.count - 1
        let isLow = apply("Less", x, constant(points[0]))
        let isHigh = apply("Greater", x, constant(points[last]))
        let inside = choose(isLow, constant(points[0]), choose(isHigh, constant(points[last]), x))
        // How many points are not above x: its place among them.
        let row = graph.constant(ONNXTensor(points, shape: [1, points.count]))
        let isNotAbove = graph.node("GreaterOrEqual", [full(inside), row])
        let ones = graph.node("Cast", [isNotAbove], [("to", .integer(ONNXTensor.ElementType.int64.rawValue))])
        let count = graph.node(
            "ReduceSum", [ones, graph.constant(ONNXTensor([1]))], [("keepdims", .integer(1))])
        let place = graph.node(
            "Max",
            [graph.node("Min", [graph.node("Sub", [count, integer(1)]), integer(last - 1)]), integer(0)])
        func looked(_ table: [Double]) -> Value {
            .rows(graph.node("Gather", [graph.constant(ONNXTensor(table)), place]))
        }
        let pieces = (0..<last).map { index in
            let width = points[index + 1] - points[index]
            return (
                start: points[index], height: width > 0 ? heights[index] : heights[index + 1],
                width: width > 0 ? width : 1, rise: width > 0 ? heights[index + 1] - heights[index] : 0
            )
        }
        let share = apply(
            "Div", apply("Sub", inside, looked(pieces.map(\.start))), looked(pieces.map(\.width)))
        return apply("Add", looked(pieces.map(\.height)), apply("Mul", share, looked(pieces.map(\.rise))))
    }

    // MARK: Trees

    private mutating func ensemble(_ trees: DecisionTrees) throws(MetaLearnersError) -> Value {
        var layout = ONNXTrees()
        for tree in trees.trees { layout.append(tree, treePlaces, inputs) }
        guard layout.hasSplits else { return constant(trees.base + trees.scale * layout.constant) }
        if matrix == nil {
            let all = treeColumns.map { column in
                isCategory(column)
                    ? graph.node(
                        "Cast", [code(column)], [("to", .integer(ONNXTensor.ElementType.double.rawValue))])
                    : number(column)
            }
            matrix = all.count == 1 ? all[0] : graph.node("Concat", all, [("axis", .integer(1))])
        }
        let sum = Value.rows(
            graph.node("TreeEnsemble", [matrix ?? ""], layout.attributes, isTraditional: true))
        let whole = layout.constant == 0 ? sum : apply("Add", sum, constant(layout.constant))
        return apply("Add", constant(trees.base), apply("Mul", whole, constant(trees.scale)))
    }
}
