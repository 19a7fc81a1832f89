import MetaLearnersCore

/// The rows of a fit: those that trees are grown from, those held out, and how the threads share them.
struct TrainingRows {
    /// The rows to learn from, ascending; rows of weight 0 are none of them.
    let training: [Int32]
    /// The rows held out, for early stopping or for who chooses a number of rounds, ascending.
    let heldOut: [Int32]
    /// What a user must be told of them.
    let warnings: [String]
    /// One list of rows for each part of the work.
    let shards: [RowShard]
    private let rowSample: Double
    private let seed: UInt64

    /// Chooses the rows of `task`.
    ///
    /// - Parameters:
    ///   - judges: rows beside those of the task that are held out; nil where the spec says whether some of the task's are.
    ///   - parts: among how many parts of the work the rows are shared.
    /// - Throws: `outOfMemory`.
    init(_ task: TrainingTask, _ spec: TreesSpec, judgedBy judges: [Int32]? = nil, parts: Int)
        throws(MetaLearnersError)
    {
        let parting = HeldOutRows(
            task, share: spec.validationShare, patience: judges == nil ? spec.earlyStopping : 0)
        training = parting.learned
        if let judges {
            heldOut = task.weights.map { weights in judges.filter { weights[Int($0)] > 0 } } ?? judges
        } else {
            heldOut = parting.heldOut
        }
        warnings = parting.warnings
        rowSample = spec.rowSample
        seed = task.seed
        let parts = max(1, min(parts, training.count / 1024))
        let leaves =
            rowSample == 1 && spec.leafLimit <= LeafBytes.maximumLeaves
            ? try AlignedBuffer<UInt8>(uninitialized: task.features.rowCount + 64) : nil
        var shards: [RowShard] = []
        for part in 0..<parts {
            let slice = training[Self.range(part, of: parts, training.count)]
            var bytes: LeafBytes?
            if let leaves, LeafBytes.serve(slice) { bytes = try LeafBytes(slice, leaves: leaves) }
            shards.append(
                try RowShard(
                    trainingRows: slice.count, samplesRows: rowSample < 1,
                    heldOutRows: Self.range(part, of: parts, heldOut.count).count, bytes: bytes))
        }
        self.shards = shards
    }

    /// The positions within the training rows that a shard looks after.
    func range(ofShard shard: Int) -> Range<Int> { Self.range(shard, of: shards.count, training.count) }

    private static func range(_ part: Int, of parts: Int, _ count: Int) -> Range<Int> {
        part * count / parts..<(part + 1) * count / parts
    }

    /// Puts all rows into leaf 0, those that tree number `tree` does not see apart.
    func startTree(_ tree: Int, _ team: WorkTeam) {
        let sample = rowSample < 1 ? drawSample(tree) : nil
        team.run(shards.count) { index in
            let shard = shards[index]
            let range = range(ofShard: index)
            if let sample {
                shard.active.reset(ArraySlice(range.filter { sample[$0] }.map { training[$0] }))
                shard.idle.reset(ArraySlice(range.filter { !sample[$0] }.map { training[$0] }))
            } else {
                shard.active.reset(training[range])
                shard.idle.reset([])
            }
            shard.heldOut.reset(heldOut[Self.range(index, of: shards.count, heldOut.count)])
        }
    }

    /// The sum of `term` over the held-out rows, added up in an order that does not depend on the threads.
    func heldOutSum(_ team: WorkTeam, _ term: (_ row: Int) -> Double) -> Double {
        partials(of: heldOut, team, 0.0) { $0 += term($1) }.reduce(0, +)
    }

    /// What `add` makes of each stretch of 4,096 of `rows`, in order: what these come to does not depend on the threads.
    @inline(__always)
    func partials<Partial>(
        of rows: [Int32], _ team: WorkTeam, _ initial: Partial, _ add: (inout Partial, _ row: Int) -> Void
    ) -> [Partial] {
        let blockSize = 4096
        var partials = [Partial](repeating: initial, count: (rows.count + blockSize - 1) / blockSize)
        partials.withUnsafeMutableBufferPointer { buffer in
            let partials = DisjointWrites(buffer)
            team.run(partials.count) { block in
                var partial = initial
                for row in rows[block * blockSize..<min(rows.count, (block + 1) * blockSize)] {
                    add(&partial, Int(row))
                }
                partials[block] = partial
            }
        }
        return partials
    }

    /// Which of the training rows tree number `tree` sees.
    private func drawSample(_ tree: Int) -> [Bool] {
        var isDrawn = [Bool](repeating: false, count: training.count)
        var stream = RandomStream(seed: seed, path: 0x524F_5753, UInt64(tree))
        let wanted = max(1, Int((rowSample * Double(training.count)).rounded()))
        stream.select(wanted, of: training.count) { isDrawn[$0] = $1 }
        return isDrawn
    }
}
