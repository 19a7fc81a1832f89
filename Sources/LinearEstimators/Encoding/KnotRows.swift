import MetaLearnersCore

/// The rows whose values decide where the knots of curves stand: all that are learnt from, or, where they are many, one of each
/// of so many equal stretches of them. Several processes choose the rows that one would choose.
struct KnotRows: Sendable {
    /// The most rows: quantiles of more are the same to a thousandth of their rank.
    static let limit = 1 << 18
    /// Names the stream that rows are drawn from; frozen.
    private static let path: UInt64 = 0x4B4E_4F54

    /// Places among the rows that this process learns from, ascending; nil for all.
    let places: [Int]?
    /// The weights of the rows of all processes.
    let weights: [Double]
    private let distribution: DistributedRows?

    /// Chooses the rows.
    ///
    /// - Parameters:
    ///   - weights: one for each row that this process learns from.
    ///   - limit: the most rows.
    /// - Throws: what the collective throws.
    init(_ own: [Double], limit: Int = Self.limit, _ distribution: DistributedRows?) throws(MetaLearnersError)
    {
        let (before, total) = try distribution.offsets([own.count])
        places =
            total[0] > limit ? Self.drawn(limit, of: total[0], own: before[0]..<before[0] + own.count) : nil
        weights = try distribution.gather(places.map { $0.map { own[$0] } } ?? own)
        self.distribution = distribution
    }

    /// One row of each stretch, of those that are here.
    private static func drawn(_ count: Int, of total: Int, own: Range<Int>) -> [Int] {
        var stream = RandomStream(seed: 0, path: path)
        return (0..<count).compactMap { part in
            let first = part * total / count
            let row = first + stream.integer(below: (part + 1) * total / count - first)
            return own.contains(row) ? row - own.lowerBound : nil
        }
    }

    /// The numbers of all processes at these rows, given those of the rows that this process learns from.
    ///
    /// - Throws: what the collective throws.
    func values(_ own: [Double]) throws(MetaLearnersError) -> [Double] {
        try distribution.gather(places.map { $0.map { own[$0] } } ?? own)
    }
}
