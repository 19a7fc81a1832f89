import MetaLearnersCore

/// A sum of trees as one draw from its posterior: a function of the covariates that a regressor is multiplied by.
final class BartForest {
    /// What its rows are multiplied by; nil for 1.
    private let regressor: [Double]?
    /// The positions of its rows among all rows to learn from: those whose regressor is not 0.
    private let positions: [Int32]
    private let weights: [Double]?
    private let treeCount: Int
    private let columnsPerSweep: Int
    private let rows: BartRows
    private let grower: BartTreeGrower
    private let distribution: DistributedRows?
    /// The variance of leaf values, and what it was expected to be.
    private var leafVariance: Double
    private let expectedVariance: Double
    /// What gradients and Hessians are multiplied by.
    private let gradientScale: Double
    private let hessianScale: Double
    /// w·a of each row; nil where all are 1.
    private let factors: [Double]?
    /// The latest trees, and the leaf of each row in them.
    private(set) var trees: [BartTree]
    private let leaves: AlignedBuffer<UInt8>
    /// How many splits each feature has in the latest trees.
    private var uses: [Int]
    /// The constant beside the trees.
    private(set) var level: (value: Double, mean: Double) = (0, 0)
    private let hessianTotal: Double

    /// How much evidence the expected variance of leaf values is worth: the shape of an inverse Gamma distribution.
    private static let varianceShape = 3.0

    /// - Parameters:
    ///   - rows: numbers of the rows to learn from.
    ///   - regressor: of each, by its position.
    ///   - weights: of each, by its position.
    ///   - spread: the variance of the whole function before any data are seen.
    ///   - largest: a bound of residuals.
    init(
        _ matrix: BinnedMatrix, rows: [Int32], regressor: [Double]?, weights: [Double]?,
        trees treeCount: Int, columnsPerSweep: Int, _ prior: BartTreeGrower.Prior, spread: Double,
        largest: Double, _ distribution: DistributedRows?
    ) throws(MetaLearnersError) {
        positions = rows.indices.lazy.filter { regressor?[$0] != 0 }.map { Int32($0) }
        self.regressor = regressor
        self.weights = weights
        self.treeCount = treeCount
        self.columnsPerSweep = columnsPerSweep
        self.distribution = distribution
        self.rows = try BartRows(matrix, positions.map { rows[Int($0)] })
        grower = try BartTreeGrower(
            self.rows, prior, mostColumns: columnsPerSweep, distribution)
        expectedVariance = spread / Double(treeCount)
        leafVariance = expectedVariance
        var sums = [ExactSum(), ExactSum()]
        var bounds = [0.0, 0.0]
        for position in positions.map(Int.init) {
            let factor = regressor?[position] ?? 1
            let weight = weights?[position] ?? 1
            sums[0].add(weight * abs(factor))
            sums[1].add(weight * factor * factor)
            bounds[0] = max(bounds[0], weight * abs(factor))
            bounds[1] = max(bounds[1], weight * factor * factor)
        }
        if let distribution {
            sums = try distribution.sum(sums)
            bounds = try distribution.maximum(bounds)
        }
        let scales = ShortCell.scales(
            GradientMagnitudes(
                gradient: sums[0].value * largest, hessian: sums[1].value,
                largestGradient: bounds[0] * largest, largestHessian: bounds[1]),
            countShift: grower.countShift)
        gradientScale = scales.gradient
        hessianScale = scales.hessian
        hessianTotal = sums[1].value
        for (place, position) in positions.enumerated() {
            let factor = regressor?[Int(position)] ?? 1
            let hessian = (weights?[Int(position)] ?? 1) * factor * factor
            grower.numbers.start[place] = SIMD2(0, BoostingProblem.rounded(hessian * scales.hessian))
        }
        factors =
            weights == nil && regressor == nil
            ? nil
            : positions.map { (weights?[Int($0)] ?? 1) * (regressor?[Int($0)] ?? 1) }
        trees = [BartTree](repeating: BartTree(), count: treeCount)
        leaves = try AlignedBuffer(uninitialized: positions.count * treeCount)
        leaves.start.update(repeating: 0, count: positions.count * treeCount)
        uses = [Int](repeating: 0, count: matrix.columns.count)
    }

    /// Draws all trees anew, one after another, each given the others.
    ///
    /// - Parameters:
    ///   - residuals: what is left of each row's target; changed as trees change.
    ///   - noise: the variance of the noise.
    /// - Throws: `cancelled`, `outOfMemory`, what other processes have to say.
    func sweep(
        _ residuals: inout [Double], noise: Double, _ stream: inout RandomStream, _ context: ExecutionContext
    ) throws(MetaLearnersError) {
        try drawLevel(&residuals, noise: noise, &stream)
        let scale = BartTreeGrower.Scale(
            leafVariance: leafVariance, gradient: 1 / (gradientScale * noise),
            hessian: 1 / (hessianScale * noise))
        try grower.choose(try drawColumns(&stream))
        for index in trees.indices {
            try context.checkCancellation()
            let leaves = leaves.start + index * positions.count
            add(trees[index].values, of: leaves, times: 1, to: &residuals)
            writeGradients(residuals)
            for split in trees[index].splits { uses[split.candidate.feature] -= 1 }
            trees[index] = try grower.grow(scale, &stream)
            for split in trees[index].splits { uses[split.candidate.feature] += 1 }
            leaves.update(from: grower.leafOfRow.start, count: positions.count)
            add(trees[index].values, of: leaves, times: -1, to: &residuals)
        }
        try drawVariance(&stream)
    }

    /// Puts w·a·r of each row on the grid.
    private func writeGradients(_ residuals: [Double]) {
        let numbers = grower.numbers.start
        let scale = gradientScale
        residuals.withUnsafeBufferPointer { residuals in
            for (place, position) in positions.enumerated() {
                let factor = factors?[place] ?? 1
                // (Beyond the bound only where numbers run away.)
                let gradient = min(max(factor * residuals[Int(position)] * scale, -0x1p30), 0x1p30)
                numbers[place].x = BoostingProblem.rounded(gradient)
            }
        }
    }

    /// Adds the values of leaves, times the regressor, to rows.
    private func add(
        _ values: [Double], of leaves: UnsafePointer<UInt8>, times sign: Double,
        to residuals: inout [Double]
    ) {
        let values = values.map { sign * $0 }
        residuals.withUnsafeMutableBufferPointer { residuals in
            values.withUnsafeBufferPointer { values in
                if let regressor {
                    for (place, position) in positions.enumerated() {
                        residuals[Int(position)] += values[Int(leaves[place])] * regressor[Int(position)]
                    }
                } else {
                    for place in positions.indices { residuals[place] += values[Int(leaves[place])] }
                }
            }
        }
    }

    /// Draws the constant, about which nothing is known before.
    private func drawLevel(_ residuals: inout [Double], noise: Double, _ stream: inout RandomStream)
        throws(MetaLearnersError)
    {
        guard hessianTotal > 0 else { return }
        var sum = ExactSum()
        for position in positions.map(Int.init) {
            let factor = regressor?[position] ?? 1
            sum.add((weights?[position] ?? 1) * factor * (residuals[position] + factor * level.value))
        }
        if let distribution { sum = try distribution.sum([sum])[0] }
        let mean = sum.value / hessianTotal
        let own = mean + stream.standardNormal() * (noise / hessianTotal).squareRoot()
        let drawn = try distribution.agreed([own])[0]
        for position in positions.map(Int.init) {
            residuals[position] -= (drawn - level.value) * (regressor?[position] ?? 1)
        }
        level = (drawn, mean)
    }

    private func drawVariance(_ stream: inout RandomStream) throws(MetaLearnersError) {
        var squares = 0.0
        var count = 0
        for tree in trees {
            count += tree.values.count
            squares = tree.values.reduce(squares) { $0 + $1 * $1 }
        }
        let drawn = stream.inverseGamma(
            shape: Self.varianceShape + Double(count) / 2,
            scale: (Self.varianceShape - 1) * expectedVariance + squares / 2)
        leafVariance = try distribution.agreed([drawn])[0]
    }

    /// The columns that a sweep may split by: all, or as many as there may be. Those that splits have stay, the ones that most have first, in up
    /// to two thirds of the places; the others are drawn.
    private func drawColumns(_ stream: inout RandomStream) throws(MetaLearnersError) -> [Int] {
        let columns = rows.columns.indices
        guard columns.count > columnsPerSweep else { return Array(columns) }
        let splits = rows.columns.map { uses[$0.feature] }
        let used = columns.filter { splits[$0] > 0 }.sorted { (splits[$1], $0) < (splits[$0], $1) }
        let kept = Array(used.prefix(2 * columnsPerSweep / 3))
        var others = Array(Set(columns).subtracting(kept)).sorted()
        stream.shuffle(&others)
        let chosen = (kept + others.prefix(columnsPerSweep - kept.count)).sorted()
        return try distribution.agreed(chosen.map { Double($0) }).map { Int($0) }
    }
}
