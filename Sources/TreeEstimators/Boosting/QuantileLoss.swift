import MetaLearnersCore

/// The pinball loss Σ w·max(q(y − f), (q − 1)(y − f)), whose minimum is the quantile q (Koenker & Bassett 1978).
///
/// A row's gradient is wq where its target is above the prediction, w(q − 1) where it is below, 0 where both are equal;
/// its Hessian, there being none, counts as w. That finds the splits; the value of a leaf is then the weighted quantile
/// of the residuals of its rows, which penalties do not touch (Friedman 2001, section 4.3).
struct QuantileLoss: RefreshedLoss {
    private let problem: BoostingProblem
    private let level: Double
    /// Target less prediction of each row.
    private let residuals: AlignedBuffer<Double>
    /// The residuals and weights of the rows that a tree is grown from, leaf by leaf.
    private let pairs: AlignedBuffer<SIMD2<Double>>
    let baseScore: Double
    let isHopeless: Bool
    let largestValue: Double
    let sizes: (total: Double, largest: Double)

    /// Starts at the weighted quantile of the training rows.
    ///
    /// - Throws: `outOfMemory`.
    init(_ problem: BoostingProblem, level: Double) throws(MetaLearnersError) {
        self.problem = problem
        self.level = level
        let target = problem.task.numbers
        let weights = problem.task.weights
        let training = problem.rows.training
        let pairs = try AlignedBuffer<SIMD2<Double>>(uninitialized: training.count)
        var total = 0.0
        var heaviest = 0.0
        for (position, row) in training.enumerated() {
            let weight = weights?[Int(row)] ?? 1
            pairs.start[position] = SIMD2(target[Int(row)], weight)
            total += weight
            heaviest = max(heaviest, weight)
        }
        let all = UnsafeMutableBufferPointer(start: pairs.start, count: training.count)
        let base = training.isEmpty || !total.isFinite ? 0 : WeightedQuantile.of(all, level: level)
        let residuals = try AlignedBuffer<Double>(uninitialized: problem.matrix.rowCount)
        problem.eachRow { residuals.start[$0] = target[$0] - base }
        let largest = training.reduce(0) { max($0, abs(residuals.start[Int($1)])) }
        sizes = (total, heaviest)
        baseScore = base
        isHopeless = !(largest > 0) || !largest.isFinite || !total.isFinite
        largestValue = largest
        self.residuals = residuals
        self.pairs = pairs
    }

    func fill<Cell: RefreshedCell>(_: Cell.Type, _ gradients: AlignedBuffer<Cell.Row>) -> GradientScales? {
        let steepest = max(level, 1 - level)
        let scales = Cell.scales(
            GradientMagnitudes(
                gradient: sizes.total * steepest, hessian: sizes.total,
                largestGradient: sizes.largest * steepest,
                largestHessian: sizes.largest), countShift: problem.countShift)
        let weights = problem.task.weights
        let above = level * scales.gradient
        let below = (level - 1) * scales.gradient
        problem.eachRow(heldOutToo: false) { row in
            let weight = weights?[row] ?? 1
            let residual = residuals.start[row]
            let slope = residual > 0 ? above : residual < 0 ? below : 0
            // (No row is without a Hessian.)
            gradients.start[row] = Cell.row(
                gradient: weight * slope, hessian: max(1, weight * scales.hessian), number: row)
        }
        return scales
    }

    func values(_ tree: GrownTree, _ rules: GrowthRules) -> [Double] {
        let ranges = gather(leafCount: tree.leaves.count)
        var values = [Double](repeating: 0, count: ranges.count)
        values.withUnsafeMutableBufferPointer { buffer in
            let values = DisjointWrites(buffer)
            problem.team.run(ranges.count) { leaf in
                guard !ranges[leaf].isEmpty else { return }
                let start = pairs.start + ranges[leaf].lowerBound
                values[leaf] = WeightedQuantile.of(
                    UnsafeMutableBufferPointer(start: start, count: ranges[leaf].count), level: level)
            }
        }
        return values
    }

    /// Puts the residuals and weights of each leaf's rows side by side, in the order of the rows; returns where.
    private func gather(leafCount: Int) -> [Range<Int>] {
        let shards = problem.rows.shards
        let weights = problem.task.weights
        var ranges: [Range<Int>] = []
        var starts = shards.map { _ in [Int]() }
        var next = 0
        for leaf in 0..<leafCount {
            let first = next
            for (index, shard) in shards.enumerated() {
                starts[index].append(next)
                next += shard.active.count(of: leaf)
            }
            ranges.append(first..<next)
        }
        problem.team.run(shards.count) { index in
            var places = starts[index]
            func take(_ leaf: Int, _ row: Int) {
                pairs.start[places[leaf]] = SIMD2(residuals.start[row], weights?[row] ?? 1)
                places[leaf] += 1
            }
            shards[index].active.forEachRow(take)
        }
        return ranges
    }

    func advance(_ values: [Double]) {
        problem.eachLeafOfRows { leaf, row in residuals.start[row] -= values[leaf] }
    }

    func heldOutLoss() throws(MetaLearnersError) -> Double {
        let weights = problem.task.weights
        return try problem.rows.heldOutSum(problem.team) { row in
            let residual = residuals.start[row]
            return (weights?[row] ?? 1) * max(level * residual, (level - 1) * residual)
        }
    }
}

/// Quantiles of weighted values.
enum WeightedQuantile {
    /// The value at which the weight of all values up to it reaches `level` of the total; halfway to the next one where
    /// it does so exactly. It minimises the pinball loss.
    ///
    /// Reorders `pairs` of values and weights, all finite, weights above 0; there must be one at least. O(count) on
    /// average.
    static func of(_ pairs: UnsafeMutableBufferPointer<SIMD2<Double>>, level: Double) -> Double {
        var total = 0.0
        for pair in pairs { total += pair.y }
        let goal = level * total
        var stream = RandomStream(seed: 0x5155_414E, path: UInt64(pairs.count))
        var low = 0
        var high = pairs.count
        // The weight of the values before `low`, always less than the goal.
        var below = 0.0
        while true {
            let pivot = pairs[low + stream.integer(below: high - low)].x
            let parts = part(pairs, low, high, pivot)
            let upToLess = below + weight(pairs, low..<parts.less)
            let upToEqual = upToLess + weight(pairs, parts.less..<parts.greater)
            if upToLess > goal {
                high = parts.less
            } else if upToLess == goal, parts.less > low {
                return midpoint(largest(pairs, low..<parts.less), pivot)
            } else if upToEqual > goal || parts.greater == pairs.count {
                return pivot
            } else if upToEqual == goal {
                return midpoint(pivot, smallest(pairs, parts.greater..<pairs.count))
            } else if parts.greater == high {
                // Sums in another order came to more than the goal.
                return pivot
            } else {
                below = upToEqual
                low = parts.greater
            }
        }
    }

    /// Puts values below `pivot` first, then those equal to it; returns where the second and the third part begin.
    private static func part(
        _ pairs: UnsafeMutableBufferPointer<SIMD2<Double>>, _ low: Int, _ high: Int, _ pivot: Double
    ) -> (less: Int, greater: Int) {
        var less = low
        var next = low
        var greater = high
        while next < greater {
            let value = pairs[next].x
            if value < pivot {
                pairs.swapAt(less, next)
                less += 1
                next += 1
            } else if value > pivot {
                greater -= 1
                pairs.swapAt(next, greater)
            } else {
                next += 1
            }
        }
        return (less, greater)
    }

    private static func weight(_ pairs: UnsafeMutableBufferPointer<SIMD2<Double>>, _ range: Range<Int>)
        -> Double
    {
        var sum = 0.0
        for index in range { sum += pairs[index].y }
        return sum
    }

    private static func largest(_ pairs: UnsafeMutableBufferPointer<SIMD2<Double>>, _ range: Range<Int>)
        -> Double
    {
        var value = -Double.infinity
        for index in range { value = max(value, pairs[index].x) }
        return value
    }

    private static func smallest(_ pairs: UnsafeMutableBufferPointer<SIMD2<Double>>, _ range: Range<Int>)
        -> Double
    {
        var value = Double.infinity
        for index in range { value = min(value, pairs[index].x) }
        return value
    }

    private static func midpoint(_ left: Double, _ right: Double) -> Double { left + (right / 2 - left / 2) }
}
