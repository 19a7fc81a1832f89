import MetaLearnersCore

/// Boosting of a quadratic loss.
///
/// A row's gradient is kept on a grid of integers and falls by Hessian × leaf value when a tree is added, leaf values
/// being on a grid too: nothing is ever rounded again, and no score needs to be kept.
struct QuadraticBoosting {
    let problem: BoostingProblem
    let loss: QuadraticLoss

    /// Fits the trees.
    ///
    /// - Throws: `cancelled`, `outOfMemory`, `unsupported` for more rows than sums have room for.
    func fit(_ builder: inout EnsembleBuilder) throws(MetaLearnersError) {
        try problem.requireRoom()
        let n = Double(problem.rows.totalCount)
        let largestValue = loss.largestValue
        if !(1e-18...1e18).contains(largestValue) {
            builder.valueScale = 1 / BoostingProblem.scale(largestValue, bits: 0)
        }
        let room = problem.countShift
        if let weight = loss.commonWeight {
            // |Σ r| ≤ √(n Σ r²) for any rows, and that bound falls from tree to tree. Rounding to the grid adds at most
            // half a unit a row, for which a bit is left.
            let bound = (n * loss.loss / weight).squareRoot()
            let typical = (loss.loss / weight / n).squareRoot()
            func scale(bits: Int) -> Double {
                min(
                    BoostingProblem.scale(bound, bits: bits),
                    BoostingProblem.scale(loss.largestResidual, bits: 29))
            }
            let packed = scale(bits: room - 2)
            if typical * packed >= Self.leastTypical(rows: problem.rows.totalCount) {
                return try fitSingle(
                    PackedCell.self, weight: weight, scale: packed, sumBits: room - 1, &builder)
            }
            let apart = scale(bits: 60)
            if problem.rows.totalCount >= Self.manyRows, typical * apart >= 4096 {
                return try fitSingle(
                    SingleApartCell.self, weight: weight, scale: apart, sumBits: 61, &builder)
            }
        }
        if problem.countsApart {
            return try fitWide(WideApartCell.self, hessianBits: apartHessianBits, &builder) { SIMD2($0, $1) }
        }
        if loss.regressor == nil, try fitWeighted(&builder) { return }
        let shift = Int64(room)
        try fitWide(WideCell.self, hessianBits: room - 1, &builder) {
            WideCell.row(gradient: $0, hessian: $1, countShift: shift)
        }
    }

    /// The bits of a sum of Hessians in cells that count apart. A sum of gradients, which are products of Hessian and residual, has 60
    /// bits, of which residuals keep 20 (16 for 2⁴⁰ rows). So the Hessian of a row has 11 bits on average for 2²⁸ rows and 5 for 2³⁴; rounding
    /// it is no more than noise, of which so many rows have little.
    private var apartHessianBits: Int { problem.countBits + max(4, 40 - problem.countBits) }

    /// How many units of the grid of packed rows a typical residual must have. Sums of more rows leave it fewer bits, and so many rows
    /// need fewer: rounding a row's residual by a thousandth of its size changes the mean of a leaf by next to nothing, and leaf values that
    /// are rounded as coarsely are made good by the next tree, as residuals move by the rounded ones.
    private static func leastTypical(rows: Int) -> Double { rows < manyRows ? 4096 : 512 }

    private static let manyRows = 1 << 24

    /// Fits by residuals of 32 bits, all of one weight.
    private func fitSingle<Cell: QuadraticCell>(
        _: Cell.Type, weight: Double, scale: Double, sumBits: Int, _ builder: inout EnsembleBuilder
    ) throws(MetaLearnersError) where Cell.Row == Int32 {
        var grid = Grid(step: scale, hessian: 1)
        grid.weight = weight
        grid.sumLimit = 1 << Int64(sumBits)
        grid.rowLimit = 1 << 30
        let gradients = try AlignedBuffer<Int32>(uninitialized: problem.matrix.rowCount)
        fill(gradients) { Int32(clamping: Self.rounded(loss.residual($0) * scale)) }
        try boost(Cell.self, gradients, grid, &builder)
    }

    /// Fits by residuals of 32 bits with weights of 32 bits, where their grid is fine enough.
    private func fitWeighted(_ builder: inout EnsembleBuilder) throws(MetaLearnersError) -> Bool {
        let hessianScale = min(
            BoostingProblem.scale(loss.hessian.sum, bits: problem.countShift - 1),
            BoostingProblem.scale(loss.hessian.largest, bits: 30))
        let bound = (loss.hessian.sum * loss.loss).squareRoot()
        let step = min(
            BoostingProblem.scale(bound, bits: 60) / hessianScale,
            BoostingProblem.scale(loss.largestResidual, bits: 29))
        let typical = (loss.loss / loss.hessian.sum).squareRoot()
        guard typical * step >= 65_536 else { return false }
        var grid = Grid(step: step, hessian: hessianScale)
        grid.sumLimit = 1 << 61
        grid.rowLimit = 1 << 30
        let gradients = try AlignedBuffer<SIMD2<Int32>>(uninitialized: problem.matrix.rowCount)
        fill(gradients) { row in
            SIMD2(
                Int32(clamping: Self.rounded(loss.residual(row) * step)),
                Int32(clamping: Self.rounded(loss.weight(row) * hessianScale)))
        }
        try boost(WeightedCell.self, gradients, grid, &builder)
        return true
    }

    /// Fits by gradients and Hessians of 64 bits.
    ///
    /// - Parameters:
    ///   - hessianBits: of a sum of Hessians over all rows.
    ///   - makeRow: what is stored of a row, of its gradient and Hessian.
    private func fitWide<Cell: QuadraticCell>(
        _: Cell.Type, hessianBits: Int, _ builder: inout EnsembleBuilder,
        _ makeRow: (_ gradient: Int64, _ hessian: Int64) -> Cell.Row
    ) throws(MetaLearnersError) {
        let uniform = loss.commonWeight
        let hessianScale =
            uniform.map { 1 / $0 }
            ?? min(
                BoostingProblem.scale(loss.hessian.sum, bits: hessianBits),
                BoostingProblem.scale(loss.hessian.largest, bits: 31))
        let bound = (loss.hessian.sum * loss.loss).squareRoot()
        let scale = BoostingProblem.scale(bound, bits: 60)
        var grid = Grid(step: scale / hessianScale, hessian: hessianScale)
        grid.sumLimit = 1 << 61
        grid.rowLimit = 1 << 61
        let gradients = try AlignedBuffer<Cell.Row>(uninitialized: problem.matrix.rowCount)
        fill(gradients) { row in
            let weight = loss.weight(row)
            let factor = loss.regressor(row)
            let hessian = Self.rounded(weight * factor * factor * hessianScale)
            // With regressor 1 a row of weight 2 is to the bit two rows of weight 1.
            let gradient =
                loss.regressor == nil
                ? hessian &* Self.rounded(loss.residual(row) * grid.step)
                : Self.rounded(weight * factor * loss.residual(row) * scale)
            return makeRow(gradient, hessian)
        }
        try boost(Cell.self, gradients, grid, &builder)
    }

    /// The units of the integers.
    private struct Grid: Sendable {
        /// How many units of a leaf value are 1.
        var step: Double
        /// How many units of a Hessian are 1.
        let hessian: Double
        /// What the weight of each row is multiplied by, not being part of the integers.
        var weight = 1.0
        /// What Σ |gradient| and the largest word that moves must stay below.
        var sumLimit: Int64 = 0
        var rowLimit: Int64 = 0

        init(step: Double, hessian: Double) {
            self.step = step
            self.hessian = hessian
        }
    }

    private static func rounded(_ value: Double) -> Int64 {
        value.isNaN ? 0 : Int64(min(max(value, -0x1p62), 0x1p62).rounded())
    }

    private func fill<Row>(_ gradients: AlignedBuffer<Row>, _ make: (Int) -> Row) {
        let parts = problem.rows.shards.count
        problem.team.run(parts) { part in
            for rows in [problem.rows.training, problem.rows.heldOut] {
                for row in rows[part * rows.count / parts..<(part + 1) * rows.count / parts] {
                    gradients.start[Int(row)] = make(Int(row))
                }
            }
        }
    }

    private func boost<Cell: QuadraticCell>(
        _: Cell.Type, _ gradients: AlignedBuffer<Cell.Row>, _ initial: Grid, _ builder: inout EnsembleBuilder
    ) throws(MetaLearnersError) {
        let spec = problem.spec
        var grid = initial
        var rules = try problem.growthRules()
        rules.hessianUnit = grid.weight / grid.hessian
        rules.gradientUnit = rules.hessianUnit / grid.step
        let grower = try TreeGrower<Cell>(
            problem.matrix, rules, problem.rows, gradients: gradients,
            carriesRoot: spec.rowSample == 1, problem.team)
        var heldOutLoss = 0.0
        try problem.boost(&builder, heldOutLoss: { heldOutLoss }) {
            round, builder throws(MetaLearnersError) in
            problem.rows.startTree(round, problem.team)
            let tree = try grower.grow(problem.columns(ofTree: round))
            guard !tree.splits.isEmpty else { return .barren }
            let steps = zip(tree.leaves, tree.bounds).map {
                Self.rounded(spec.learningRate * grower.rules.optimum($0, within: $1) * grid.step)
            }
            builder.add(
                tree, values: steps.map { Float(Double($0) / grid.step / builder.valueScale) }, output: 0,
                round: round, gainUnit: grower.rules.gainUnit)
            let sums = advance(grower, steps)
            grower.advanceRoot(by: steps)
            if problem.rows.holdsOut {
                for (totals, step) in zip(try problem.rows.ofAllProcesses(sums.heldOut), steps) {
                    let value = Double(step) / grid.step
                    heldOutLoss +=
                        value * value * Double(totals.hessian) * rules.hessianUnit
                        - 2 * value * Double(totals.gradient) * grower.rules.gradientUnit
                }
            }
            let (total, largest) = try problem.rows.ofAllProcesses(total: sums.total, largest: sums.largest)
            if total >= grid.sumLimit || largest >= grid.rowLimit {
                fill(gradients) { Cell.halved(gradients.start[$0]) }
                grower.forgetRoot()
                grid.step /= 2
                grower.rules.gradientUnit *= 2
            }
            return .grown
        }
    }

    /// Adds the tree to the rows' predictions.
    private func advance<Cell: QuadraticCell>(_ grower: TreeGrower<Cell>, _ steps: [Int64]) -> Sums {
        let none = [GradientTotals](repeating: GradientTotals(), count: steps.count)
        var parts = [Sums](repeating: Sums(heldOut: none), count: grower.shards.count)
        parts.withUnsafeMutableBufferPointer { buffer in
            let parts = DisjointWrites(buffer)
            problem.team.run(grower.shards.count) { index in
                // Whoever sees every row lowers the loss, and with it the bound of the sums, in every tree.
                if problem.spec.rowSample < 1 {
                    parts[index].addSampled(grower.shards[index], grower, steps)
                } else {
                    parts[index].largest = advanceAll(grower.shards[index].active, grower, steps)
                }
            }
            guard !problem.rows.heldOut.isEmpty else { return }
            // Held-out rows lie between others, which were passed over just now.
            problem.team.run(grower.shards.count) { index in
                parts[index].addHeldOut(grower.shards[index].heldOut, grower, steps)
            }
        }
        return parts.dropFirst().reduce(into: parts[0]) { all, part in
            let (total, overflow) = all.total.addingReportingOverflow(part.total)
            all.total = overflow ? .max : total
            all.largest |= part.largest
            all.heldOut = zip(all.heldOut, part.heldOut).map { $0 + $1 }
        }
    }

    /// Adds the tree to the predictions of the rows of `list`.
    ///
    /// - Returns: a bound of the largest word.
    private func advanceAll<Cell: QuadraticCell>(
        _ list: RowList, _ grower: TreeGrower<Cell>, _ steps: [Int64]
    ) -> Int64 {
        let shift = grower.rules.countShift
        let gradients = grower.gradients.start
        var largest: Int64 = 0
        guard let bytes = list.markLeaves() else {
            list.forEachRow { leaf, row in
                let advanced = Cell.advanced(gradients[row], by: steps[leaf], countShift: shift)
                gradients[row] = advanced
                let stored = Cell.stored(advanced)
                largest |= stored ^ (stored &>> 63)
            }
            return largest
        }
        LeafBytes.table(steps).withUnsafeBufferPointer { steps in
            for row in bytes.span {
                let leaf = bytes.leaves.start[row]
                let advanced = Cell.advanced(gradients[row], by: steps[Int(leaf)], countShift: shift)
                gradients[row] = advanced
                let stored = Cell.stored(advanced)
                // Without a branch, all bits or none: rows of other folds are between those that count.
                let counts = (Int64(leaf) &- Int64(LeafBytes.outside)) &>> 63
                largest |= (stored ^ (stored &>> 63)) & counts
            }
        }
        return largest
    }

    private struct Sums: Sendable {
        /// Σ |gradient| of the training rows, and a bound of the largest.
        var total: Int64 = 0
        var largest: Int64 = 0
        /// The sums of held-out rows in each leaf, before the tree was added.
        var heldOut: [GradientTotals]

        /// Adds the tree to the predictions of a shard's rows, those it has not seen too.
        mutating func addSampled<Cell: QuadraticCell>(
            _ shard: RowShard, _ grower: TreeGrower<Cell>, _ steps: [Int64]
        ) {
            let gradients = grower.gradients.start
            for list in [shard.active, shard.idle] {
                list.forEachRow { leaf, row in
                    let advanced = Cell.advanced(
                        gradients[row], by: steps[leaf], countShift: grower.rules.countShift)
                    gradients[row] = advanced
                    let gradient = Cell.gradient(of: advanced)
                    let (sum, overflow) = total.addingReportingOverflow(Int64(clamping: gradient.magnitude))
                    total = overflow ? .max : sum
                    largest |= Int64(clamping: Cell.stored(advanced).magnitude)
                }
            }
        }

        /// Adds the tree to the predictions of held-out rows.
        mutating func addHeldOut<Cell: QuadraticCell>(
            _ list: RowList, _ grower: TreeGrower<Cell>, _ steps: [Int64]
        ) {
            let shift = grower.rules.countShift
            let gradients = grower.gradients.start
            list.forEachList { leaf, rows in
                var totals = GradientTotals()
                for row in rows {
                    let row = Int(row)
                    totals =
                        totals
                        + Cell.totals(Cell.sum(of: gradients[row], countShift: shift), countShift: shift)
                    gradients[row] = Cell.advanced(gradients[row], by: steps[leaf], countShift: shift)
                }
                heldOut[leaf] = totals
            }
        }
    }
}
