/// Formulas laid out for one row at a time: every step once, in order, and the trees of all steps side by side. Computing
/// them allocates no memory.
///
/// What they give is, to the bit, what `FormulaGraph.evaluate` gives of the same row.
package final class CompiledFormulas: Sendable {
    /// How many columns a row has.
    package let columnCount: Int
    /// The same, at least 1.
    private let width: Int
    /// How many formulas there are.
    package let outputCount: Int
    /// Room that computing a row takes, in numbers: the row itself comes first.
    package let roomCount: Int

    private let steps: AlignedBuffer<CompiledStep>
    private let outputs: AlignedBuffer<Int32>
    private let numbers: AlignedBuffer<Double>
    private let places: AlignedBuffer<Int32>
    private let trees: CompiledTrees
    /// Where the values of leaves are in the room, behind the row, the row without NaN, and the steps; medians are sorted
    /// behind them.
    private let leaves: Int

    /// Lays out the formulas of a graph.
    ///
    /// - Parameter columnCount: how many columns a row has; the formulas read none beyond.
    /// - Throws: `invalidArgument` for a step that makes no sense or reads a column that is not there, `unsupported` for more
    ///   than 32,767 columns under trees, or trees of more than 2³¹ nodes; `outOfMemory`.
    package init(_ graph: FormulaGraph, columnCount: Int) throws(MetaLearnersError) {
        width = max(columnCount, 1)
        var layout = StepLayout(width: width)
        for node in graph.nodes {
            try node.check()
            if let column = node.columns.last, column >= columnCount {
                throw MetaLearnersError(
                    .invalidArgument, at: "formula",
                    "there are \(columnCount) columns, and a step reads the one at position \(column)")
            }
            try layout.append(node)
        }
        trees = try CompiledTrees(layout.trees, width)
        leaves = 2 * width + layout.steps.count
        roomCount = leaves + layout.trees.count + 1 + layout.widest
        outputCount = graph.outputs.count
        self.columnCount = columnCount
        outputs = try AlignedBuffer(graph.outputs.map { layout.places[$0] })
        steps = try AlignedBuffer(layout.steps)
        numbers = try AlignedBuffer(layout.numbers)
        places = try AlignedBuffer(layout.arguments)
    }

    /// Computes a row.
    ///
    /// - Parameters:
    ///   - room: `roomCount` numbers, the first `columnCount` of which are the row: NaN where a number or a level is missing,
    ///     and whole numbers for levels. The others are overwritten.
    ///   - results: gets `outputCount` numbers.
    /// - Returns: whether every result and every linear step is finite; where not, a model would find that a prediction
    ///   overflows.
    package func evaluate(
        _ room: UnsafeMutablePointer<Double>, to results: UnsafeMutablePointer<Double>
    ) -> Bool {
        if trees.count > 0 {
            for column in 0..<width {
                room[width + column] = room[column].isNaN ? -.infinity : room[column]
            }
            trees.findLeaves(room, to: room + leaves)
        }
        var isFinite = true
        let values = room + 2 * width
        for index in 0..<steps.count {
            let value = compute(steps.start[index], room)
            values[index] = value
            if steps.start[index].kind == .linear { isFinite = isFinite && value.isFinite }
        }
        for index in 0..<outputCount {
            results[index] = room[Int(outputs.start[index])]
            isFinite = isFinite && results[index].isFinite
        }
        return isFinite
    }

    @inline(__always)
    private func compute(_ step: CompiledStep, _ room: UnsafeMutablePointer<Double>) -> Double {
        let numbers = self.numbers.start + Int(step.numbers)
        let places = self.places.start + Int(step.first)
        let count = Int(step.count)
        let x = room[Int(step.argument)]
        switch step.kind {
        case .constant: return numbers[0]
        case .levels: return x >= 0 && x < Double(count) ? numbers[1 + Int(x)] : numbers[0]
        case .isMissing: return x.isNaN ? 1 : 0
        case .standardised: return x.isNaN ? numbers[2] : (x - numbers[0]) / numbers[1]
        case .spline:
            let knots = UnsafeBufferPointer(start: numbers, count: count)
            return x.isNaN ? x : RestrictedCubic(knots, column: Int(numbers[count]))(x)
        case .linear:
            var sum = numbers[0]
            for index in 0..<count { sum += numbers[1 + index] * room[Int(places[index])] }
            return sum
        case .trees:
            let found = room + leaves + Int(step.first)
            var sum = 0.0
            for tree in 0..<count { sum += found[tree] }
            return numbers[0] + sum * numbers[1]
        case .sum, .mean:
            var sum = 0.0
            for index in 0..<count { sum += room[Int(places[index])] }
            return step.kind == .sum ? sum : sum / Double(count)
        case .product:
            var product = 1.0
            for index in 0..<count { product *= room[Int(places[index])] }
            return product
        case .difference: return room[Int(places[0])] - room[Int(places[1])]
        case .quotient: return room[Int(places[0])] / room[Int(places[1])]
        case .guardedQuotient:
            let divisor = room[Int(places[1])]
            return divisor > 0 ? room[Int(places[0])] / divisor : numbers[0]
        case .clip: return x < numbers[0] ? numbers[0] : x > numbers[1] ? numbers[1] : x
        case .sigmoid: return Logistic.share(x)
        case .exp: return Double.exp(x)
        case .log: return Double.log(x)
        case .softmax:
            var largest = -Double.infinity
            for index in 0..<count { largest = max(largest, room[Int(places[index])]) }
            var total = 0.0
            for index in 0..<count { total += Double.exp(room[Int(places[index])] - largest) }
            return Double.exp(room[Int(places[Int(numbers[0])])] - largest) / total
        case .curve:
            return CurvesThroughPoints.straight(
                x, UnsafeBufferPointer(start: numbers, count: count),
                UnsafeBufferPointer(start: numbers + count, count: count))
        case .median:
            var sorted = UnsafeMutableBufferPointer(start: room + leaves + trees.count + 1, count: count)
            for index in 0..<count { sorted[index] = room[Int(places[index])] }
            sorted.sort()
            return OrderStatistics.median(ofSorted: UnsafeBufferPointer(sorted))
        }
    }
}

/// A step as it is computed. Its arguments are places in the room.
private struct CompiledStep: BitwiseCopyable {
    enum Kind: UInt8 {
        case constant, levels, isMissing, standardised, spline, linear, trees, sum, mean, product, difference
        case quotient, guardedQuotient, clip, sigmoid, exp, log, softmax, curve, median
    }

    let kind: Kind
    /// The only argument, where there is one.
    var argument: Int32 = 0
    /// Where the places of several arguments begin; of trees the number of the first.
    var first: Int32 = 0
    /// How many arguments, trees, levels, knots or points there are.
    var count: Int32 = 0
    /// Where the numbers that belong to the step begin.
    var numbers: Int32 = 0
}

/// Steps while they are laid out.
private struct StepLayout {
    let width: Int
    var steps: [CompiledStep] = []
    var numbers: [Double] = []
    var arguments: [Int32] = []
    var trees: [DecisionTree] = []
    /// The place of each node's value in the room.
    var places: [Int32] = []
    /// The most arguments of a median.
    var widest = 0

    init(width: Int) { self.width = width }

    mutating func append(_ node: FormulaNode<Int>) throws(MetaLearnersError) {
        // A column of numbers is there already.
        if case .number(let column) = node { return places.append(Int32(column)) }
        let size = numbers.count + arguments.count + trees.count
        guard size < Int(Int32.max) / 2 else {
            throw MetaLearnersError(.unsupported, at: "formula", "it is too large for single rows")
        }
        steps.append(step(node))
        places.append(Int32(2 * width + steps.count - 1))
    }

    private mutating func step(_ node: FormulaNode<Int>) -> CompiledStep {
        switch node {
        case .constant(let value): return step(.constant, numbers: [value])
        case .number(let column): return step(.clip, place: Int32(column), numbers: [-.infinity, .infinity])
        case .levels(let column, let values, let other):
            return step(.levels, place: Int32(column), numbers: [other] + values, count: values.count)
        case .isMissing(let column): return step(.isMissing, place: Int32(column))
        case .standardised(let of, let mean, let deviation, let missing):
            return step(.standardised, of, [mean, deviation, missing])
        case .spline(let of, let knots, let index):
            return step(.spline, of, knots + [Double(index)], count: knots.count)
        case .linear(let intercept, let coefficients, let of):
            return step(.linear, of, numbers: [intercept] + coefficients)
        case .trees(let trees):
            var made = step(.trees, numbers: [trees.base, trees.scale], count: trees.trees.count)
            made.first = Int32(self.trees.count)
            self.trees += trees.trees
            return made
        case .sum(let of): return step(.sum, of)
        case .mean(let of): return step(.mean, of)
        case .product(let of): return step(.product, of)
        case .difference(let left, let right): return step(.difference, [left, right])
        case .quotient(let left, let right, let otherwise):
            guard let otherwise else { return step(.quotient, [left, right]) }
            return step(.guardedQuotient, [left, right], numbers: [otherwise])
        case .clip(let of, let lower, let upper):
            return step(.clip, of, [lower ?? -.infinity, upper ?? .infinity])
        case .sigmoid(let of): return step(.sigmoid, of, [])
        case .exp(let of): return step(.exp, of, [])
        case .log(let of): return step(.log, of, [])
        case .softmax(let of, let index): return step(.softmax, of, numbers: [Double(index)])
        case .curve(let of, let points, let values):
            return step(.curve, of, points + values, count: points.count)
        case .median(let of):
            widest = max(widest, of.count)
            return step(.median, of)
        }
    }

    private mutating func step(
        _ kind: CompiledStep.Kind, place: Int32 = 0, numbers own: [Double] = [], count: Int = 0
    ) -> CompiledStep {
        defer { numbers += own }
        return CompiledStep(
            kind: kind, argument: place, first: Int32(arguments.count), count: Int32(count),
            numbers: Int32(numbers.count))
    }

    private mutating func step(
        _ kind: CompiledStep.Kind, _ argument: Int, _ numbers: [Double], count: Int = 0
    ) -> CompiledStep { step(kind, place: places[argument], numbers: numbers, count: count) }

    private mutating func step(_ kind: CompiledStep.Kind, _ of: [Int], numbers: [Double] = [])
        -> CompiledStep
    {
        let made = step(kind, numbers: numbers, count: of.count)
        arguments += of.map { places[$0] }
        return made
    }
}
