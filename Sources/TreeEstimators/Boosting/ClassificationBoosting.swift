import MetaLearnersCore

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// Boosting of the multinomial deviance: one tree a round for two classes, one a class and round for more.
///
/// Gradients are w(1{y=c} − p_c); Hessians w·p(1−p) for two classes and w·p_c(1−p_c)·K/(K−1) for K > 2
/// (Friedman 2001, Annals of Statistics 29, 1189–1232).
struct ClassificationBoosting {
    let problem: BoostingProblem
    let classes: Int
    /// The score of each class (for two classes: of class 1) before any tree.
    let baseScores: [Double]
    /// The weight of each class in the training rows.
    let classWeights: [Double]

    private static let leastShare = 1e-9

    init(_ problem: BoostingProblem, classes: Int) {
        self.problem = problem
        self.classes = classes
        var sums = [Double](repeating: 0, count: classes)
        let task = problem.task
        for row in problem.rows.training {
            sums[Int(task.target[Int(row)])] += task.weights?[Int(row)] ?? 1
        }
        classWeights = sums
        let total = sums.reduce(0, +)
        let shares = sums.map { min(max(total > 0 ? $0 / total : 0, Self.leastShare), 1 - Self.leastShare) }
        baseScores = classes == 2 ? [log(shares[1] / shares[0])] : shares.map { log($0) }
    }

    private var scoreCount: Int { baseScores.count }

    /// The scores for which trees are grown: a class that no row has needs none, nor does the only one.
    private var grownScores: [Int] {
        guard classWeights.count(where: { $0 > 0 }) > 1 else { return [] }
        return scoreCount == 1 ? [0] : (0..<classes).filter { classWeights[$0] > 0 }
    }

    /// Fits the trees.
    ///
    /// - Throws: `cancelled`, `outOfMemory`, `unsupported` for more rows than sums have room for.
    func fit(_ builder: inout EnsembleBuilder) throws(MetaLearnersError) {
        let grown = grownScores
        guard !grown.isEmpty else { return }
        guard problem.countShift - 1 - problem.countBits >= 8 else {
            throw MetaLearnersError(
                .unsupported,
                "classification trees take at most 2^27 rows, not \(problem.rows.training.count)",
                remedy: "fit on a sample of the rows")
        }
        let spec = problem.spec
        let rowCount = problem.matrix.rowCount
        let scores = try AlignedBuffer<Double>(uninitialized: rowCount * scoreCount)
        let shares = try AlignedBuffer<Float>(uninitialized: scoreCount > 1 ? rowCount * scoreCount : 0)
        let gradients = try AlignedBuffer<SIMD2<Int64>>(uninitialized: rowCount)
        eachRow { row in
            for (output, score) in baseScores.enumerated() { scores.base[row * scoreCount + output] = score }
        }
        let total = classWeights.reduce(0, +)
        let gradientScale = BoostingProblem.scale(total, bits: 60)
        let hessianScale = BoostingProblem.scale(total, bits: problem.countShift - 1)
        var rules = GrowthRules(spec)
        rules.countShift = Int64(problem.countShift)
        rules.gradientUnit = 1 / gradientScale
        rules.hessianUnit = 1 / hessianScale
        let grower = try TreeGrower<PairedCell>(
            problem.matrix, rules, shards: problem.rows.shards, gradients: gradients,
            carriesRoot: false, problem.team)
        var stopping = EarlyStopping(patience: spec.earlyStopping, initialLoss: heldOutLoss(scores))
        for round in 0..<spec.trees {
            if scoreCount > 1 { fillShares(scores, shares) }
            var hasGrown = false
            for output in grown {
                try problem.context.checkCancellation()
                let tree = round * scoreCount + output
                fillGradients(output, scores, shares, gradients, gradientScale, hessianScale)
                problem.rows.startTree(tree, problem.team)
                let grownTree = try grower.grow(usableSlots: problem.usableSlots(tree: tree))
                guard !grownTree.splits.isEmpty else { continue }
                hasGrown = true
                let values = grownTree.leaves.map { Float(spec.learningRate * rules.optimum($0)) }
                builder.add(grownTree, values: values, output: output, round: round)
                advance(grower.shards, scores, output, values)
            }
            if !hasGrown, spec.rowSample == 1, spec.columnSample == 1 { break }
            if !problem.rows.heldOut.isEmpty, stopping.shouldStop(heldOutLoss(scores), rounds: round + 1) {
                break
            }
        }
        if !problem.rows.heldOut.isEmpty { builder.keep(rounds: stopping.bestRounds) }
    }

    private func eachRow(_ body: (Int) -> Void) {
        let parts = problem.rows.shards.count
        problem.team.run(parts) { part in
            for rows in [problem.rows.training, problem.rows.heldOut] {
                for row in rows[part * rows.count / parts..<(part + 1) * rows.count / parts] {
                    body(Int(row))
                }
            }
        }
    }

    private func fillShares(_ scores: AlignedBuffer<Double>, _ shares: AlignedBuffer<Float>) {
        eachRow { row in
            let first = row * scoreCount
            var largest = scores.base[first]
            for output in 1..<scoreCount { largest = max(largest, scores.base[first + output]) }
            var total = 0.0
            for output in 0..<scoreCount { total += exp(scores.base[first + output] - largest) }
            for output in 0..<scoreCount {
                shares.base[first + output] = Float(exp(scores.base[first + output] - largest) / total)
            }
        }
    }

    private func fillGradients(
        _ output: Int, _ scores: AlignedBuffer<Double>, _ shares: AlignedBuffer<Float>,
        _ gradients: AlignedBuffer<SIMD2<Int64>>, _ gradientScale: Double, _ hessianScale: Double
    ) {
        let task = problem.task
        let shift = Int64(problem.countShift)
        let label = Double(scoreCount == 1 ? 1 : output)
        let factor = scoreCount == 1 ? 1 : Double(classes) / Double(classes - 1)
        eachRow { row in
            let share =
                scoreCount == 1
                ? 1 / (1 + exp(-scores.base[row])) : Double(shares.base[row * scoreCount + output])
            let weight = task.weights?[row] ?? 1
            let gradient = weight * ((task.target[row] == label ? 1 : 0) - share)
            let hessian = weight * share * (1 - share) * factor
            gradients.base[row] = PairedCell.row(
                gradient: Int64((gradient * gradientScale).rounded()),
                hessian: Int64((hessian * hessianScale).rounded()), countShift: shift)
        }
    }

    private func advance(
        _ shards: [RowShard], _ scores: AlignedBuffer<Double>, _ output: Int, _ values: [Float]
    ) {
        problem.team.run(shards.count) { index in
            for (leaf, value) in values.enumerated() {
                for list in [shards[index].active, shards[index].idle, shards[index].heldOut] {
                    for row in list.leaf(leaf) {
                        scores.base[Int(row) * scoreCount + output] += Double(value)
                    }
                }
            }
        }
    }

    /// −Σ w log p of the held-out rows' classes, added up in an order that does not depend on the threads.
    private func heldOutLoss(_ scores: AlignedBuffer<Double>) -> Double {
        let task = problem.task
        let rows = problem.rows.heldOut
        let blockSize = 4096
        var sums = [Double](repeating: 0, count: (rows.count + blockSize - 1) / blockSize)
        sums.withUnsafeMutableBufferPointer { buffer in
            let sums = DisjointWrites(buffer)
            problem.team.run(sums.count) { block in
                var sum = 0.0
                for row in rows[block * blockSize..<min(rows.count, (block + 1) * blockSize)] {
                    let first = Int(row) * scoreCount
                    let label = Int(task.target[Int(row)])
                    let loss: Double
                    if scoreCount == 1 {
                        let margin = label == 1 ? scores.base[first] : -scores.base[first]
                        loss = margin > 0 ? log1p(exp(-margin)) : log1p(exp(margin)) - margin
                    } else {
                        var largest = scores.base[first]
                        for output in 1..<scoreCount { largest = max(largest, scores.base[first + output]) }
                        var total = 0.0
                        for output in 0..<scoreCount { total += exp(scores.base[first + output] - largest) }
                        loss = largest + log(total) - scores.base[first + label]
                    }
                    sum += loss * (task.weights?[Int(row)] ?? 1)
                }
                sums[block] = sum
            }
        }
        return sums.reduce(0, +)
    }
}
