/// Which fold each row belongs to. One assignment serves a whole fit: every role, arm and stage.
public struct FoldAssignment: Sendable, Equatable {
    /// The fold of each row, from 0.
    public let folds: RowCodes
    /// How many folds there are.
    public let count: Int

    /// Uses folds drawn elsewhere.
    ///
    /// - Throws: `invalidArgument` for a fold number out of range or a fold without rows.
    public init(_ folds: [Int32], count: Int) throws(MetaLearnersError) {
        try self.init(RowCodes(folds), count: count)
    }

    /// Uses folds drawn elsewhere.
    ///
    /// - Throws: as `init(_:count:)`.
    public init(_ folds: RowCodes, count: Int) throws(MetaLearnersError) {
        // Checked before anything is allocated: more folds than rows leave some without rows.
        guard count >= 1, count <= folds.count else {
            throw MetaLearnersError(
                .invalidArgument, at: "folds", "there are \(count) folds for \(folds.count) rows")
        }
        var sizes = [Int](repeating: 0, count: count)
        for (row, fold) in folds.enumerated() {
            guard fold >= 0, fold < count else {
                throw MetaLearnersError(
                    .invalidArgument, at: "folds", "row index \(row) has fold \(fold), of \(count)")
            }
            sizes[Int(fold)] += 1
        }
        if let empty = sizes.firstIndex(of: 0) {
            throw MetaLearnersError(.invalidArgument, at: "folds", "fold \(empty) has no rows")
        }
        self.folds = folds
        self.count = count
    }

    /// Uses the folds of a part of the rows, in which some folds may have none.
    ///
    /// - Throws: `invalidArgument` for a fold number out of range.
    package init(part folds: RowCodes, count: Int) throws(MetaLearnersError) {
        guard count >= 1, folds.allSatisfy({ $0 >= 0 && $0 < count }) else {
            throw MetaLearnersError(.invalidArgument, at: "folds", "a row has a fold that there is not")
        }
        self.init(unchecked: folds, count: count)
    }

    /// Whether no fold is empty.
    package var hasRowsInEveryFold: Bool {
        count <= folds.count && Set(folds).count == count
    }

    /// Draws folds from `seed`: stratified by arm and by class of the outcome, whole clusters in one fold.
    ///
    /// Without clusters the rows of a stratum (an arm, a class), in their order, are cut into blocks of as many rows as there
    /// are folds, and the rows of a block go to the folds in an order that the seed, the stratum and the number of the block
    /// draw. A row's place in its stratum is all that has to be known of the other rows.
    ///
    /// - Throws: `invalidData` where an arm has fewer rows (or clusters) than there are folds.
    public init(_ dataset: CausalDataset, count: Int, seed: UInt64) throws(MetaLearnersError) {
        guard count >= 2 else {
            throw MetaLearnersError(
                .invalidSpec, at: "cross_fitting.folds", "is \(count), must be at least 2")
        }
        let arms = dataset.treatment.arms
        let clusterCount =
            try dataset.clusters.map { clusters throws(MetaLearnersError) in
                Int(try dataset.distribution.maximum([Double(clusters.max() ?? -1)])[0]) + 1
            }
        if let clusterCount {
            guard clusterCount >= count else {
                throw MetaLearnersError(
                    .invalidData, at: "data.cluster",
                    "there are \(clusterCount) clusters for \(count) folds, and a cluster is held out as a whole",
                    remedy: clusterCount > 1
                        ? "use fewer folds (cross_fitting.folds: \(clusterCount)), or name a column with more clusters"
                        : "name a column with more clusters")
            }
        }
        for (arm, rows) in dataset.armCounts.enumerated() where rows < count {
            let first = arms.firstIndex(of: Int32(arm)).map(dataset.covariates.places.name)
            throw MetaLearnersError(
                .invalidData, at: "treatment",
                "arm '\(dataset.treatment.labels[arm])' has \(rows) rows, fewer than the \(count) folds"
                    + (first.map { "; the first is " + $0 } ?? ""),
                remedy: "use fewer folds (cross_fitting.folds) or leave the arm out")
        }
        let classes = dataset.outcome.kind.classCount
        let outcome = dataset.outcome.numbers
        // (Found for each row as often as needed: a list of them would take more memory than the folds.)
        func stratum(_ row: Int) -> Int { Int(arms[row]) * classes + (classes > 1 ? Int(outcome[row]) : 0) }
        let strataCount = dataset.armCount * classes
        if let clusters = dataset.clusters, let clusterCount {
            var sizes = [Int](repeating: 0, count: clusterCount * strataCount)
            for (row, cluster) in clusters.enumerated() {
                sizes[Int(cluster) * strataCount + stratum(row)] += 1
            }
            sizes = try dataset.distribution.sum(sizes)
            var stream = RandomStream(seed: seed, path: Self.path)
            let foldOfCluster = Self.assignClusters(
                sizes.map(Double.init), clusterCount, strataCount, folds: count, &stream)
            folds = RowCodes(clusters.map { foldOfCluster[Int($0)] })
        } else {
            var sizes = [Int](repeating: 0, count: strataCount)
            for row in arms.indices { sizes[stratum(row)] += 1 }
            var before = [Int](repeating: 0, count: strataCount)
            if let distribution = dataset.distribution {
                (before, sizes) = try distribution.offsets(sizes)
            }
            folds = Self.assignRows(
                arms.count, stratum, sizes, before: before, folds: count, seed: seed)
        }
        self.count = count
        try requireEveryArm(outside: dataset)
    }

    private static let path: UInt64 = 0x464F_4C44

    /// The rows of the smallest stratum, an arm or an arm's class, of all processes; of clusters their number, where that is less.
    ///
    /// - Throws: what the collective throws.
    /// - Complexity: O(rows).
    package static func smallestStratum(of dataset: CausalDataset) throws(MetaLearnersError) -> Int {
        var least = dataset.armCounts.min() ?? 0
        let classes = dataset.outcome.kind.classCount
        if classes > 1 {
            var sizes = [Int](repeating: 0, count: dataset.armCount * classes)
            let outcome = dataset.outcome.numbers
            for (row, arm) in dataset.treatment.arms.enumerated() {
                sizes[Int(arm) * classes + Int(outcome[row])] += 1
            }
            least = try dataset.distribution.sum(sizes).filter { $0 > 0 }.min() ?? 0
        }
        guard let clusters = dataset.clusters else { return least }
        return min(
            least, Int(try dataset.distribution.maximum([Double(clusters.max() ?? -1)])[0]) + 1)
    }

    /// Draws the folds of so many repeats, each from a seed of its own that follows from `seed`. The first repeat has the
    /// folds that a single one would have.
    ///
    /// - Throws: as `init(_:count:seed:)`.
    public static func repeats(_ repeats: Int, _ dataset: CausalDataset, count: Int, seed: UInt64)
        throws(MetaLearnersError) -> [FoldAssignment]
    {
        guard count > 1 else { return [.none(rowCount: dataset.rowCount)] }
        var all: [FoldAssignment] = []
        for number in 0..<max(repeats, 1) {
            let own = number == 0 ? seed : RandomStream.derivedSeed(seed, 0x5245_5045, UInt64(number))
            all.append(try FoldAssignment(dataset, count: count, seed: own))
        }
        return all
    }

    /// No folds: nothing is held out.
    public static func none(rowCount: Int) -> FoldAssignment {
        FoldAssignment(unchecked: RowCodes([UInt8](repeating: 0, count: rowCount)), count: 1)
    }

    private init(unchecked folds: RowCodes, count: Int) {
        self.folds = folds
        self.count = count
    }

    /// Whether rows are held out; with one fold, models are asked for the very rows they were fitted to.
    public var isCrossFitted: Bool { count > 1 }

    /// The rows of `fold`, ascending.
    public func rows(in fold: Int) -> [Int32] {
        [Int32](0..<Int32(folds.count)) { folds[$0] == fold }
    }

    /// Those of `rows` that the models of `fold` are fitted to: the rows outside it, or, with one fold, all.
    public func trainingRows(_ rows: [Int32], for fold: Int) -> [Int32] {
        isCrossFitted ? [Int32](rows) { folds[$0] != fold } : rows
    }

    /// Deals the rows of each stratum out, block by block.
    ///
    /// - Parameters:
    ///   - stratumOfRow: the stratum of each of so many rows.
    ///   - sizes: how many rows each stratum has, those of other processes among them.
    ///   - places: how many of these come before the rows here.
    private static func assignRows(
        _ rowCount: Int, _ stratumOfRow: (_ row: Int) -> Int, _ sizes: [Int], before places: [Int],
        folds count: Int, seed: UInt64
    ) -> RowCodes {
        // The last block of a stratum has a row for some folds alone. These go on where those of the last stratum stopped, so
        // that folds differ by at most one row.
        var firstOfLast: [Int] = []
        var next = 0
        for size in sizes {
            firstOfLast.append(next)
            next = (next + size % count) % count
        }
        var places = places
        var order = [Int32](repeating: 0, count: count * sizes.count)
        var known = [Int](repeating: -1, count: sizes.count)
        return RowCodes(count: rowCount, below: count) { row in
            let stratum = stratumOfRow(row)
            let place = places[stratum]
            places[stratum] += 1
            let block = place / count
            if known[stratum] != block {
                known[stratum] = block
                let rows = min(count, sizes[stratum] - block * count)
                let first = rows < count ? firstOfLast[stratum] : 0
                var stream = RandomStream(seed: seed, path: path, UInt64(stratum), UInt64(block))
                for index in 0..<rows {
                    // Each row joins the order at a place that is drawn.
                    let other = stream.integer(below: index + 1)
                    order[stratum * count + index] = order[stratum * count + other]
                    order[stratum * count + other] = Int32((first + index) % count)
                }
            }
            return order[stratum * count + place % count]
        }
    }

    /// Gives clusters, the largest first, to the fold where the strata become most even.
    ///
    /// - Parameter sizes: how many rows each cluster has in each stratum, cluster by cluster.
    /// - Returns: the fold of each cluster.
    private static func assignClusters(
        _ sizes: [Double], _ clusterCount: Int, _ strataCount: Int, folds count: Int,
        _ stream: inout RandomStream
    ) -> [Int32] {
        let totals = (0..<strataCount).map { stratum in
            (0..<clusterCount).reduce(0.0) { $0 + sizes[$1 * strataCount + stratum] }
        }
        var order = Array(0..<clusterCount)
        stream.shuffle(&order)
        let rows = (0..<clusterCount).map { cluster in
            sizes[cluster * strataCount..<(cluster + 1) * strataCount].reduce(0, +)
        }
        order.sort { rows[$0] > rows[$1] }  // Stable, so that equal ones stay in random order.
        var loads = [[Double]](repeating: [Double](repeating: 0, count: strataCount), count: count)
        var foldOfCluster = [Int32](repeating: 0, count: clusterCount)
        for cluster in order {
            var best = 0
            var least = Double.infinity
            for fold in 0..<count {
                // The growth of the sum of squared shares; it is least where the cluster is needed most.
                var growth = 0.0
                for stratum in 0..<strataCount where totals[stratum] > 0 {
                    let added = sizes[cluster * strataCount + stratum] / totals[stratum]
                    growth += added * (2 * loads[fold][stratum] / totals[stratum] + added)
                }
                // (Of folds that are as good, the emptiest: one without rows would be left so.)
                if growth < least
                    || growth == least && loads[fold].reduce(0, +) < loads[best].reduce(0, +)
                {
                    least = growth
                    best = fold
                }
            }
            foldOfCluster[cluster] = Int32(best)
            for stratum in 0..<strataCount {
                loads[best][stratum] += sizes[cluster * strataCount + stratum]
            }
        }
        return foldOfCluster
    }

    /// Checks that each arm occurs outside each fold, and that no fold is empty.
    package func requireEveryArm(outside dataset: CausalDataset) throws(MetaLearnersError) {
        var counts = [Int](repeating: 0, count: count * dataset.armCount)
        for row in folds.indices {
            counts[Int(folds[row]) * dataset.armCount + Int(dataset.treatment.arms[row])] += 1
        }
        if let distribution = dataset.distribution { counts = try distribution.sum(counts) }
        let totals = dataset.armCounts
        try requireWeights(outside: dataset)
        for fold in 0..<count {
            let ofFold = counts[fold * dataset.armCount..<(fold + 1) * dataset.armCount]
            guard ofFold.contains(where: { $0 > 0 }) else {
                throw MetaLearnersError(
                    .invalidData, at: "cross_fitting.folds",
                    "fold \(fold) has no rows",
                    remedy: "use fewer folds")
            }
            for (arm, rows) in ofFold.enumerated() where rows == totals[arm] {
                throw MetaLearnersError(
                    .invalidData, at: "treatment",
                    "every row of arm '\(dataset.treatment.labels[arm])' is in fold \(fold)",
                    remedy: "clusters that hold a whole arm cannot be cross-fitted: use other clusters")
            }
        }
    }

    /// Checks that outside each fold every arm has a row that counts.
    private func requireWeights(outside dataset: CausalDataset) throws(MetaLearnersError) {
        guard let weights = dataset.weights, count > 1 else { return }
        var counts = [Bool](repeating: false, count: count * dataset.armCount)
        for (row, arm) in dataset.treatment.arms.enumerated() where weights[row] > 0 {
            counts[Int(folds[row]) * dataset.armCount + Int(arm)] = true
        }
        if let distribution = dataset.distribution { counts = try distribution.any(counts) }
        let lacking = (0..<dataset.armCount).first { arm in
            (0..<count).count { counts[$0 * dataset.armCount + arm] } < 2
        }
        guard let arm = lacking else { return }
        throw MetaLearnersError(
            .invalidData, at: "weight",
            "every row of arm '\(dataset.treatment.labels[arm])' outside of one fold has weight 0",
            remedy: "leave the arm out, or give more of its rows weights")
    }
}

extension [Int32] {
    /// Those of `rows` that are wanted, in their order and in no more memory than they take.
    ///
    /// - Complexity: each row is asked for twice.
    @inlinable
    package init(_ rows: some Collection<Int32>, where isWanted: (_ row: Int) -> Bool) {
        let count = rows.count { isWanted(Int($0)) }
        self.init(unsafeUninitializedCapacity: count) { buffer, filled in
            for row in rows where isWanted(Int(row)) {
                buffer[filled] = row
                filled += 1
            }
        }
    }
}
