import CausalAnalysis
import MetaLearners
import MetaLearnersCore

/// How effects are judged on the rows of a dataset, with one set of nuisances for all of them.
///
/// A loss is Σ ω (v − Σ_c s_c τ_c)² over terms, each of some rows, divided by the sum of weights: v and s are what the R-, DR- or
/// X-learner fits its effect models to, so that the definitions are the learners' own.
struct EffectScoring: Sendable {
    /// What effects are compared with on some rows.
    private struct Term: Sendable {
        let values: [Double]
        /// The columns of effects that take part, each with its factor; nil for 1.
        let slopes: [(column: Int, values: [Double]?)]
        let rows: [Int32]
    }

    /// Half-samples that the error of a RATE is taken from.
    static let draws = 200

    let score: TuningSpec.Score
    /// How many lists effects are: arms but the control, times classes of an outcome of several.
    let columnCount: Int
    private let terms: [Term]
    private let weights: [Double]?
    private let groups: ScoreGroups
    private let clusters: [Int32]?
    private let seed: Int
    /// The folds of each repeat where effects are out of fold; none where they are of rows held out.
    private let repeats: [FoldAssignment]

    /// What differences between scores and their errors are computed with.
    var statistics: ScoreStatistics {
        ScoreStatistics(
            isGain: isGain, groupWeights: groupWeights,
            rankingErrorFactor: repeats.isEmpty ? 1 : FoldLevels.orderingErrorFactor)
    }

    /// Whether larger is better.
    var isGain: Bool { score == .rate }

    /// Prepares the terms of `score`.
    ///
    /// - Parameter repeats: the folds that effects are out of, as rankings need them (`CausalStudy.orderingEffect`); none of other rows.
    /// - Throws: `unsupported` for a score that an outcome of several classes has not; `internalFault` where a nuisance is
    ///   not there.
    init(
        _ score: TuningSpec.Score, _ dataset: CausalDataset, _ nuisances: NuisanceEstimates,
        repeats: [FoldAssignment], seed: UInt64
    ) throws(MetaLearnersError) {
        let kind = dataset.outcome.kind
        let score = Self.resolved(score, kind)
        self.score = score
        self.seed = Int(truncatingIfNeeded: seed >> 1)
        self.repeats = repeats.filter(\.isCrossFitted)
        columnCount = (dataset.armCount - 1) * kind.effectCount
        weights = dataset.weights
        clusters = dataset.clusters
        groups = ScoreGroups(rowCount: dataset.rowCount, clusters: dataset.clusters, seed: seed)
        var terms: [Term] = []
        guard kind.effectClasses.isEmpty else {
            try Self.requireScore(score, kind)
            for index in kind.effectClasses.indices {
                let indicators = try Outcome(
                    dataset.outcome.indicators(ofClass: index), kind: .binary(labels: ["0", "1"]))
                terms += try Self.terms(
                    score, dataset.replacing(outcome: indicators), nuisances.ofClass(index)
                ) { ($0 - 1) * kind.effectCount + index }
            }
            self.terms = terms
            return
        }
        self.terms = try Self.terms(score, dataset, nuisances) { $0 - 1 }
    }

    /// The score that `auto` stands for.
    static func resolved(_ score: TuningSpec.Score, _ kind: Outcome.Kind) -> TuningSpec.Score {
        score == .auto ? (kind.effectClasses.isEmpty ? .rLoss : .drLoss) : score
    }

    /// Checks that an outcome has a score.
    ///
    /// - Throws: `unsupported`.
    static func requireScore(_ score: TuningSpec.Score, _ kind: Outcome.Kind) throws(MetaLearnersError) {
        let score = resolved(score, kind)
        guard kind.effectClasses.isEmpty || score == .drLoss || score == .xLoss else {
            throw MetaLearnersError(
                .unsupported, at: "tuning.score",
                "\(score.rawValue) is of one number per arm, and the outcome has \(kind.classCount) classes",
                remedy: "use dr_loss or x_loss")
        }
    }

    private static func terms(
        _ score: TuningSpec.Score, _ dataset: CausalDataset, _ nuisances: NuisanceEstimates,
        column: (Int) -> Int
    ) throws(MetaLearnersError) -> [Term] {
        var terms: [Term] = []
        func add(_ learner: any MetaLearner, _ role: EffectRole, _ columns: [Int]) throws(MetaLearnersError) {
            let target = try learner.pseudoOutcome(role, dataset, nuisances)
            let slopes: [(column: Int, values: [Double]?)] =
                target.residuals.isEmpty
                ? columns.map { ($0, nil) } : zip(columns, target.residuals).map { ($0, $1) }
            terms.append(Term(values: target.values, slopes: slopes, rows: target.rows))
        }
        let arms = 1..<dataset.armCount
        switch score {
        case .auto, .rLoss:
            // All arms in one loss where m is that of all arms.
            if dataset.armCount > 2, nuisances.marginalOutcomes[0] != nil {
                try add(RLearner(isJoint: true), EffectRole(arm: 1, part: .joint), arms.map(column))
            } else {
                for arm in arms { try add(RLearner(), EffectRole(arm: arm), [column(arm)]) }
            }
        case .drLoss, .rate:
            for arm in arms { try add(DRLearner(MetaLearnerSpec()), EffectRole(arm: arm), [column(arm)]) }
        case .xLoss:
            for arm in arms {
                for part in [EffectRole.Part.armRows, .controlRows] {
                    try add(XLearner(), EffectRole(arm: arm, part: part), [column(arm)])
                }
            }
        }
        return terms
    }

    private func weight(_ row: Int) -> Double { weights?[row] ?? 1 }

    /// The score on the rows that `counts` says, all for nil.
    func value(of effects: [[Double]], where counts: ((Int) -> Bool)? = nil) -> Double {
        if isGain {
            let values = terms.compactMap { curve($0, effects, counts)?.values()?[0] }
            return values.isEmpty ? .nan : values.reduce(0, +) / Double(values.count)
        }
        var (sum, total) = (0.0, 0.0)
        for term in terms {
            for row in term.rows where counts?(Int(row)) ?? true {
                sum += weight(Int(row)) * loss(term, effects, Int(row))
                total += weight(Int(row))
            }
        }
        return total > 0 ? sum / total : .nan
    }

    private func loss(_ term: Term, _ effects: [[Double]], _ row: Int) -> Double {
        var error = term.values[row]
        for (column, slopes) in term.slopes { error -= (slopes?[row] ?? 1) * effects[column][row] }
        return error * error
    }

    private func curve(_ term: Term, _ effects: [[Double]], _ counts: ((Int) -> Bool)?) -> TargetingCurve? {
        guard let column = term.slopes.first?.column else { return nil }
        var own = [Double](repeating: 0, count: term.values.count)
        for row in term.rows where counts?(Int(row)) ?? true { own[Int(row)] = weight(Int(row)) }
        return TargetingCurve(
            priorities: priorities(effects[column], own), scores: term.values, weights: own,
            units: [Int32](repeating: 0, count: own.count), grid: [])
    }

    /// The effects as a ranking takes them: without what the folds' models say on average.
    private func priorities(_ effects: [Double], _ weights: [Double]) -> [Double] {
        repeats.isEmpty ? effects : FoldLevels(repeats, weights: weights).removed(from: effects)
    }

    // MARK: Samples

    /// What the error of a score, and of differences between two, is computed from: of a loss its sums over groups of rows, of
    /// a RATE its values on half-samples, the same for all effects.
    ///
    /// - Throws: `invalidData` where there are too few rows for half-samples.
    func sample(of effects: [[Double]]) throws(MetaLearnersError) -> [Double] {
        guard !isGain else { return try halfSamples(of: effects) }
        var sums = [Double](repeating: 0, count: groups.count)
        for term in terms {
            for row in term.rows {
                sums[Int(groups.codes[Int(row)])] += weight(Int(row)) * loss(term, effects, Int(row))
            }
        }
        return sums
    }

    private func halfSamples(of effects: [[Double]]) throws(MetaLearnersError) -> [Double] {
        var sums = [Double](repeating: 0, count: Self.draws)
        let scheduler = Scheduler(ExecutionOptions(threads: 1))
        for term in terms {
            guard let column = term.slopes.first?.column else { continue }
            var own = [Double](repeating: 0, count: term.values.count)
            for row in term.rows { own[Int(row)] = weight(Int(row)) }
            let resampling = try Resampling(.halfSamples, weights: own, clusters: clusters, seed: seed)
            let curve = TargetingCurve(
                priorities: priorities(effects[column], own), scores: term.values, weights: own,
                units: resampling.units, grid: [])
            let (values, _) = try resampling.answers(Self.draws, "scores", scheduler) {
                curve.values($0)?[0] ?? 0
            }
            for (index, value) in values.enumerated() { sums[index] += value / Double(terms.count) }
        }
        return sums
    }

    /// The sum of weights in each group: what the sums of losses are divided by.
    var groupWeights: [Double] {
        var totals = [Double](repeating: 0, count: groups.count)
        for term in terms {
            for row in term.rows { totals[Int(groups.codes[Int(row)])] += weight(Int(row)) }
        }
        return totals
    }

    // MARK: One effect for everybody

    /// The effects that minimise the loss among those that are the same for every row, on the rows that `counts` says; of a
    /// RATE those that minimise the DR-loss.
    func constant(where counts: ((Int) -> Bool)? = nil) -> [Double] {
        let order = columnCount
        var matrix = [Double](repeating: 0, count: order * order)
        var vector = [Double](repeating: 0, count: order)
        for term in terms {
            for row in term.rows where counts?(Int(row)) ?? true {
                let row = Int(row)
                for (column, slopes) in term.slopes {
                    let factor = weight(row) * (slopes?[row] ?? 1)
                    vector[column] += factor * term.values[row]
                    for (other, others) in term.slopes {
                        matrix[column * order + other] += factor * (others?[row] ?? 1)
                    }
                }
            }
        }
        return Self.solve(matrix, vector)
    }

    /// Gauss-Jordan elimination; 0 for what is not determined.
    private static func solve(_ matrix: [Double], _ vector: [Double]) -> [Double] {
        let order = vector.count
        var (matrix, vector) = (matrix, vector)
        // (The matrix is positive semidefinite: no rows need to be exchanged.)
        for pivot in 0..<order {
            let diagonal = matrix[pivot * order + pivot]
            guard diagonal > 0 else {
                vector[pivot] = 0
                continue
            }
            for row in 0..<order where row != pivot {
                let factor = matrix[row * order + pivot] / diagonal
                guard factor != 0 else { continue }
                for column in 0..<order {
                    matrix[row * order + column] -= factor * matrix[pivot * order + column]
                }
                vector[row] -= factor * vector[pivot]
            }
        }
        return (0..<order).map { place in
            let diagonal = matrix[place * order + place]
            return diagonal > 0 ? vector[place] / diagonal : 0
        }
    }
}

/// Groups of rows by which errors of scores are computed: clusters, or rows; where there are many, groups of them drawn at
/// random, so that a candidate is remembered by a thousand numbers whatever the number of rows.
struct ScoreGroups: Sendable {
    static let limit = 1024

    /// The group of each row.
    let codes: [Int32]
    let count: Int

    init(rowCount: Int, clusters: [Int32]?, seed: UInt64) {
        let units = clusters ?? Array(0..<Int32(rowCount))
        let unitCount = Int(units.max() ?? -1) + 1
        guard unitCount > Self.limit else {
            codes = units
            count = unitCount
            return
        }
        var order = Array(0..<unitCount)
        var stream = RandomStream(seed: seed, path: 0x6772_6F75)
        stream.shuffle(&order)
        var groupOfUnit = [Int32](repeating: 0, count: unitCount)
        for (place, unit) in order.enumerated() { groupOfUnit[unit] = Int32(place % Self.limit) }
        codes = units.map { groupOfUnit[Int($0)] }
        count = Self.limit
    }
}

/// What scores and their errors are made of, without the rows.
struct ScoreStatistics: Sendable {
    let isGain: Bool
    let groupWeights: [Double]
    /// What standard errors of a RATE are multiplied by (`CausalStudy.orderingErrorFactor`).
    var rankingErrorFactor = 1.0

    /// The score of a sample of a loss.
    func value(_ sample: [Double]) -> Double { sample.reduce(0, +) / groupWeights.reduce(0, +) }

    /// By how much the first is worse than the second, with the standard error: of sums over groups with the usual factor
    /// G/(G − 1), of half-samples their standard deviation.
    func difference(_ first: ScoredSample, _ second: ScoredSample) -> (value: Double, stdError: Double) {
        let draws = zip(first.sample, second.sample).map { $0 - $1 }
        if isGain {
            return (
                second.score - first.score,
                rankingErrorFactor * (Resampling.deviations(draws.map { [$0] }).first ?? 0)
            )
        }
        let total = groupWeights.reduce(0, +)
        let mean = draws.reduce(0, +) / total
        var (squares, count) = (0.0, 0.0)
        for (sum, weight) in zip(draws, groupWeights) where weight > 0 {
            let influence = sum - mean * weight
            squares += influence * influence
            count += 1
        }
        return (mean, count > 1 ? (squares * count / (count - 1)).squareRoot() / total : 0)
    }

    /// The standard error of a score.
    func stdError(_ sample: ScoredSample) -> Double {
        let nothing = ScoredSample(score: 0, sample: [Double](repeating: 0, count: sample.sample.count))
        return difference(sample, nothing).stdError
    }
}

/// A score with what its error is computed from.
struct ScoredSample: Sendable {
    let score: Double
    let sample: [Double]
}
