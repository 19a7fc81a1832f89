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

    /// Counts the rows of each arm, those of other processes among them: one may have all rows of an arm that have an outcome.
    ///
    /// - Parameters:
    ///   - column: the treatment of all rows.
    ///   - rows: the rows that have an outcome, ascending; nil for all of them.
    /// - Throws: what the collective throws, of which every process calls this.
    init(_ column: Column, rows: [Int32]?, _ distribution: DistributedRows?) throws(MetaLearnersError) {
        let arms = try column.asCategorical(distribution)
        labels = arms.levels ?? []
        var counts = [Int](repeating: 0, count: 2 * labels.count)
        var next = 0
        for (row, code) in (arms.codes() ?? []).enumerated() {
            let isKept = rows.map { next < $0.count && Int($0[next]) == row } ?? true
            if isKept { next += 1 }
            if code >= 0 { counts[Int(code) + (isKept ? 0 : labels.count)] += 1 }
        }
        if let distribution { counts = try distribution.sum(counts) }
        kept = Array(counts[..<labels.count])
        dropped = Array(counts[labels.count...])
        name = column.name
    }

    /// The arms of which rows are there, and none with an outcome.
    var lostArms: [String] { lost.map { labels[$0] } }

    /// That these arms have no outcome, as the reason why they cannot be compared; nil where there are none.
    var reason: String? {
        guard !lost.isEmpty else { return nil }
        let rows = lost.reduce(0) { $0 + dropped[$1] }
        return rows == 1
            ? "the only row of arm \(lostNames) lacks an outcome"
            : "all \(rows) rows of \(lost.count == 1 ? "arm" : "the arms") \(lostNames) lack an outcome"
    }

    /// What there is to tell.
    ///
    /// - Parameter clusters: the cluster of each row that has an outcome, by codes that all processes share; nil where rows are independent.
    /// - Throws: what the collective throws, of which every process calls this.
    func texts(clusters: [Int32]?, _ distribution: DistributedRows?) throws(MetaLearnersError) -> [String] {
        let ofLost =
            lost.isEmpty
            ? []
            : [
                "\(name): no row of \(lost.count == 1 ? "arm" : "the arms") \(lostNames) has an outcome: nothing can be said of \(lost.count == 1 ? "it" : "them")"
            ]
        let clusterSize = try clusterSize(clusters, distribution)
        return ofLost + [difference(clusterSize: clusterSize)].compactMap(\.self)
    }

    private var lost: [Int] { labels.indices.filter { kept[$0] == 0 && dropped[$0] > 0 } }

    private var lostNames: String {
        lost.prefix(6).map { "'\(labels[$0])'" }.joined(separator: ", ") + (lost.count > 6 ? ", …" : "")
    }

    /// How many rows there are to a cluster; 1 where rows are independent. Outcomes may be missing of whole clusters.
    private func clusterSize(_ clusters: [Int32]?, _ distribution: DistributedRows?)
        throws(MetaLearnersError) -> Double
    {
        guard let clusters else { return 1 }
        var own = Array(Set(clusters))
        if let distribution {
            own = Array(Set(try distribution.gather(own.map(Double.init)))).map { Int32($0) }
        }
        return Double(max(kept.reduce(0, +), 1)) / Double(max(own.count, 1))
    }

    /// The arm that differs most from all others, beyond chance (three standard errors of two arms, and more of many), with the arm that differs
    /// most from it.
    private func difference(clusterSize: Double) -> String? {
        let totals = zip(kept, dropped).map { Double($0 + $1) }
        let shares = zip(dropped, totals).map { $1 > 0 ? Double($0) / $1 : 0 }
        // (Of an arm without any outcome that is said already.)
        let arms = totals.indices.filter { kept[$0] > 0 }
        let all = arms.reduce(0) { $0 + totals[$1] }
        let missing = arms.reduce(0) { $0 + Double(dropped[$1]) }
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
