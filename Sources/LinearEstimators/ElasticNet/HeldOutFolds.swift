import MetaLearnersCore

/// Places of rows, so ordered that each fold of a cross-validation is a range.
struct HeldOutFolds: Sendable, Equatable {
    /// The places of all rows: the folds one after another, ascending within each.
    let order: [Int]
    /// Where each fold stands within `order`; none is empty.
    let ranges: [Range<Int>]

    /// One range for all of so many rows.
    init(whole count: Int) {
        order = Array(0..<count)
        ranges = [0..<count]
    }

    /// Draws folds of even size from `seed`, whole clusters in one fold. There are fewer than `count` where there are
    /// fewer rows or clusters.
    ///
    /// - Parameters:
    ///   - clusters: the cluster of each row of the features; read at `rows`.
    ///   - groups: the group of each of the rows, of which every fold gets its share where there are no clusters; nil
    ///     where all are alike.
    init(_ rows: [Int32], clusters: [Int32]?, groups: [Int32]? = nil, count: Int, seed: UInt64) {
        var stream = RandomStream(seed: seed, path: 0x5041_5448)
        var folds: [[Int]]
        if let clusters {
            var byCluster: [Int32: [Int]] = [:]
            for (place, row) in rows.enumerated() { byCluster[clusters[Int(row)], default: []].append(place) }
            var members = byCluster.sorted { $0.key < $1.key }.map(\.value)
            stream.shuffle(&members)
            members.sort { $0.count > $1.count }  // Stable, so that equal ones stay in random order.
            folds = [[Int]](repeating: [], count: min(count, members.count))
            for cluster in members {
                guard let least = folds.indices.min(by: { folds[$0].count < folds[$1].count }) else { break }
                folds[least] += cluster
            }
        } else {
            var places = Array(rows.indices)
            stream.shuffle(&places)
            // Stable, so that a group's rows stay in random order.
            if let groups { places.sort { groups[$0] < groups[$1] } }
            folds = [[Int]](repeating: [], count: min(count, places.count))
            for (index, place) in places.enumerated() { folds[index % folds.count].append(place) }
        }
        var order: [Int] = []
        var ranges: [Range<Int>] = []
        for fold in folds {
            ranges.append(order.count..<order.count + fold.count)
            order += fold.sorted()
        }
        self.order = order
        self.ranges = ranges
    }
}
