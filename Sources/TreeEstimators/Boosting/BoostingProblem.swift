import MetaLearnersCore

/// What every kind of boosting needs: the task, the bins, the rows and the threads.
struct BoostingProblem {
    let task: TrainingTask
    let spec: TreesSpec
    let matrix: BinnedMatrix
    let rows: TrainingRows
    let team: WorkTeam
    let context: ExecutionContext
    /// Whether the rows held out are another's, who wants to know their loss after every round; else they end training early.
    var isJudged = false

    /// The bits of the number of training rows, those of other processes among them.
    var countBits: Int { Int.bitWidth - rows.totalCount.leadingZeroBitCount }

    /// The bits below the count in a cell of a histogram: the count never reaches the sign.
    var countShift: Int { 63 - countBits }

    /// Whether there are so many rows (2²⁷ and more) that the count must not share a word of a cell with another sum.
    var countsApart: Bool { countBits > 27 }

    /// Checks that sums have room for the rows.
    ///
    /// - Throws: `unsupported` for 2⁴⁰ rows and more.
    func requireRoom() throws(MetaLearnersError) {
        guard countBits <= 40 else {
            throw MetaLearnersError(
                .unsupported, "trees take fewer than 2^40 rows, not \(rows.totalCount)",
                remedy: "fit on a sample of the rows")
        }
    }

    /// Which columns tree number `tree` may split by.
    func columns(ofTree tree: Int) -> ColumnChoice {
        ColumnChoice(slotCount: matrix.slotFeatures.count, tree: tree, spec, seed: task.seed)
    }

    /// What decides the shape of trees; units are still to be set.
    ///
    /// - Throws: `invalidSpec` for a direction of a column that is not there, or that is of categories.
    func growthRules() throws(MetaLearnersError) -> GrowthRules {
        var rules = GrowthRules(spec)
        rules.countShift = Int64(countShift)
        guard !spec.monotone.isEmpty else { return rules }
        rules.directions = [Int8](repeating: 0, count: task.features.columns.count)
        let names = task.features.columns.map(\.name)
        for (name, direction) in spec.monotone {
            let place = SpecPath.root.appending("monotone").appending(name)
            guard let column = names.firstIndex(of: name) else {
                throw place.error(
                    "there is no such column", remedy: SpellingSuggestion.clause(for: name, in: names))
            }
            guard task.features.columns[column].levels == nil else {
                throw place.error("its values are categories, which have no order", remedy: "leave it out")
            }
            rules.directions[column] = direction == .increasing ? 1 : -1
        }
        return rules
    }

    /// What a round came to.
    enum Round {
        /// There is a tree more, at least.
        case grown
        /// No tree found a split.
        case barren
        /// Numbers are beyond what trees can be grown from.
        case overflow
    }

    /// Adds rounds to `builder` until all are done, none can add anything, or the loss of the rows held out has not
    /// fallen for too long; then only those up to the least loss are kept, but where another judges: then all, and their losses.
    ///
    /// - Parameters:
    ///   - heldOutLoss: that loss, up to a constant, after the rounds so far; asked only where there are such rows.
    ///   - grow: adds the trees of a round.
    /// - Throws: `cancelled`, and what `grow` throws.
    func boost(
        _ builder: inout EnsembleBuilder, heldOutLoss: () throws(MetaLearnersError) -> Double,
        _ grow: (_ round: Int, inout EnsembleBuilder) throws(MetaLearnersError) -> Round
    ) throws(MetaLearnersError) {
        var stopping: EarlyStopping?
        if rows.holdsOut {
            let loss = try heldOutLoss()
            stopping = EarlyStopping(
                patience: isJudged ? TreesSpec.patience : spec.earlyStopping, initialLoss: loss)
            builder.heldOutLosses = [loss]
        }
        // Where there is nobody to judge, whoever asked fits anew once the others have chosen.
        let most = isJudged && !rows.holdsOut ? 0 : spec.plainRounds
        rounds: for round in 0..<most {
            try context.checkCancellation()
            switch try grow(round, &builder) {
            case .grown: break
            // The next tree sees the same, unless it sees other rows or columns.
            case .barren: if !spec.isSampled { break rounds }
            case .overflow: break rounds
            }
            guard stopping != nil else { continue }
            let loss = try heldOutLoss()
            builder.heldOutLosses.append(loss)
            if stopping?.shouldStop(loss, rounds: round + 1) == true { break }
        }
        if let stopping {
            builder.keep(rounds: isJudged ? builder.heldOutLosses.count - 1 : stopping.bestRounds)
        }
    }

    /// The largest power of two that keeps `magnitude` times it at most 2^`bits`; 1 where the magnitude is 0.
    static func scale(_ magnitude: Double, bits: Int) -> Double {
        guard magnitude > 0, magnitude.isFinite else { return 1 }
        let exponent = bits - Int(magnitude.exponent) - 1
        return Double(sign: .plus, exponent: min(max(exponent, -1000), 1000), significand: 1)
    }
}

extension BoostingProblem {
    /// Calls `body` with each training row, then with each held-out row where `heldOutToo`; threads share the rows.
    @inline(__always)
    func eachRow(heldOutToo: Bool = true, _ body: (Int) -> Void) {
        let parts = rows.shards.count
        team.run(parts) { part in
            for rows in heldOutToo ? [rows.training, rows.heldOut] : [rows.training] {
                for row in rows[part * rows.count / parts..<(part + 1) * rows.count / parts] {
                    body(Int(row))
                }
            }
        }
    }

    /// Calls `body` with each training and held-out row and the leaf that the tree just grown puts it into.
    @inline(__always)
    func eachLeafOfRows(_ body: (_ leaf: Int, _ row: Int) -> Void) {
        team.run(rows.shards.count) { index in
            let shard = rows.shards[index]
            for list in [shard.active, shard.idle, shard.heldOut] {
                list.forEachRow(body)
            }
        }
    }

    /// The nearest integer of a number below 2^31, which ends up in the low bits of the sum.
    @inline(__always)
    static func rounded(_ value: Double) -> Int32 {
        Int32(truncatingIfNeeded: (value + 0x1.8p52).bitPattern)
    }
}
