/// Places of rows, so ordered that each fold of a cross-validation is a range.
package struct HeldOutFolds: Sendable, Equatable {
    /// The places of all rows: the folds one after another, ascending within each.
    package let order: [Int]
    /// Where each fold stands within `order`; none is empty, but where other processes hold its rows.
    package let ranges: [Range<Int>]

    /// One range for all of so many rows.
    package init(whole count: Int) {
        order = Array(0..<count)
        ranges = [0..<count]
    }

    /// Draws folds of even size from `seed`, whole clusters in one fold. There are fewer than `count` where there are
    /// fewer rows or clusters.
    ///
    /// Of rows that several processes hold, these are the folds that one process would draw of all of them.
    ///
    /// - Parameters:
    ///   - clusters: the cluster of each row of the features; read at `rows`.
    ///   - groups: the group of each of the rows, of which every fold gets its share where there are no clusters; nil
    ///     where all are alike.
    ///   - distribution: what joins the processes that hold the rows.
    /// - Throws: what the collective throws.
    /// - Complexity: O(rows of all processes), of four bytes each.
    package init(
        _ rows: [Int32], clusters: [Int32]?, groups: [Int32]? = nil, count: Int, seed: UInt64,
        _ distribution: DistributedRows? = nil
    ) throws(MetaLearnersError) {
        var stream = RandomStream(seed: seed, path: 0x5041_5448)
        let fold: [Int]
        let foldCount: Int
        if let clusters {
            (fold, foldCount) = try Self.foldsOfClusters(
                rows.map { Int(clusters[Int($0)]) }, count, &stream, distribution)
        } else {
            (fold, foldCount) = try Self.foldsOfRows(rows.count, groups, count, &stream, distribution)
        }
        var members = [[Int]](repeating: [], count: foldCount)
        for (place, fold) in fold.enumerated() { members[fold].append(place) }
        var order: [Int] = []
        var ranges: [Range<Int>] = []
        for fold in members {
            ranges.append(order.count..<order.count + fold.count)
            order += fold
        }
        self.order = order
        self.ranges = ranges
    }

    /// Gives clusters, the largest first, to the fold that has the fewest rows.
    private static func foldsOfClusters(
        _ clusters: [Int], _ count: Int, _ stream: inout RandomStream, _ distribution: DistributedRows?
    ) throws(MetaLearnersError) -> (fold: [Int], count: Int) {
        let last = try distribution.maximum([Double(clusters.max() ?? -1)])[0]
        var sizes = [Int](repeating: 0, count: Int(last) + 1)
        for cluster in clusters { sizes[cluster] += 1 }
        sizes = try distribution.sum(sizes)
        var members = sizes.indices.filter { sizes[$0] > 0 }
        stream.shuffle(&members)
        members.sort { sizes[$0] > sizes[$1] }  // Stable, so that equal ones stay in random order.
        var loads = [Int](repeating: 0, count: min(count, members.count))
        var foldOfCluster = [Int](repeating: 0, count: sizes.count)
        for cluster in members {
            guard let least = loads.indices.min(by: { loads[$0] < loads[$1] }) else { break }
            foldOfCluster[cluster] = least
            loads[least] += sizes[cluster]
        }
        return (clusters.map { foldOfCluster[$0] }, loads.count)
    }

    /// Deals rows out in random order, group by group.
    private static func foldsOfRows(
        _ own: Int, _ groups: [Int32]?, _ count: Int, _ stream: inout RandomStream,
        _ distribution: DistributedRows?
    ) throws(MetaLearnersError) -> (fold: [Int], count: Int) {
        let (before, total) = try distribution.offsets([own])
        guard let count32 = Int32(exactly: total[0]) else {
            throw MetaLearnersError(
                .unsupported, at: "selection",
                "draws folds of \(total[0]) rows, more than 2147483647", remedy: "name the penalty")
        }
        var places = (0..<count32).map(\.self)
        stream.shuffle(&places)
        if let groups {
            let ofAll = try distribution.gather(groups.map(Double.init))
            // Stable, so that a group's rows stay in random order.
            places.sort { ofAll[Int($0)] < ofAll[Int($1)] }
        }
        let foldCount = min(count, places.count)
        var fold = [Int](repeating: 0, count: own)
        for (index, place) in places.enumerated() {
            let row = Int(place) - before[0]
            if fold.indices.contains(row) { fold[row] = index % foldCount }
        }
        return (fold, foldCount)
    }
}
