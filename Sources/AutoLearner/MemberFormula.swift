import MetaLearnersCore

/// A function of the covariates as members of `auto` have it: a linear function of the shared design and a weighted sum of
/// models. Sums can be added and multiplied by numbers, so that a combination of members is one sum again.
struct MemberSum: Sendable, Equatable {
    /// A model of a fold that is no linear function, and what it is asked.
    struct Source: Sendable, Hashable, Comparable {
        /// What stands for it in files; frozen.
        let code: UInt8

        /// The sources by member; the joint model is asked for the control and for the arm.
        private static let table: [(member: AutoMember.Name, arm: UInt8?, code: UInt8)] = [
            (.controlTrees, nil, 0), (.armTrees, nil, 1), (.jointTrees, 0, 2), (.jointTrees, 1, 3),
            (.effectTrees, nil, 4), (.imputedControlTrees, nil, 5), (.imputedArmTrees, nil, 6),
            (.deepImputedControlTrees, nil, 7), (.deepImputedArmTrees, nil, 8),
            (.bartBesideControl, nil, 9),
        ]

        /// - Parameter arm: for a model that sees the treatment, what it is asked for: 0 or 1.
        init(_ member: AutoMember.Name, arm: UInt8? = nil) {
            code = Self.table.first { $0.member == member && $0.arm == arm }?.code ?? .max
        }

        /// The source of a code; nil where there is none.
        init?(code: UInt8) {
            guard Self.table.contains(where: { $0.code == code }) else { return nil }
            self.code = code
        }

        /// The treatment that the model is asked for; nil for one that does not see it.
        var arm: UInt8? { Self.table.first { $0.code == code }?.arm }

        /// The member that the model is, and what it is asked for.
        var name: String {
            guard let found = Self.table.first(where: { $0.code == code }) else { return "model \(code)" }
            return found.member.rawValue + (found.arm.map { $0 == 0 ? ", as control" : ", as treated" } ?? "")
        }

        static func < (left: Source, right: Source) -> Bool { left.code < right.code }
    }

    /// The linear function.
    var linear: LinearFunction
    /// The weights of models.
    var models: [Source: Double] = [:]

    /// The function that is `constant` everywhere, of a design of so many columns.
    init(constant: Double = 0, width: Int) { linear = LinearFunction(intercept: constant, width: width) }

    /// A linear function.
    init(_ function: LinearFunction) { linear = function }

    /// A model.
    init(_ source: Source, width: Int) {
        self.init(width: width)
        models[source] = 1
    }

    /// Adds `factor` times another part.
    mutating func add(_ other: MemberSum, times factor: Double) {
        guard factor != 0 else { return }
        linear.add(other.linear, times: factor)
        for (source, weight) in other.models { models[source, default: 0] += factor * weight }
    }
}

/// A function that may depend on the propensity as well: level(x) + e(x)·share(x).
struct MemberFormula: Sendable, Equatable {
    var level: MemberSum
    /// What the propensity is multiplied by; nil for nothing.
    var share: MemberSum?

    init(_ level: MemberSum, share: MemberSum? = nil) {
        self.level = level
        self.share = share
    }

    /// Adds `factor` times another formula.
    mutating func add(_ other: MemberFormula, times factor: Double) {
        guard factor != 0 else { return }
        level.add(other.level, times: factor)
        guard let added = other.share else { return }
        var sum = share ?? MemberSum(width: added.linear.coefficients.count)
        sum.add(added, times: factor)
        share = sum
    }

    /// The weighted sum of formulas, plus a constant.
    static func sum(_ formulas: [MemberFormula], weights: [Double], constant: Double, width: Int)
        -> MemberFormula
    {
        var sum = MemberFormula(MemberSum(constant: constant, width: width))
        for (formula, weight) in zip(formulas, weights) { sum.add(formula, times: weight) }
        return sum
    }
}
