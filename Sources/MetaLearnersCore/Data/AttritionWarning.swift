/// Whether outcomes are missing more often in one arm than in another (differential attrition): then those who are left of the arms are other
/// people, and no model of the outcome of those who are left mends that.
struct AttritionWarning {
    /// Shares that differ by less are of no account, however sure they are.
    private static let leastDifference = 0.03

    /// How many rows each arm has with an outcome, and how many without.
    private let kept: [Int]
    private let dropped: [Int]
    private let labels: [String]
    private let name: String
    /// How many rows there are to a cluster; 1 where rows are independent. Outcomes may be missing of whole clusters.
    private let clusterSize: Double

    /// Counts the rows of each arm. (A row without an outcome whose arm no other row has counts nowhere.)
    ///
    /// - Parameters:
    ///   - column: the treatment of all rows.
    ///   - rows: the rows that have an outcome, ascending; nil for all of them.
    ///   - treatment: that of these rows.
    /// - Throws: what the collective throws, of which every process calls this.
    init(
        _ column: Column, rows: [Int32]?, _ treatment: Treatment, clusterSize: Double,
        _ distribution: DistributedRows?
    ) throws(MetaLearnersError) {
        var counts = [Int](repeating: 0, count: 2 * treatment.armCount)
        for arm in treatment.arms { counts[Int(arm)] += 1 }
        if let rows {
            let keys = column.codes().map { codes in codes.map { Double($0) } } ?? column.values.doubles()
            var arms: [Double: Int32] = [:]
            for (row, arm) in zip(rows, treatment.arms) where arms.count < treatment.armCount {
                if arms[keys[Int(row)]] == nil { arms[keys[Int(row)]] = arm }
            }
            var next = 0
            for row in keys.indices {
                if next < rows.count, Int(rows[next]) == row {
                    next += 1
                } else if let arm = arms[keys[row]] {
                    counts[treatment.armCount + Int(arm)] += 1
                }
            }
        }
        if let distribution { counts = try distribution.sum(counts) }
        kept = Array(counts[..<treatment.armCount])
        dropped = Array(counts[treatment.armCount...])
        labels = treatment.labels
        name = column.name
        self.clusterSize = clusterSize
    }

    /// The arm that differs most from all others, beyond chance (three standard errors of two arms, and more of many), with the arm that differs
    /// most from it.
    var text: String? {
        let totals = zip(kept, dropped).map { Double($0 + $1) }
        let shares = zip(dropped, totals).map { $1 > 0 ? Double($0) / $1 : 0 }
        let arms = totals.indices.filter { totals[$0] > 0 }
        let (all, missing) = (totals.reduce(0, +), Double(dropped.reduce(0, +)))
        guard arms.count > 1 else { return nil }
        let distance = (9 + 2 * Double.log(Double(arms.count) / 2)).squareRoot()
        func error(_ first: Int, _ others: Double) -> Double {
            let pooled = missing / all
            return (pooled * (1 - pooled) * clusterSize * (1 / totals[first] + 1 / others)).squareRoot()
        }
        let odd = arms.filter { arm in
            let others = all - totals[arm]
            let difference = abs(shares[arm] - (missing - Double(dropped[arm])) / others)
            return difference >= Self.leastDifference && difference > distance * error(arm, others)
        }
        // Of these and the others the two that are furthest apart, of those that are large enough to be sure of.
        let pairs = odd.flatMap { arm in
            arms.filter { other in
                other != arm && abs(shares[arm] - shares[other]) > distance * error(arm, totals[other])
            }.map { (most: shares[arm] > shares[$0] ? arm : $0, least: shares[arm] > shares[$0] ? $0 : arm) }
        }
        guard
            let pair = pairs.max(by: {
                shares[$0.most] - shares[$0.least] < shares[$1.most] - shares[$1.least]
            })
        else { return nil }
        return
            "\(name): outcomes are missing of \(percent(shares[pair.most])) of arm '\(labels[pair.most])' and of \(percent(shares[pair.least])) of arm '\(labels[pair.least])': if what is missing has to do with the outcome, every effect is biased, and nothing here can tell"
    }

    private func percent(_ share: Double) -> String { "\((share * 1000).rounded() / 10) %" }
}
