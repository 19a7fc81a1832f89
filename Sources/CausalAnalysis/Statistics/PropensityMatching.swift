import MetaLearnersCore

/// Rows of two arms matched by nearest scores.
///
/// With replacement a target's matches are all rows of the other arm that are no farther than the M-th nearest: ties share one
/// place (Abadie & Imbens 2006), so that the order of rows changes nothing. Without replacement each row serves once: the targets of
/// the most extreme scores choose first, one match in each of M rounds. O(n log n).
struct PropensityMatching {
    /// How rows are matched.
    struct Settings: Sendable, Equatable {
        /// Whether a row may serve several targets.
        var replacement = true
        /// M: how many matches a target gets.
        var ratio = 1
        /// The largest difference of scores of a match.
        var caliper = Double.infinity
    }

    /// A row that is matched, with the mean outcome of its matches.
    struct Target {
        let row: Int
        let imputed: Double
    }

    /// The targets that found a match, ascending by row.
    private(set) var targets: [Target] = []
    /// How many targets found none.
    private(set) var unmatched = 0
    /// For each row of the study, the sum of its shares in the matches of targets, by the weight of these: K_i.
    private(set) var uses: [Double]
    /// The sum of the squares of these.
    private(set) var squaredUses: [Double]

    /// Matches each of `targets` with rows of `pool`.
    ///
    /// - Parameters:
    ///   - scores: for each row of the study.
    ///   - outcome: for each row of the study.
    ///   - weights: of each row; matches count for their target by theirs.
    ///   - targetsHigh: whether targets are the arm whose scores are high, so that the highest choose first.
    init(
        _ targets: [Int], among pool: [Int], scores: [Double], outcome: [Double], weights: [Double],
        targetsHigh: Bool, _ settings: Settings
    ) {
        uses = [Double](repeating: 0, count: scores.count)
        squaredUses = uses
        let order = SortedScores(pool, scores, outcome, weights)
        if settings.replacement {
            matchWithReplacement(targets, order, scores, weights, settings)
        } else {
            matchOnce(
                targets.sorted {
                    scores[$0] == scores[$1] ? $0 < $1 : (scores[$0] > scores[$1]) == targetsHigh
                }, order, scores, outcome, weights, settings)
        }
    }

    private mutating func matchWithReplacement(
        _ targets: [Int], _ order: SortedScores, _ scores: [Double], _ weights: [Double],
        _ settings: Settings
    ) {
        // What targets give to a range of rows begins at its first and ends after its last.
        var starts = [Double](repeating: 0, count: order.rows.count + 1)
        var squares = starts
        for row in targets {
            let range = order.nearest(settings.ratio, to: scores[row], within: settings.caliper)
            guard !range.isEmpty else {
                unmatched += 1
                continue
            }
            let sums = order.sums(range)
            self.targets.append(Target(row: row, imputed: sums.outcome / sums.weight))
            let share = weights[row] / sums.weight
            starts[range.lowerBound] += share
            starts[range.upperBound] -= share
            squares[range.lowerBound] += share * share
            squares[range.upperBound] -= share * share
        }
        var (share, square) = (0.0, 0.0)
        for (place, row) in order.rows.enumerated() {
            share += starts[place]
            square += squares[place]
            uses[row] = max(weights[row] * share, 0)
            squaredUses[row] = max(weights[row] * weights[row] * square, 0)
            // Sums that came back to nothing are rounding errors.
            if uses[row] < 1e-9 * weights[row] { (uses[row], squaredUses[row]) = (0, 0) }
        }
    }

    private mutating func matchOnce(
        _ targets: [Int], _ order: SortedScores, _ scores: [Double], _ outcome: [Double],
        _ weights: [Double], _ settings: Settings
    ) {
        var free = FreePlaces(count: order.rows.count)
        var matches: [Int: [Int]] = [:]
        for _ in 0..<settings.ratio {
            for row in targets {
                let place = order.place(of: scores[row])
                let left = free.last(before: place).map { ($0, abs(scores[order.rows[$0]] - scores[row])) }
                let right = free.first(from: place).map { ($0, abs(scores[order.rows[$0]] - scores[row])) }
                guard
                    let nearest = [left, right].compactMap(\.self).min(by: { $0.1 < $1.1 }),
                    nearest.1 <= settings.caliper
                else { continue }
                free.take(nearest.0)
                matches[row, default: []].append(order.rows[nearest.0])
            }
        }
        for row in targets.sorted() {
            guard let own = matches[row] else {
                unmatched += 1
                continue
            }
            let total = own.reduce(0) { $0 + weights[$1] }
            self.targets.append(
                Target(row: row, imputed: own.reduce(0) { $0 + weights[$1] * outcome[$1] } / total))
            for match in own {
                uses[match] = weights[row] * weights[match] / total
                squaredUses[match] = uses[match] * uses[match]
            }
        }
    }

    /// The variance of the outcome given score and arm at each of `rows`, all of one arm, by the J nearest others of the arm:
    /// J/(J + 1) (Y − mean of these)² (Abadie & Imbens 2006, section 4.2).
    static func conditionalVariances(
        _ rows: [Int], scores: [Double], outcome: [Double], neighbours: Int
    ) -> [Double] {
        let ones = [Double](repeating: 1, count: scores.count)
        let order = SortedScores(rows, scores, outcome, ones)
        var variances = [Double](repeating: 0, count: scores.count)
        for row in rows {
            // The row itself is among the nearest.
            let range = order.nearest(neighbours + 1, to: scores[row], within: .infinity)
            let count = Double(range.count - 1)
            guard count > 0 else { continue }
            let mean = (order.sums(range).outcome - outcome[row]) / count
            variances[row] = count / (count + 1) * (outcome[row] - mean) * (outcome[row] - mean)
        }
        return variances
    }
}

/// Rows in the order of their scores, with running sums.
private struct SortedScores {
    let rows: [Int]
    private let scores: [Double]
    private let weights: [Double]
    private let outcomes: [Double]
    private let weightSums: [Double]
    private let outcomeSums: [Double]
    private let origin: Double

    init(_ rows: [Int], _ scores: [Double], _ outcome: [Double], _ weights: [Double]) {
        let rows = rows.sorted { (scores[$0], $0) < (scores[$1], $1) }
        self.rows = rows
        self.scores = rows.map { scores[$0] }
        self.weights = rows.map { weights[$0] }
        // Sums of numbers near 0 keep more digits.
        let origin = rows.isEmpty ? 0 : rows.reduce(0) { $0 + outcome[$1] } / Double(rows.count)
        self.origin = origin
        outcomes = rows.map { outcome[$0] }
        var (weightSums, outcomeSums) = ([0.0], [0.0])
        for row in rows {
            weightSums.append(weightSums[weightSums.count - 1] + weights[row])
            outcomeSums.append(outcomeSums[outcomeSums.count - 1] + weights[row] * (outcome[row] - origin))
        }
        self.weightSums = weightSums
        self.outcomeSums = outcomeSums
    }

    /// The first place whose score is not below.
    func place(of score: Double) -> Int {
        var (low, high) = (0, scores.count)
        while low < high {
            let middle = (low + high) / 2
            if scores[middle] < score { low = middle + 1 } else { high = middle }
        }
        return low
    }

    /// The places of the `count` nearest scores, and of those that are as near as the farthest of them.
    func nearest(_ count: Int, to score: Double, within caliper: Double) -> Range<Int> {
        var low = place(of: score)
        var high = low
        func distance(_ place: Int) -> Double {
            scores.indices.contains(place) ? abs(scores[place] - score) : .infinity
        }
        var farthest = 0.0
        while high - low < count {
            let (left, right) = (distance(low - 1), distance(high))
            let next = min(left, right)
            guard next <= caliper, next < .infinity else { return low..<high }
            if right <= left { high += 1 } else { low -= 1 }
            farthest = next
        }
        // What rounding alone tells apart is as near.
        let limit = min(farthest + 1e-12 * max(1, abs(score)), caliper)
        while distance(high) <= limit { high += 1 }
        while distance(low - 1) <= limit { low -= 1 }
        return low..<high
    }

    /// The sum of weights, and of outcomes by weight.
    func sums(_ range: Range<Int>) -> (weight: Double, outcome: Double) {
        guard range.count > 64 else {
            return range.reduce((0, 0)) { ($0.0 + weights[$1], $0.1 + weights[$1] * outcomes[$1]) }
        }
        let weight = weightSums[range.upperBound] - weightSums[range.lowerBound]
        return (
            weight, outcomeSums[range.upperBound] - outcomeSums[range.lowerBound] + origin * weight
        )
    }
}

/// Which places are still free, with the nearest free one to either side in nearly constant time.
private struct FreePlaces {
    /// For each place, one at or before it from which to look on; the places are counted from 1, 0 is none.
    private var before: [Int]
    /// For each place, one at or after it from which to look on; the last is none.
    private var after: [Int]

    init(count: Int) {
        before = Array(0...count)
        after = Array(0...count)
    }

    mutating func take(_ place: Int) {
        before[place + 1] = place
        after[place] = place + 1
    }

    mutating func last(before place: Int) -> Int? {
        let found = Self.root(&before, place)
        return found > 0 ? found - 1 : nil
    }

    mutating func first(from place: Int) -> Int? {
        let found = Self.root(&after, place)
        return found < after.count - 1 ? found : nil
    }

    private static func root(_ links: inout [Int], _ start: Int) -> Int {
        var place = start
        while links[place] != place {
            links[place] = links[links[place]]
            place = links[place]
        }
        return place
    }
}
