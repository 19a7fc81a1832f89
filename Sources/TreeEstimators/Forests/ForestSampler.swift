import MetaLearnersCore

/// Draws the rows of each tree.
///
/// What is drawn are units: rows, or whole clusters. The trees of a little bag share a random half of the units;
/// each draws its own from these. A tree's draw depends on the seed and its number alone, so that it can be
/// repeated to find which rows a tree did not see.
struct ForestSampler: Sendable {
    /// What decides the draws, beside the rows.
    struct Plan: Sendable, Equatable {
        let seed: UInt64
        let rowSample: Double
        let bootstrap: Bool
        /// The share of units for leaf values, nil where trees are not honest.
        let honestyShare: Double?
        let groupSize: Int
    }

    /// The rows of a tree: those that its splits are found from, and those that its leaf values are, each group
    /// in the order of the dataset (of clusters, where there are any).
    struct Draw {
        var structure: [Int32]
        /// Empty where both are the same rows.
        var estimation: [Int32]
    }

    let plan: Plan
    /// The rows to learn from, unit by unit.
    let rows: [Int32]
    /// Where each unit starts in `rows`, and where the last one ends; nil where every row is a unit.
    private let starts: [Int]?

    private var unitCount: Int { starts.map { $0.count - 1 } ?? rows.count }

    init(_ learned: ForestRows, _ plan: Plan) {
        self.plan = plan
        let rows = learned.rows
        guard let clusters = learned.clusters else {
            self.rows = rows
            starts = nil
            return
        }
        var members: [Int32: [Int32]] = [:]
        var order: [Int32] = []
        for row in rows {
            let cluster = clusters[Int(row)]
            if members[cluster] == nil { order.append(cluster) }
            members[cluster, default: []].append(row)
        }
        var starts = [0]
        var grouped: [Int32] = []
        for cluster in order {
            grouped += members[cluster] ?? []
            starts.append(grouped.count)
        }
        self.rows = grouped
        self.starts = starts
    }

    /// The stream of whatever tree number `tree` draws while it grows.
    func stream(tree: Int) -> RandomStream {
        RandomStream(seed: plan.seed, path: 0x464F_5245, 2, UInt64(tree))
    }

    /// The rows of tree number `tree`.
    func draw(tree: Int) -> Draw {
        var candidates = Array(0..<Int32(unitCount))
        if plan.groupSize > 1 {
            var stream = RandomStream(seed: plan.seed, path: 0x464F_5245, 0, UInt64(tree / plan.groupSize))
            candidates = Self.split(candidates, take: (unitCount + 1) / 2, &stream).taken
        }
        var stream = RandomStream(seed: plan.seed, path: 0x464F_5245, 1, UInt64(tree))
        let wanted = max(1, Int((plan.rowSample * Double(unitCount)).rounded()))
        if !plan.bootstrap {
            candidates = Self.split(candidates, take: min(wanted, candidates.count), &stream).taken
        }
        var halves = (taken: [Int32](), left: candidates)
        if let share = plan.honestyShare, candidates.count > 1 {
            let count = Int((share * Double(candidates.count)).rounded())
            halves = Self.split(candidates, take: min(max(count, 1), candidates.count - 1), &stream)
        }
        if plan.bootstrap {
            // Units are parted before they are drawn, so that none comes to be in both parts.
            let estimationCount = Int(
                (Double(wanted) * Double(halves.taken.count) / Double(candidates.count)).rounded())
            let drawn = max(1, wanted - estimationCount)
            halves.left = Self.redraw(halves.left, count: drawn, &stream)
            halves.taken = Self.redraw(halves.taken, count: max(1, estimationCount), &stream)
        }
        return Draw(structure: expanded(halves.left), estimation: expanded(halves.taken))
    }

    /// Parts `items` at random, each part in order.
    private static func split(_ items: [Int32], take: Int, _ stream: inout RandomStream) -> (
        taken: [Int32], left: [Int32]
    ) {
        var taken: [Int32] = []
        var left: [Int32] = []
        taken.reserveCapacity(take)
        left.reserveCapacity(items.count - take)
        stream.select(take, of: items.count) { position, isDrawn in
            if isDrawn { taken.append(items[position]) } else { left.append(items[position]) }
        }
        return (taken, left)
    }

    /// `count` of `items`, drawn with replacement, in order.
    private static func redraw(_ items: [Int32], count: Int, _ stream: inout RandomStream) -> [Int32] {
        guard !items.isEmpty else { return [] }
        var counts = [Int32](repeating: 0, count: items.count)
        for _ in 0..<count { counts[stream.integer(below: items.count)] += 1 }
        return zip(items, counts).flatMap { [Int32](repeating: $0, count: Int($1)) }
    }

    private func expanded(_ units: [Int32]) -> [Int32] {
        guard let starts else { return units.map { rows[Int($0)] } }
        return units.flatMap { rows[starts[Int($0)]..<starts[Int($0) + 1]] }
    }
}

/// What tells whether rows are those that a forest was trained on, in their order.
struct ForestFingerprint: Sendable, Equatable {
    let rowCount: Int
    /// A hash (FNV-1a, 64 bits) of the rows' numbers, drawn unit by unit.
    let hash: UInt64

    init(rowCount: Int, hash: UInt64) {
        self.rowCount = rowCount
        self.hash = hash
    }

    /// The fingerprint of rows that a forest learns from.
    ///
    /// - Parameter trained: these, unit by unit.
    init(_ rows: ForestRows, trained: [Int32]) {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for row in trained { hash = (hash ^ UInt64(UInt32(bitPattern: row))) &* 0x0000_0100_0000_01B3 }
        self.init(rowCount: rows.rowCount, hash: hash)
    }
}
