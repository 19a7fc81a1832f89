import MetaLearnersCore

extension FittedForest: VarianceEstimating {
    private static let varianceBlockRows = 256

    /// Whether there are little bags enough: two of at least two trees.
    public var estimatesVariance: Bool {
        trees.isEmpty || plan.groupSize > 1 && trees.count >= 2 * plan.groupSize
    }

    /// The variance of the prediction of each named row, over samples of the training data; `outputCount` numbers a
    /// row. The square root is a standard error; an honest forest's predictions are asymptotically normal around
    /// the truth (Wager & Athey 2018, arXiv 1510.04342).
    ///
    /// Little bags (Sexton & Laake 2009; Athey, Tibshirani & Wager 2019, section 4.1): the variance between the means
    /// of bags, each of trees that share a half of the rows, less what stems from a bag having few trees. The
    /// difference may come out negative: its posterior mean given that it is not is returned, under a flat prior.
    ///
    /// O(rows · trees · depth).
    ///
    /// - Throws: `unsupported` where the forest has no little bags (`ci_group_size: 1`) or fewer than two;
    ///   `invalidArgument` for another number of columns or a row out of range; `cancelled`.
    public func predictVariance(_ features: Table, rows: [Int32]?, _ context: ExecutionContext)
        throws(MetaLearnersError) -> [Double]
    {
        try check(features, rows)
        try requireLittleBags()
        return try inBlocks(features, rows, rowsPerBlock: Self.varianceBlockRows, context) {
            block, variances in
            let values = leafValues(block)
            let all = Array(trees.indices)
            for row in 0..<block.count {
                writeVariance(values, row: row, of: block.count, all, to: variances)
            }
        }
    }

    /// - Throws: `unsupported`.
    func requireLittleBags() throws(MetaLearnersError) {
        guard estimatesVariance else {
            throw MetaLearnersError(
                .unsupported, at: "forest", "variances need at least two little bags of two trees",
                remedy: "set ci_group_size to 2 and grow more trees")
        }
    }

    /// The values of every tree for the rows of a block: tree by tree, row by row.
    func leafValues(_ block: Block) -> [Double] {
        let width = output.leafWidth
        var values: [Double] = []
        values.reserveCapacity(trees.count * block.count * width)
        for tree in trees {
            tree.findLeaves(block.bins, width: block.width, count: block.count, into: block.leaves)
            for row in 0..<block.count {
                let leaf = Int(block.leaves[row]) * width
                for index in 0..<width { values.append(Double(tree.values[leaf + index])) }
            }
        }
        return values
    }

    /// Writes the variance of a row's prediction by the trees `chosen`, of which only whole bags count; NaN where
    /// there are fewer than two.
    func writeVariance(
        _ values: [Double], row: Int, of rowCount: Int, _ chosen: [Int],
        to variances: UnsafeMutablePointer<Double>
    ) {
        let width = output.leafWidth
        let outputCount = outputCount
        let results = variances + row * outputCount
        if trees.isEmpty { return results.update(repeating: 0, count: outputCount) }
        let bags = wholeBags(chosen)
        guard bags.count > 1 else { return results.update(repeating: .nan, count: outputCount) }
        var means = [Double](repeating: 0, count: width)
        for tree in bags.joined() {
            for index in 0..<width { means[index] += values[(tree * rowCount + row) * width + index] }
        }
        let treeCount = Double(bags.count * plan.groupSize)
        for index in 0..<width { means[index] /= treeCount }
        var between = [Double](repeating: 0, count: outputCount)
        var total = between
        var deviations = between
        for bag in bags {
            var sums = [Double](repeating: 0, count: outputCount)
            for tree in bag {
                values.withUnsafeBufferPointer { values in
                    means.withUnsafeBufferPointer { means in
                        guard let values = values.baseAddress, let means = means.baseAddress else { return }
                        output.deviate(
                            values + (tree * rowCount + row) * width, from: means, to: &deviations)
                    }
                }
                for index in 0..<outputCount {
                    sums[index] += deviations[index]
                    total[index] += deviations[index] * deviations[index]
                }
            }
            for index in 0..<outputCount {
                let mean = sums[index] / Double(plan.groupSize)
                between[index] += mean * mean
            }
        }
        for index in 0..<outputCount {
            let betweenBags = between[index] / Double(bags.count)
            let noise = (total[index] / treeCount - betweenBags) / Double(plan.groupSize - 1)
            results[index] = Self.debiased(betweenBags, noise: max(noise, 0), bags: bags.count)
        }
    }

    private func wholeBags(_ chosen: [Int]) -> [Range<Int>] {
        var bags: [Range<Int>] = []
        var start = 0
        while start + plan.groupSize <= chosen.count {
            let first = chosen[start]
            let last = chosen[start + plan.groupSize - 1]
            if first % plan.groupSize == 0, last == first + plan.groupSize - 1 {
                bags.append(first..<last + 1)
                start += plan.groupSize
            } else {
                start += 1
            }
        }
        return bags
    }

    /// The mean of a normal distribution around `between` − `noise` that is cut off below 0. Its standard deviation
    /// is that of a mean square of `bags` normal numbers.
    private static func debiased(_ between: Double, noise: Double, bags: Int) -> Double {
        let estimate = between - noise
        let deviation = max(between, noise) * (2 / Double(bags)).squareRoot()
        guard deviation > 0 else { return max(estimate, 0) }
        let ratio = estimate / deviation
        let probability = StandardNormal.upperTail(-ratio)
        // Far below 0 the quotient is that of two vanishing numbers; ratio ≥ −√(bags/2) keeps it finite in practice.
        guard probability > 0 else { return 0 }
        return max(estimate + deviation * StandardNormal.density(ratio) / probability, 0)
    }
}
