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
    /// How many rows there are to learn from, those of other processes among them.
    let totalCount: Int
    /// Whether any process holds rows out.
    let holdsOut: Bool
    /// What joins the processes that hold the rows; nil where there are no others.
    let distribution: DistributedRows?
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
        distribution = task.features.distribution
        let counts = [training.count, heldOut.count]
        let totals = try distribution?.sum(counts) ?? counts
        totalCount = totals[0]
        holdsOut = totals[1] > 0
        guard totalCount > 0 || distribution == nil else {
            throw MetaLearnersError(.invalidData, "there are no rows to learn from in any process")
        }
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
            if let leaves, LeafBytes.serve(slice) { bytes = LeafBytes(slice, leaves: leaves) }
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

    /// The exact sum of `term` over the held-out rows of all processes: it depends neither on threads nor on who holds which rows.
    ///
    /// - Throws: what the other processes of a collective fit have to say.
    func heldOutSum(_ team: WorkTeam, _ term: (_ row: Int) -> Double) throws(MetaLearnersError) -> Double {
        var sum = ExactSum()
        for partial in partials(of: heldOut, team, ExactSum(), { $0.add(term($1)) }) { sum.add(partial) }
        if let distribution { sum = try distribution.sum([sum])[0] }
        return sum.value
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

    /// A sum and a bound of the largest number over the rows of all processes; neither is negative.
    func ofAllProcesses(total: Int64, largest: Int64) throws(MetaLearnersError) -> (
        total: Int64, largest: Int64
    ) {
        guard let distribution else { return (total, largest) }
        let most = try distribution.maximum([largest, total == .max ? 1 : 0])
        guard rowSample < 1 else { return (total, most[0]) }
        // In halves, so that sums of large numbers do not overflow.
        let halves = try distribution.sum([total >> 32, total & 0xFFFF_FFFF])
        let (high, overflow) = (halves[0] + halves[1] >> 32).multipliedReportingOverflow(by: 1 << 32)
        return (overflow || most[1] > 0 ? .max : high + halves[1] & 0xFFFF_FFFF, most[0])
    }

    /// The totals of leaves over all processes.
    ///
    /// - Throws: what the other processes of a collective fit have to say.
    func ofAllProcesses(_ totals: [GradientTotals]) throws(MetaLearnersError) -> [GradientTotals] {
        guard let distribution else { return totals }
        let words = try distribution.sum(totals.flatMap { [$0.gradient, $0.hessian, $0.count] })
        return totals.indices.map { leaf in
            GradientTotals(
                gradient: words[3 * leaf], hessian: words[3 * leaf + 1], count: words[3 * leaf + 2])
        }
    }

    /// Which of the training rows tree number `tree` sees: each is drawn by its number among the rows of all processes.
    private func drawSample(_ tree: Int) -> [Bool] {
        let key = RandomStream.derivedSeed(seed, 0x524F_5753, UInt64(tree))
        let firstRow = distribution?.firstRow ?? 0
        return training.map { RandomStream.uniform(of: firstRow + Int($0), key: key) < rowSample }
    }
}
