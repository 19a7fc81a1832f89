/// Formulas taken apart into what adds up: sums of trees, functions of single columns, products of two of these, and the rest.
///
/// Shapley values are linear in what they explain, so that each part can be explained in the way that is exact and fast for it.
/// Formulas are channels here: each part says by which factor it counts in each of them.
struct FormulaParts: Sendable {
    /// A part and its factor in each channel.
    struct Weighted<Part: Sendable>: Sendable {
        let part: Part
        var factors: [Double]
    }

    /// A function of one column.
    struct Curve: Sendable {
        let formula: Formula
        let column: Int
    }

    /// (numerator)/(denominator) of sums of trees: channels of their own.
    struct Ratio: Sendable {
        let numerator: Int
        let denominator: Int
        /// What stands for it where the denominator is not above 0; nil for whatever arithmetic gives.
        let otherwise: Double?
        let factor: Double
        let channel: Int
    }

    /// What is added in each channel.
    private(set) var constants: [Double]
    private(set) var trees: [Weighted<DecisionTrees>] = []
    /// Functions of single columns; those that occur in products alone have no factor but 0.
    private(set) var curves: [Weighted<Curve>] = []
    /// Products of two curves, by their places.
    private(set) var products: [Weighted<(Int, Int)>] = []
    /// Everything else: the terms of each channel, with their factors.
    private(set) var rest: [[(factor: Double, formula: Formula)]]
    private(set) var ratios: [Ratio] = []
    /// Channels of formulas, which come first.
    let outputCount: Int
    var channelCount: Int { constants.count }

    private let dividesTrees: Bool
    private var treePlaces: [ObjectIdentifier: Int] = [:]
    private var curvePlaces: [ObjectIdentifier: Int] = [:]
    private var columnSets: [ObjectIdentifier: Set<Int>] = [:]

    /// Takes formulas apart.
    ///
    /// - Parameters:
    ///   - dividesTrees: whether ratios of sums of trees are parts of their own, as path-dependent values take them.
    ///   - isWhole: whether nothing is to be taken apart: the formulas themselves are the rest.
    init(_ formulas: [Formula], dividesTrees: Bool, isWhole: Bool = false) throws(MetaLearnersError) {
        outputCount = formulas.count
        constants = [Double](repeating: 0, count: formulas.count)
        rest = formulas.map { _ in [] }
        self.dividesTrees = dividesTrees
        if isWhole {
            rest = formulas.map { [(1, $0)] }
            return
        }
        for (channel, formula) in formulas.enumerated() { try add(formula, 1, to: channel) }
    }

    /// Whether there is nothing but sums of trees, ratios of these and constants.
    var isOfTreesAlone: Bool { curves.isEmpty && rest.allSatisfy(\.isEmpty) }

    /// The columns that the rest depends on, ascending.
    var restColumns: [Int] {
        var memo: [ObjectIdentifier: Set<Int>] = [:]
        var all: Set<Int> = []
        for term in rest.joined() { all.formUnion(Self.columns(of: term.formula, &memo)) }
        return all.sorted()
    }

    private mutating func add(_ formula: Formula, _ factor: Double, to channel: Int)
        throws(MetaLearnersError)
    {
        switch formula.node {
        case .constant(let value):
            constants[channel] += factor * value
            return
        case .linear(let intercept, let coefficients, let of):
            constants[channel] += factor * intercept
            for (coefficient, part) in zip(coefficients, of) {
                try add(part, factor * coefficient, to: channel)
            }
            return
        case .sum(let of):
            for part in of { try add(part, factor, to: channel) }
            return
        case .mean(let of):
            for part in of { try add(part, factor / Double(of.count), to: channel) }
            return
        case .difference(let left, let right):
            try add(left, factor, to: channel)
            try add(right, -factor, to: channel)
            return
        case .trees(let trees):
            constants[channel] += factor * trees.base
            let place = treePlaces[formula.identity] ?? self.trees.count
            if place == self.trees.count {
                treePlaces[formula.identity] = place
                self.trees.append(Weighted(part: trees, factors: []))
            }
            Self.add(factor, to: channel, of: &self.trees[place].factors)
            return
        case .standardised(let of, let mean, let deviation, _) where Self.isNeverMissing(of):
            try add(of, factor / deviation, to: channel)
            constants[channel] -= factor * (mean / deviation)
            return
        case .product(let of):
            if try addProduct(of, factor, to: channel) { return }
        case .quotient(let left, let right, let otherwise):
            if let divisor = try constant(right), divisor > 0 || otherwise == nil {
                return try add(left, factor / divisor, to: channel)
            }
            guard dividesTrees, try isOfTrees(left), try isOfTrees(right) else { break }
            let numerator = channelCount
            constants += [0, 0]
            rest += [[], []]
            try add(left, 1, to: numerator)
            try add(right, 1, to: numerator + 1)
            ratios.append(
                Ratio(
                    numerator: numerator, denominator: numerator + 1, otherwise: otherwise, factor: factor,
                    channel: channel))
            return
        default: break
        }
        let columns = self.columns(of: formula)
        switch columns.count {
        case 0: constants[channel] += factor * (try constant(formula) ?? .nan)
        case 1:
            let place = curve(formula, columns.first ?? 0)
            Self.add(factor, to: channel, of: &curves[place].factors)
        default: rest[channel].append((factor, formula))
        }
    }

    /// Adds a product of constants with one factor more, or with two functions of different single columns; false for others.
    private mutating func addProduct(_ factors: [Formula], _ factor: Double, to channel: Int)
        throws(MetaLearnersError) -> Bool
    {
        var factor = factor
        var others: [Formula] = []
        for formula in factors {
            if let value = try constant(formula) { factor *= value } else { others.append(formula) }
        }
        if others.count == 1 {
            try add(others[0], factor, to: channel)
            return true
        }
        let columns = others.map { self.columns(of: $0) }
        guard others.count == 2, columns.allSatisfy({ $0.count == 1 }), columns[0] != columns[1],
            others.allSatisfy(Self.isNeverMissing)
        else { return false }
        let places = zip(others, columns).map { curve($0, $1.first ?? 0) }
        var weighted = Weighted(part: (places[0], places[1]), factors: [])
        Self.add(factor, to: channel, of: &weighted.factors)
        products.append(weighted)
        return true
    }

    private mutating func curve(_ formula: Formula, _ column: Int) -> Int {
        if let place = curvePlaces[formula.identity] { return place }
        curvePlaces[formula.identity] = curves.count
        curves.append(Weighted(part: Curve(formula: formula, column: column), factors: []))
        return curves.count - 1
    }

    private static func add(_ factor: Double, to channel: Int, of factors: inout [Double]) {
        if factors.count <= channel {
            factors += [Double](repeating: 0, count: channel + 1 - factors.count)
        }
        factors[channel] += factor
    }

    // MARK: What formulas are

    private mutating func columns(of formula: Formula) -> Set<Int> { Self.columns(of: formula, &columnSets) }

    private static func columns(of formula: Formula, _ memo: inout [ObjectIdentifier: Set<Int>]) -> Set<Int> {
        if let known = memo[formula.identity] { return known }
        var all = Set(formula.node.columns)
        for argument in formula.node.arguments { all.formUnion(columns(of: argument, &memo)) }
        memo[formula.identity] = all
        return all
    }

    /// The value of a formula that reads no column; nil of one that does.
    private mutating func constant(_ formula: Formula) throws(MetaLearnersError) -> Double? {
        if case .constant(let value) = formula.node { return value }
        guard columns(of: formula).isEmpty else { return nil }
        return try formula.evaluate(.withoutColumns(rowCount: 1))[0]
    }

    /// Whether only trees and constants are added up in it.
    private mutating func isOfTrees(_ formula: Formula) throws(MetaLearnersError) -> Bool {
        switch formula.node {
        case .trees, .constant: return true
        case .linear, .sum, .difference, .mean:
            for argument in formula.node.arguments { if try !isOfTrees(argument) { return false } }
            return true
        case .quotient(let left, let right, let otherwise):
            guard let divisor = try constant(right), divisor > 0 || otherwise == nil else { return false }
            return try isOfTrees(left)
        default: return false
        }
    }

    /// Whether no value is NaN, whatever is missing in the row.
    private static func isNeverMissing(_ formula: Formula) -> Bool {
        switch formula.node {
        case .constant(let value): !value.isNaN
        case .levels(_, let values, let other): !other.isNaN && !values.contains(where: \.isNaN)
        case .isMissing, .trees: true
        case .standardised(_, _, _, let missing): !missing.isNaN
        case .linear(_, _, let of), .sum(let of), .product(let of): of.allSatisfy(isNeverMissing)
        case .difference(let left, let right): isNeverMissing(left) && isNeverMissing(right)
        case .clip(let of, _, _), .sigmoid(let of), .exp(let of): isNeverMissing(of)
        default: false
        }
    }
}
