import MetaLearnersCore

/// Boosting of a loss of several scores by trees whose leaves have a value for each.
///
/// Scores are numbers of double precision; the sums of a tree are of integers, on a grid that is made anew for each
/// tree, so that threads cannot change a result.
struct MultiOutputBoosting<Loss: VectorLoss> {
    let problem: BoostingProblem
    let loss: Loss

    private var layout: VectorLayout { loss.layout }
    /// The magnitude that the numbers of a row are brought to.
    private static var bits: Int { 30 }

    /// Fits the trees.
    ///
    /// - Throws: `cancelled`, `outOfMemory`, `unsupported` for a penalty that such leaves cannot have.
    func fit(_ builder: inout EnsembleBuilder) throws(MetaLearnersError) {
        let spec = problem.spec
        guard spec.l1 == 0 else {
            throw MetaLearnersError(
                .unsupported, at: "l1", "leaves of several values have no penalty on absolute values",
                remedy: "use l2")
        }
        guard spec.monotone.isEmpty else {
            throw MetaLearnersError(
                .unsupported, at: "monotone", "leaves of several values cannot be bound to directions",
                remedy: "fit one output at a time")
        }
        guard !loss.isHopeless else { return }
        let outputs = layout.outputs
        let rowCount = problem.matrix.rowCount
        let scores = try AlignedBuffer<Double>(uninitialized: rowCount * outputs)
        let start = loss.startScores
        for row in 0..<rowCount {
            for output in 0..<outputs { scores.start[row * outputs + output] = start[output] }
        }
        let numbers = try AlignedBuffer<Int32>(uninitialized: rowCount * layout.lanes)
        var rules = GrowthRules(spec)
        rules.minSplitGain /= loss.lossUnit
        let grower = try VectorTreeGrower(
            problem.matrix, rules, layout, shards: problem.rows.shards, numbers: numbers,
            problem.team)
        // Leaf values are floats: of the largest unit the others are fractions.
        let scoreUnits = loss.scoreUnits
        let valueScale = scoreUnits.reduce(scoreUnits[0], max)
        builder.valueScale = valueScale
        let shares = scoreUnits.map { $0 / valueScale }
        try problem.boost(&builder, heldOutLoss: { () throws(MetaLearnersError) in try heldOutLoss(scores) })
        {
            round, builder throws(MetaLearnersError) in
            let units = fill(numbers, scores, hessians: round == 0 || !loss.isQuadratic)
            problem.rows.startTree(round, problem.team)
            let (tree, best) = try grower.grow(units, problem.columns(ofTree: round))
            guard !tree.splits.isEmpty else { return .barren }
            var values: [Float] = []
            for output in 0..<outputs {
                for leaf in best { values.append(Float(spec.learningRate * leaf[output] * shares[output])) }
            }
            builder.add(tree, values: values, output: 0, round: round, gainUnit: loss.lossUnit)
            advance(grower.shards, scores, values, shares, leaves: best.count)
            return .grown
        }
    }

    /// Calls `body` for each training row; a part of the work gets room for a row's gradients and Hessian entries.
    private func eachRow(
        _ body: (_ part: Int, _ row: Int, UnsafeMutablePointer<Double>, UnsafeMutablePointer<Double>) -> Void
    ) {
        let rows = problem.rows.training
        problem.team.run(problem.rows.shards.count) { part in
            withUnsafeTemporaryAllocation(of: Double.self, capacity: layout.lanes) { room in
                guard let gradients = room.baseAddress else { return }
                room.initialize(repeating: 0)
                for position in problem.rows.range(ofShard: part) {
                    body(part, Int(rows[position]), gradients, gradients + layout.hessianLane)
                }
            }
        }
    }

    /// Writes the numbers of each training row, and says what they stand for.
    ///
    /// - Parameter hessians: whether all numbers are to be written, not the gradients alone.
    private func fill(_ numbers: AlignedBuffer<Int32>, _ scores: AlignedBuffer<Double>, hessians: Bool)
        -> VectorUnits
    {
        let outputs = layout.outputs
        let lanes = layout.lanes
        let steepness = loss.isQuadratic ? largestSteepness(scores) : 1
        let scales = loss.gradientBounds.map { BoostingProblem.scale($0 * steepness, bits: Self.bits) }
        let hessianScale = BoostingProblem.scale(loss.hessianBound, bits: Self.bits)
        let countLane = layout.countLane
        scales.withUnsafeBufferPointer { scales in
            eachRow { _, row, gradients, hessian in
                loss.differentiate(
                    row, scores.start + row * outputs, gradients: gradients, hessian: hessians ? hessian : nil
                )
                let target = numbers.start + row * lanes
                for output in 0..<outputs {
                    target[output] = Self.rounded(gradients[output] * scales[output])
                }
                guard hessians else { return }
                for entry in outputs..<countLane {
                    target[entry] = Self.rounded(gradients[entry] * hessianScale)
                }
                target[countLane] = 1
                for lane in countLane + 1..<max(lanes, countLane + 1) { target[lane] = 0 }
            }
        }
        return VectorUnits(
            gradients: scales.map { 1 / $0 }, hessian: 1 / hessianScale,
            penalties: loss.scoreUnits.map { $0 * ($0 / loss.lossUnit) }, l2: problem.spec.l2,
            leastHessian: problem.spec.minChildWeight)
    }

    /// The nearest integer of a number below 2^31, which ends up in the low bits of the sum.
    @inline(__always)
    private static func rounded(_ value: Double) -> Int32 {
        Int32(truncatingIfNeeded: (value + 0x1.8p52).bitPattern)
    }

    private func largestSteepness(_ scores: AlignedBuffer<Double>) -> Double {
        let rows = problem.rows.training
        let outputs = layout.outputs
        var largest = [Double](repeating: 0, count: problem.rows.shards.count)
        largest.withUnsafeMutableBufferPointer { buffer in
            let largest = DisjointWrites(buffer)
            problem.team.run(problem.rows.shards.count) { part in
                var found = 0.0
                for position in problem.rows.range(ofShard: part) {
                    let row = Int(rows[position])
                    found = max(found, loss.steepness(row, scores.start + row * outputs))
                }
                largest[part] = found
            }
        }
        return largest.reduce(0, max)
    }

    /// Adds the tree to the scores, as the model will: its values are floats.
    private func advance(
        _ shards: [RowShard], _ scores: AlignedBuffer<Double>, _ values: [Float], _ shares: [Double],
        leaves: Int
    ) {
        let outputs = layout.outputs
        let steps = (0..<leaves).flatMap { leaf in
            (0..<outputs).map { Double(values[$0 * leaves + leaf]) / shares[$0] }
        }
        steps.withUnsafeBufferPointer { steps in
            problem.team.run(shards.count) { index in
                func add(_ leaf: Int, _ row: Int) {
                    for output in 0..<outputs {
                        scores.start[row * outputs + output] += steps[leaf * outputs + output]
                    }
                }
                for list in [shards[index].active, shards[index].idle, shards[index].heldOut] {
                    list.forEachRow(add)
                }
            }
        }
    }

    private func heldOutLoss(_ scores: AlignedBuffer<Double>) throws(MetaLearnersError) -> Double {
        try problem.rows.heldOutSum(problem.team) { loss.loss($0, scores.start + $0 * layout.outputs) }
    }
}
