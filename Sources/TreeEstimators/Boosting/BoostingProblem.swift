import MetaLearnersCore

/// What every kind of boosting needs: the task, the bins, the rows and the threads.
struct BoostingProblem {
    let task: TrainingTask
    let spec: TreesSpec
    let matrix: BinnedMatrix
    let rows: TrainingRows
    let team: WorkTeam
    let context: ExecutionContext

    /// The bits of the number of training rows.
    var countBits: Int { Int.bitWidth - rows.training.count.leadingZeroBitCount }

    /// The bits below the count in a cell of a histogram: the count never reaches the sign.
    var countShift: Int { 63 - countBits }

    /// Which columns tree number `tree` may split by, nil for all.
    func usableSlots(tree: Int) -> [Bool]? {
        let count = matrix.slotFeatures.count
        guard spec.columnSample < 1, count > 1 else { return nil }
        var stream = RandomStream(seed: task.seed, path: 0x434F_4C53, UInt64(tree))
        var order = Array(0..<count)
        stream.shuffle(&order)
        var usable = [Bool](repeating: false, count: count)
        for slot in order.prefix(max(1, Int((spec.columnSample * Double(count)).rounded()))) {
            usable[slot] = true
        }
        return usable
    }

    /// The largest power of two that keeps `magnitude` times it at most 2^`bits`; 1 where the magnitude is 0.
    static func scale(_ magnitude: Double, bits: Int) -> Double {
        guard magnitude > 0, magnitude.isFinite else { return 1 }
        let exponent = bits - Int(magnitude.exponent) - 1
        return Double(sign: .plus, exponent: min(max(exponent, -1000), 1000), significand: 1)
    }
}
