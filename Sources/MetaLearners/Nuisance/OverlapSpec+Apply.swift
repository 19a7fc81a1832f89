import MetaLearnersCore

extension OverlapSpec {
    /// Applies the policy to estimated propensities.
    ///
    /// With two arms the bounds hold for the treated arm, and the control's propensity stays the rest; with more,
    /// they hold for each arm by itself.
    ///
    /// - Parameters:
    ///   - propensities: for each arm, for each row.
    ///   - labels: the arms' labels.
    ///   - isKnown: whether the propensities are known by design; they are reported, and left alone.
    ///   - places: what errors call the rows.
    ///   - distribution: what joins the processes that hold the rows: counts are those of all.
    /// - Returns: the propensities to use, which rows have overlap (nil for all), and the counts.
    /// - Throws: `invalidData` where the policy is `fail` and a row is outside the bounds, or where `trim` leaves an
    ///   arm without rows.
    func apply(
        _ propensities: [[Double]], _ labels: [String], isKnown: Bool, _ places: RowPlaces = RowPlaces(),
        _ distribution: DistributedRows? = nil
    )
        throws(MetaLearnersError)
        -> (propensities: [[Double]], hasOverlap: [Bool]?, report: OverlapReport)
    {
        let judged = propensities.count == 2 ? [1] : Array(propensities.indices)
        var rowCount = propensities.first?.count ?? 0
        var outside = [Bool](repeating: false, count: rowCount)
        // Below and above by arm, then rows outside for any arm; the least (its negative) and the greatest by arm.
        var counts: [Int] = []
        var ranges: [Double] = []
        for arm in judged {
            var below = 0
            var above = 0
            var least = Double.infinity
            var greatest = -Double.infinity
            for (row, value) in propensities[arm].enumerated() {
                least = min(least, value)
                greatest = max(greatest, value)
                if value < low() { below += 1 } else if value > high() { above += 1 } else { continue }
                outside[row] = true
            }
            counts += [below, above]
            ranges += [-least, greatest]
        }
        counts.append(outside.reduce(0) { $0 + ($1 ? 1 : 0) })
        if let distribution {
            counts = try distribution.sum(counts)
            ranges = try distribution.maximum(ranges)
            rowCount = distribution.rowCount
        }
        let count = counts.last ?? 0
        let arms = judged.enumerated().map { index, arm in
            let (least, greatest) = (-ranges[2 * index], ranges[2 * index + 1])
            return OverlapReport.Arm(
                label: labels[arm], range: least <= greatest ? least...greatest : 0...0,
                below: counts[2 * index], above: counts[2 * index + 1])
        }
        let report = OverlapReport(
            policy: policy, bounds: bounds, arms: arms, touched: isKnown ? 0 : count, isKnown: isKnown)
        guard count > 0, !isKnown else { return (propensities, nil, report) }
        switch policy {
        case .clip:
            var clipped = propensities
            for arm in judged { clipped[arm] = propensities[arm].map { min(max($0, low()), high()) } }
            if clipped.count == 2 { clipped[0] = clipped[1].map { 1 - $0 } }
            return (clipped, nil, report)
        case .trim:
            guard count < rowCount else {
                throw MetaLearnersError(
                    .invalidData, at: "overlap", "no row has propensities within \(bounds)",
                    remedy: "widen overlap.bounds or use overlap.policy: clip")
            }
            return (propensities, outside.map { !$0 }, report)
        case .fail:
            let first = outside.firstIndex(of: true).map { ", the first is " + places.name($0) } ?? ""
            throw MetaLearnersError(
                .invalidData, at: "overlap",
                "\(count) of \(rowCount) rows have a propensity outside \(bounds)\(first)",
                remedy: "use overlap.policy: clip or trim, widen overlap.bounds, or leave these rows out")
        }
    }
}

extension OverlapReport {
    /// From this share of rows outside the bounds on, averages over all rows rest on extrapolation.
    private static let doubtfulShare = 0.1

    /// What the user should know of a fit to so many rows.
    package func warnings(rowCount: Int) -> [String] {
        guard touched > 0 else { return [] }
        let verb = policy == .trim ? "left out" : "clipped"
        var notes = [
            "overlap: \(touched) of \(rowCount) rows have a propensity outside \(bounds) and were \(verb)"
        ]
        guard Double(touched) >= Self.doubtfulShare * Double(rowCount) else { return notes }
        let percent = Int((100 * Double(touched) / Double(rowCount)).rounded())
        notes.append(
            policy == .trim
                ? "overlap: average effects are those of the \(100 - percent) % of rows that were kept, not of all rows"
                : "overlap: \(percent) % of the rows have next to no counterpart in the other arm, so that average effects "
                    + "over all rows are extrapolation, which their intervals do not cover; overlap.policy: trim keeps "
                    + "to the rows that can be compared")
        return notes
    }
}
