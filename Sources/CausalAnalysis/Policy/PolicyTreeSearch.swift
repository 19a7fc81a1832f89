import MetaLearnersCore

/// Finds the tree of a depth with the largest sum of scores (Athey & Wager 2021; Zhou, Athey & Wager 2023).
///
/// - Depth 1: every split of every column. O(p (n + bins)).
/// - Depth 2, exhaustive: while rows cross the first split one after another, the best split of either side follows from the
///   extremes of prefix sums of score differences, which a tree over bins keeps. O(p² n log(bins)) for two arms, times the
///   number of pairs of arms for more.
/// - Depth 3, looking ahead: the first split is that of the best tree of depth 2, and each side gets its own best tree of depth 2.
///   (Exhaustive search would take O(p³ n² log n).)
struct PolicyTreeSearch: Sendable {
    let columns: [PolicyTreeColumn]
    /// For each arm the score of each row, times its weight.
    let scores: [[Double]]
    /// Rows that a leaf must have.
    let leastRows: Int

    /// The best tree on some rows.
    func tree(_ depth: Int, _ rows: [Int32], _ scheduler: Scheduler) throws(MetaLearnersError) -> PolicyTree {
        PolicyTree(root: try best(depth, rows, scheduler).node)
    }

    typealias Candidate = (value: Double, node: PolicyTree.Node)

    private func best(_ depth: Int, _ rows: [Int32], _ scheduler: Scheduler) throws(MetaLearnersError)
        -> Candidate
    {
        switch depth {
        case 0: return constant(rows)
        case 1: return stump(rows)
        case 2: return try pair(rows, scheduler)
        default:
            let shallow = try pair(rows, scheduler)
            guard case .split(let column, let bin, _, _) = shallow.node else { return shallow }
            let (left, right) = divide(rows, column, bin)
            let first = try best(depth - 1, left, scheduler)
            let second = try best(depth - 1, right, scheduler)
            return joined(column, bin, first, second)
        }
    }

    /// A split; one whose sides say the same is none.
    private func joined(_ column: Int, _ bin: Int, _ left: Candidate, _ right: Candidate) -> Candidate {
        if left.node == right.node, case .leaf = left.node { return (left.value + right.value, left.node) }
        return (
            left.value + right.value, .split(column: column, bin: bin, left: left.node, right: right.node)
        )
    }

    private func divide(_ rows: [Int32], _ column: Int, _ bin: Int) -> (left: [Int32], right: [Int32]) {
        let bins = columns[column].bins
        return (rows.filter { bins[Int($0)] <= bin }, rows.filter { bins[Int($0)] > bin })
    }

    /// The arm with the largest sum, of equal ones the first.
    private func constant(_ rows: [Int32]) -> Candidate {
        let sums = scores.map { scores in rows.reduce(0) { $0 + scores[Int($1)] } }
        let arm = sums.indices.max { sums[$0] != sums[$1] ? sums[$0] < sums[$1] : $0 > $1 } ?? 0
        return (sums[arm], .leaf(arm: arm))
    }

    /// The best tree of depth 1; none that is not truly better than a constant.
    func stump(_ rows: [Int32]) -> Candidate {
        let none = constant(rows)
        var best: (value: Double, column: Int, bin: Int)?
        var least = none.value + 1e-12 * abs(none.value)
        let totals = scores.map { scores in rows.reduce(0) { $0 + scores[Int($1)] } }
        for (index, column) in columns.enumerated() {
            let width = column.uppers.count
            var sums = [Double](repeating: 0, count: width * scores.count)
            var counts = [Int](repeating: 0, count: width)
            for row in rows {
                let bin = Int(column.bins[Int(row)])
                counts[bin] += 1
                for arm in scores.indices { sums[bin * scores.count + arm] += scores[arm][Int(row)] }
            }
            var left = [Double](repeating: 0, count: scores.count)
            var count = 0
            for bin in 0..<width - 1 where counts[bin] > 0 {
                count += counts[bin]
                var (highest, rest) = (-Double.infinity, -Double.infinity)
                for arm in scores.indices {
                    left[arm] += sums[bin * scores.count + arm]
                    highest = max(highest, left[arm])
                    rest = max(rest, totals[arm] - left[arm])
                }
                guard count >= leastRows, rows.count - count >= leastRows, highest + rest > least else {
                    continue
                }
                least = highest + rest
                best = (highest + rest, index, bin)
            }
        }
        guard let best else { return none }
        let (left, right) = divide(rows, best.column, best.bin)
        return joined(best.column, best.bin, constant(left), constant(right))
    }

    /// The best tree of depth 2.
    private func pair(_ rows: [Int32], _ scheduler: Scheduler) throws(MetaLearnersError) -> Candidate {
        let found = ResultSlots<(value: Double, bin: Int)>(count: columns.count)
        try scheduler.run("policy tree", count: columns.count) { column, context throws(MetaLearnersError) in
            found[column] = try firstSplit(column, rows, context)
        }
        let none = stump(rows)
        var best: (value: Double, column: Int, bin: Int)?
        var least = none.value + 1e-9 * abs(none.value)
        for column in columns.indices {
            guard let candidate = found[column], candidate.value > least else { continue }
            least = candidate.value
            best = (candidate.value, column, candidate.bin)
        }
        guard let best else { return none }
        let (left, right) = divide(rows, best.column, best.bin)
        return joined(best.column, best.bin, stump(left), stump(right))
    }

    /// Where to split a column first, when both sides get their best trees of depth 1; a value of −∞ where no split leaves enough rows.
    private func firstSplit(_ column: Int, _ rows: [Int32], _ context: ExecutionContext)
        throws(MetaLearnersError) -> (value: Double, bin: Int)
    {
        let groups = groups(rows, by: columns[column])
        let left = try stumpValues(groups.dropLast().map(\.rows), context)
        let right = try stumpValues(groups.dropFirst().reversed().map(\.rows), context)
        var best = (value: -Double.infinity, bin: 0)
        var count = 0
        for index in left.indices {
            count += groups[index].rows.count
            let value = left[index] + right[right.count - 1 - index]
            guard count >= leastRows, rows.count - count >= leastRows, value > best.value else { continue }
            best = (value, groups[index].bin)
        }
        return best
    }

    /// The value of the best tree of depth at most 1 on the first group, on the first two, and so on.
    ///
    /// Column by column, so that the sums of one stay in the cache.
    private func stumpValues(_ groups: [[Int32]], _ context: ExecutionContext) throws(MetaLearnersError)
        -> [Double]
    {
        var totals = scores.map { _ in [Double](repeating: 0, count: groups.count) }
        for (arm, scores) in scores.enumerated() {
            var sum = 0.0
            for (index, group) in groups.enumerated() {
                for row in group { sum += scores[Int(row)] }
                totals[arm][index] = sum
            }
        }
        var best = groups.indices.map { index in totals.reduce(-.infinity) { max($0, $1[index]) } }
        for first in scores.indices {
            for second in scores.indices where second > first {
                let differences = zip(scores[first], scores[second]).map { $0 - $1 }
                for column in columns {
                    try context.checkCancellation()
                    let tree = PrefixExtremes(bins: column.uppers.count)
                    for (index, group) in groups.enumerated() {
                        for row in group { tree.add(differences[Int(row)], to: Int(column.bins[Int(row)])) }
                        let extremes = leastRows <= 1 ? tree.extremes : tree.extremes(leaving: leastRows)
                        guard let extremes else { continue }
                        // The first arm on the left of the split and the second on its right, or the other way round.
                        best[index] = max(
                            best[index], totals[second][index] + extremes.largest,
                            totals[first][index] - extremes.smallest)
                    }
                }
            }
        }
        return best
    }

    /// The rows of each bin that has any, in the order of bins.
    private func groups(_ rows: [Int32], by column: PolicyTreeColumn) -> [(bin: Int, rows: [Int32])] {
        var members = [[Int32]](repeating: [], count: column.uppers.count)
        for row in rows { members[Int(column.bins[Int(row)])].append(row) }
        return members.indices.compactMap { members[$0].isEmpty ? nil : ($0, members[$0]) }
    }
}
