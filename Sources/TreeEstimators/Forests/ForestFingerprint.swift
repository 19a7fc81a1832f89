import MetaLearnersCore

/// What tells whether rows are those that a forest was trained on, in their order.
struct ForestFingerprint: Sendable, Equatable {
    let rowCount: Int
    /// A hash (FNV-1a, 64 bits) of the rows' numbers, drawn unit by unit.
    let hash: UInt64

    init(rowCount: Int, hash: UInt64) {
        self.rowCount = rowCount
        self.hash = hash
    }

    /// The fingerprint of a task of which the rows `trained` have a weight.
    init(_ task: TrainingTask, trained: [Int32]) {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for row in trained { hash = (hash ^ UInt64(UInt32(bitPattern: row))) &* 0x0000_0100_0000_01B3 }
        self.init(rowCount: task.features.rowCount, hash: hash)
    }
}
