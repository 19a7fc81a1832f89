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
        var outside = [Bool](repeating: false, count: propensities.first?.count ?? 0)
        var own = OverlapCount(self, armCount: propensities.count)
        for row in outside.indices { outside[row] = own.add(row) { propensities[$0][row] } }
        let all = try own.ofAllProcesses(distribution)
        let report = all.report(self, labels, isKnown: isKnown)
        guard all.outside > 0, !isKnown else { return (propensities, nil, report) }
        switch policy {
        case .clip:
            var clipped = propensities
            for arm in clipped.count == 2 ? [1] : Array(clipped.indices) {
                clipped[arm] = propensities[arm].map { min(max($0, low()), high()) }
            }
            if clipped.count == 2 { clipped[0] = clipped[1].map { 1 - $0 } }
            return (clipped, nil, report)
        case .trim:
            guard all.outside < all.rowCount else {
                throw MetaLearnersError(
                    .invalidData, at: "overlap", "no row has propensities within \(usedBounds)",
                    remedy: "widen overlap.bounds or use overlap.policy: clip")
            }
            return (propensities, outside.map { !$0 }, report)
        case .fail: throw outsideError(own, of: all, places)
        }
    }

    /// Which rows have propensities within the bounds.
    ///
    /// - Parameter propensities: for each arm, for each row.
    package func isWithin(_ propensities: [[Double]]) -> [Bool] {
        var count = OverlapCount(self, armCount: propensities.count)
        return (0..<(propensities.first?.count ?? 0)).map { row in
            !count.add(row) { propensities[$0][row] }
        }
    }

    /// The report of propensities that were counted and not kept, of which the policy changes none that anybody asks for.
    ///
    /// - Throws: as `apply`, but for what `trim` throws.
    func report(
        _ own: OverlapCount, _ labels: [String], _ places: RowPlaces, _ distribution: DistributedRows?
    ) throws(MetaLearnersError) -> OverlapReport {
        let all = try own.ofAllProcesses(distribution)
        guard all.outside == 0 || policy != .fail else { throw outsideError(own, of: all, places) }
        return all.report(self, labels, isKnown: false)
    }

    private func outsideError(_ own: OverlapCount, of all: OverlapCount, _ places: RowPlaces)
        -> MetaLearnersError
    {
        let first = own.firstOutside.map { ", the first is " + places.name($0) } ?? ""
        return MetaLearnersError(
            .invalidData, at: "overlap",
            "\(all.outside) of \(all.rowCount) rows have a propensity outside \(usedBounds)\(first)",
            remedy: "use overlap.policy: clip or trim, widen overlap.bounds, or leave these rows out")
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
