import MetaLearners
import MetaLearnersCore

/// Which covariates change the effect together, more than each does by itself.
public struct EffectInteractionsAnalysis: Analysis {
    public static let name = "effect_interactions"
    public static let title = "Which covariates change the effect together"
    public static let summary =
        "Friedman and Popescu's H for pairs of covariates: how much of their joint part of the effect no sum explains"
    public static let topic = AnalysisTopic.heterogeneity
    public static let runsByDefault = false
    public static let parameters: [Parameter<EffectInteractionsAnalysis>] = [
        .texts("columns", \.columns, "covariates; those that the effect changes most with where empty"),
        .integer(
            "most_columns", \.mostColumns, in: 2...200, "covariates that are paired where none are named"),
        .integer("rows", \.rows, in: 5...2000, "rows that are averaged over, drawn at random"),
        .seed(\.seed), .arm(\.arm),
    ]

    /// The covariates; empty for those that the effect changes most with.
    public var columns: [String] = []
    /// How many are paired where none are named.
    public var mostColumns = 5
    /// How many rows are averaged over; their square is predicted for each pair.
    public var rows = 80
    /// Decides which rows are drawn.
    public var seed = 0
    /// The arm that is asked about; nil for every one but the control.
    public var arm: String?

    public init() {}

    public var needs: StudyParts { [.effects, .covariates, .model] }

    /// Partial dependence at each row drawn, by arm, centred.
    private typealias Dependence = [[Double]]

    public func run(_ study: CausalStudy, _ scheduler: Scheduler) throws(MetaLearnersError) -> AnalysisResult
    {
        var result = emptyResult
        let effects = try ModelEffects(study, for: Self.name)
        try effects.requireCovariates(columns)
        guard columns.isEmpty || columns.count > 1 else {
            throw MetaLearnersError(.invalidArgument, at: "columns", "names one covariate; a pair takes two")
        }
        let arms = try study.treatedArms(arm)
        let drawn = ModelEffects.sample(study, rows, seed: seed)
        let sample = effects.data.selecting(rows: drawn)
        let weights = drawn.map { study.rowWeights[Int($0)] }
        let context = scheduler.context
        let candidates = columns.isEmpty ? effects.names : columns
        var single: [String: Dependence] = [:]
        for name in candidates {
            single[name] = try dependence([name], effects, sample, weights, arms, context)
        }
        let own = Self.centred(
            try arms.map { arm throws(MetaLearnersError) in try effects.effects(sample, context)[arm - 1] },
            weights)
        var pairs: [[String]: Dependence] = [:]
        var table = ResultTable(
            "interactions", "Pairs of covariates, and each against all others",
            [
                ResultTable.Column("arm", "arm", .text), ResultTable.Column("covariate", "covariate", .text),
                ResultTable.Column("other", "with", .text), ResultTable.Column("h", "H", .number),
                ResultTable.Column("strength", "strength", .number),
            ])
        for (place, arm) in arms.enumerated() {
            var chosen = candidates
            if columns.isEmpty {
                func size(_ name: String) -> Double { Self.square(single[name]?[place] ?? [], weights) }
                let order = candidates.indices.sorted {
                    (size(candidates[$1]), $0) < (size(candidates[$0]), $1)
                }
                chosen = order.prefix(mostColumns).sorted().map { candidates[$0] }
            }
            var rows: [(names: [String], h: Double, strength: Double)] = []
            for (index, first) in chosen.enumerated() {
                for second in chosen.dropFirst(index + 1) {
                    let key = [first, second]
                    if pairs[key] == nil {
                        pairs[key] = try dependence(key, effects, sample, weights, arms, context)
                    }
                    guard let joint = pairs[key] else { continue }
                    guard let left = single[first]?[place], let right = single[second]?[place] else {
                        continue
                    }
                    let found = Self.h(of: joint[place], parts: [left, right], weights)
                    rows.append((key, found.h, found.strength))
                }
            }
            for name in chosen {
                let others = effects.names.filter { $0 != name }
                guard let left = single[name]?[place], !others.isEmpty else { continue }
                let rest = try dependence(others, effects, sample, weights, arms, context)[place]
                let found = Self.h(of: own[place], parts: [left, rest], weights)
                rows.append(([name, "all others"], found.h, found.strength))
            }
            rows.sort { $0.strength > $1.strength }
            for row in rows {
                table.append([
                    .string(study.armLabels[arm]), .string(row.names[0]), .string(row.names[1]),
                    .number(row.h),
                    .number(row.strength),
                ])
            }
            let spread = Self.square(own[place], weights).squareRoot()
            result.findings.append(finding(study, arm, rows.first { $0.names[1] != "all others" }, spread))
        }
        result.tables = [table]
        result.values["rows"] = .integer(drawn.count)
        result.findings.append(
            "H is 0 where the joint part of the effect is the sum of what each covariate does alone, and 1 where neither does anything alone. The strength is the same in units of the effect: the standard deviation of what no sum explains."
        )
        result.assumptions = [Assumption.shiftedRows]
        return result
    }

    /// The mean effect, over all rows drawn, of rows that have the named covariates from the row at hand: centred over the rows at
    /// hand.
    private func dependence(
        _ names: [String], _ effects: ModelEffects, _ sample: Table, _ weights: [Double], _ arms: [Int],
        _ context: ExecutionContext
    ) throws(MetaLearnersError) -> Dependence {
        let count = sample.rowCount
        let total = weights.reduce(0, +)
        var result = arms.map { _ in [Double]() }
        // Several rows at hand at a time, each with all rows drawn.
        let atATime = max(1, 20_000 / max(count, 1))
        for first in stride(from: 0, to: count, by: atATime) {
            try context.checkCancellation()
            let hand = first..<min(first + atATime, count)
            let own = hand.flatMap { [Int32](repeating: Int32($0), count: count) }
            let all = hand.flatMap { _ in (0..<count).map { Int32($0) } }
            var mixed = sample.selecting(rows: all)
            for name in names {
                mixed = mixed.replacing(try sample.requiredColumn(name, for: "columns").selecting(own))
            }
            let found = try effects.effects(mixed, context)
            for (place, arm) in arms.enumerated() {
                for index in hand.indices {
                    let start = (index - hand.lowerBound) * count
                    result[place].append(
                        (0..<count).reduce(0) { $0 + weights[$1] * found[arm - 1][start + $1] } / total)
                }
            }
        }
        return Self.centred(result, weights)
    }

    private static func centred(_ lists: [[Double]], _ weights: [Double]) -> [[Double]] {
        let total = weights.reduce(0, +)
        return lists.map { list in
            let mean = list.indices.reduce(0) { $0 + weights[$1] * list[$1] / total }
            return list.map { $0 - mean }
        }
    }

    /// The weighted mean of squares.
    private static func square(_ list: [Double], _ weights: [Double]) -> Double {
        let total = weights.reduce(0, +)
        return list.indices.reduce(0) { $0 + weights[$1] * list[$1] * list[$1] / total }
    }

    /// H² = Σ(F_jk − F_j − F_k)²/ΣF_jk² (Friedman & Popescu 2008, doi 10.1214/07-AOAS148), and the root of its numerator.
    private static func h(of whole: [Double], parts: [[Double]], _ weights: [Double]) -> (
        h: Double, strength: Double
    ) {
        let rest = whole.indices.map { row in parts.reduce(whole[row]) { $0 - $1[row] } }
        let (left, all) = (square(rest, weights), square(whole, weights))
        return (all > 0 ? (left / all).squareRoot() : 0, left.squareRoot())
    }

    private func finding(
        _ study: CausalStudy, _ arm: Int, _ strongest: (names: [String], h: Double, strength: Double)?,
        _ spread: Double
    ) -> String {
        let start = Sentence.arm(study, arm)
        guard let strongest, strongest.strength > 1e-9 * max(spread, .leastNormalMagnitude), spread > 0 else {
            return start + "No two covariates change the effect together: their parts add up."
        }
        return start
            + "The covariates \(strongest.names[0]) and \(strongest.names[1]) change the effect together most: H \(NumberText.fixed(strongest.h, decimals: 2)), \(Sentence.number(strongest.strength, with: [spread])) of the effects' standard deviation of \(Sentence.number(spread, with: [strongest.strength]))."
    }
}
