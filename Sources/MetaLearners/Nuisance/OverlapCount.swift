import MetaLearnersCore

/// How propensities stand to the bounds of an overlap policy, counted row by row and in any order.
struct OverlapCount: Sendable {
    /// The arms whose propensities are judged: of two the treated one alone, the other's being the rest.
    private let judged: [Int]
    private let armCount: Int
    private let bounds: ClosedRange<Double>
    /// Below and above the bounds, and the least and the greatest, of each judged arm.
    private var below: [Int]
    private var above: [Int]
    private var least: [Double]
    private var greatest: [Double]
    /// How many rows were counted, and how many are outside the bounds for any arm.
    private(set) var rowCount = 0
    private(set) var outside = 0
    /// The first row outside; nil where none is.
    private(set) var firstOutside: Int?

    init(_ policy: OverlapSpec, armCount: Int) {
        self.armCount = armCount
        judged = armCount == 2 ? [1] : Array(0..<armCount)
        bounds = policy.low()...max(policy.low(), policy.high())
        below = judged.map { _ in 0 }
        above = below
        least = judged.map { _ in .infinity }
        greatest = judged.map { _ in -.infinity }
    }

    /// Counts a row.
    ///
    /// - Returns: whether it is outside the bounds for any arm.
    @inline(__always)
    @discardableResult
    mutating func add(_ row: Int, _ propensity: (_ arm: Int) -> Double) -> Bool {
        var isOutside = false
        for (index, arm) in judged.enumerated() {
            let value = propensity(arm)
            least[index] = min(least[index], value)
            greatest[index] = max(greatest[index], value)
            if value < bounds.lowerBound {
                below[index] += 1
            } else if value > bounds.upperBound {
                above[index] += 1
            } else {
                continue
            }
            isOutside = true
        }
        rowCount += 1
        if isOutside {
            outside += 1
            firstOutside = min(firstOutside ?? row, row)
        }
        return isOutside
    }

    /// Counts rows, each with a propensity for every arm, one row after another.
    mutating func add(_ rows: ArraySlice<Int32>, _ propensities: [Double]) {
        let armCount = armCount
        for (position, row) in rows.enumerated() {
            add(Int(row)) { propensities[position * armCount + $0] }
        }
    }

    /// The counts of all processes, as far as the report goes.
    ///
    /// - Throws: what the other processes have to say.
    func ofAllProcesses(_ distribution: DistributedRows?) throws(MetaLearnersError) -> OverlapCount {
        guard let distribution else { return self }
        var all = self
        let counts = try distribution.sum(below + above + [outside])
        let ranges = try distribution.maximum(least.map { -$0 } + greatest)
        let arms = judged.count
        (all.below, all.above) = (Array(counts[..<arms]), Array(counts[arms..<2 * arms]))
        // (Of 0, which forests give, the negative would be −0.)
        (all.least, all.greatest) = (ranges[..<arms].map { 0 - $0 }, Array(ranges[arms...]))
        all.outside = counts.last ?? 0
        all.rowCount = distribution.rowCount
        return all
    }

    /// What the policy makes of the counts.
    func report(_ policy: OverlapSpec, _ labels: [String], isKnown: Bool) -> OverlapReport {
        OverlapReport(
            policy: policy.policy, bounds: policy.usedBounds,
            arms: judged.enumerated().map { index, arm in
                OverlapReport.Arm(
                    label: labels[arm],
                    range: least[index] <= greatest[index] ? least[index]...greatest[index] : 0...0,
                    below: below[index], above: above[index])
            }, touched: isKnown ? 0 : outside, isKnown: isKnown)
    }
}

/// Counts the propensities that nobody keeps, as models predict them.
final class OverlapWatch: Sendable {
    private let count: Lock<OverlapCount>

    init(_ policy: OverlapSpec, armCount: Int) { count = Lock(OverlapCount(policy, armCount: armCount)) }

    /// Counts the propensities of some rows, one for every arm. Several threads may call it at once.
    func add(_ rows: ArraySlice<Int32>, _ propensities: [Double]) {
        count.withLock { $0.add(rows, propensities) }
    }

    /// What was counted so far.
    var found: OverlapCount { count.withLock { $0 } }
}
