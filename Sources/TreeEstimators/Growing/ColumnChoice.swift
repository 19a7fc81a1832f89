import MetaLearnersCore

/// Which columns the splits of a tree may be by: a share of all columns, drawn for the tree, and of these a share that
/// is drawn for each leaf.
struct ColumnChoice: Sendable {
    private let slots: [Int]
    private let slotCount: Int
    private let nodeShare: Double
    private let seed: UInt64
    private let tree: UInt64

    /// Draws the columns of tree number `tree`.
    init(slotCount: Int, tree: Int, _ spec: TreesSpec, seed: UInt64) {
        self.slotCount = slotCount
        self.seed = seed
        self.tree = UInt64(tree)
        nodeShare = spec.columnSampleNode
        var order = Array(0..<slotCount)
        if spec.columnSample < 1, slotCount > 1 {
            var stream = RandomStream(seed: seed, path: 0x434F_4C53, UInt64(tree))
            stream.shuffle(&order)
            order.removeSubrange(max(1, Int((spec.columnSample * Double(slotCount)).rounded()))...)
        }
        slots = order
    }

    /// Which slots the leaf with this number may be split by, nil for all.
    func usable(node: Int) -> [Bool]? {
        var chosen = slots
        if nodeShare < 1, slots.count > 1 {
            var stream = RandomStream(seed: seed, path: 0x434F_4C4E, tree, UInt64(node))
            stream.shuffle(&chosen)
            chosen.removeSubrange(max(1, Int((nodeShare * Double(slots.count)).rounded()))...)
        }
        guard chosen.count < slotCount else { return nil }
        var usable = [Bool](repeating: false, count: slotCount)
        for slot in chosen { usable[slot] = true }
        return usable
    }
}
