import MetaLearnersCore

/// The sandwich covariance of a least-squares fit, made in passes over the blocks of its design matrix.
///
/// A row is d = √w·r·(z, 1) with the residual ε = √w·(t − r·f(x)): A = Σ dd' + Λ, and the scores are dε. Inside, the
/// intercept stands last; what is handed out has it first.
struct SandwichCovariance {
    private let blocks: DesignBlocks
    private let loss: SquaredLoss
    private let width: Int
    /// The residuals ε.
    private var residuals: [Double]
    /// A⁻¹, a full matrix by columns.
    private let bread: DoubleBuffer
    /// How many coefficients the data determine.
    private let rank: Int

    /// - Throws: `numericalFailure` where sums overflow, `outOfMemory`, `cancelled`.
    /// - Complexity: O(rows × columns² + columns³).
    init(
        encoder: DesignEncoder, coefficients: [Double], task: TrainingTask, backend: String,
        _ context: ExecutionContext
    ) throws(MetaLearnersError) {
        let loss = try SquaredLoss(task, backend: backend)
        let blocks = DesignBlocks(encoder: encoder, features: task.features, rows: loss.rows)
        let width = encoder.width + 1
        let step = DesignBlocks.rowsPerBlock
        let block = try DoubleBuffer(width * step)
        let gram = try DoubleBuffer(width * width)
        var residuals = loss.responses
        var scores = [Double](repeating: 0, count: width)
        try blocks.forEach(into: block, context) { range throws(MetaLearnersError) in
            Self.scale(block, width, range, loss.factors)
            for (offset, row) in range.enumerated() {
                for column in 0..<width - 1 {
                    residuals[row] -= block.start[column * step + offset] * coefficients[column]
                }
                for column in 0..<width {
                    scores[column] += block.start[column * step + offset] * residuals[row]
                }
            }
            BLAS.syrk(
                .transposed, Int32(width), Int32(range.count), 1, block.start,
                Int32(step), 1, gram.start, Int32(width))
        }
        // At the minimum of the penalised loss Σ zε = λβ: the penalty follows from the fit itself.
        let squares = coefficients.reduce(0) { $0 + $1 * $1 }
        let pull = zip(coefficients, scores).reduce(0) { $0 + $1.0 * $1.1 }
        let trace = (0..<width).reduce(0) { $0 + gram.start[$1 * width + $1] }
        let penalty = squares > 0 ? pull / squares : 0
        if penalty > 1e-10 * trace {
            for column in 0..<width - 1 { gram.start[column * width + column] += penalty }
        }
        guard gram.isFinite, residuals.allSatisfy(\.isFinite) else {
            throw MetaLearnersError(
                .numericalFailure, at: backend, "sums over the rows overflow",
                remedy: "rescale the target or the weights")
        }
        (bread, rank) = try Self.pseudoInverse(gram, width)
        self.blocks = blocks
        self.loss = loss
        self.width = width
        self.residuals = residuals
    }

    /// The covariance, the intercept first: the upper triangle by columns.
    ///
    /// - Throws: `unsupported` where there are no more rows (or but one cluster) than coefficients, `outOfMemory`,
    ///   `cancelled`.
    func estimate(_ kind: RobustCovariance, clusters: [Int32]?, _ context: ExecutionContext)
        throws(MetaLearnersError) -> [Double]
    {
        let rows = Double(residuals.count)
        guard residuals.count > rank else {
            throw MetaLearnersError(
                .unsupported, at: "intervals",
                "\(residuals.count) rows leave nothing to judge \(rank) coefficients by",
                remedy: "use fewer covariates for the effect model, or intervals.method: half_sampling")
        }
        let meat: DoubleBuffer
        var factor = 1.0
        if let clusters {
            let (sums, count) = try clusterMeat(clusters, context)
            guard count > 1 else {
                throw MetaLearnersError(
                    .unsupported, at: "intervals", "there is one cluster only",
                    remedy: "intervals need several clusters")
            }
            meat = sums
            factor = Double(count) / Double(count - 1) * (rows - 1) / (rows - Double(rank))
        } else {
            meat = try rowMeat(kind, context)
            if kind == .hc1 { factor = rows / (rows - Double(rank)) }
        }
        return try packed(meat, times: factor)
    }

    /// Σ dd'ε², the residuals corrected as `kind` says.
    private func rowMeat(_ kind: RobustCovariance, _ context: ExecutionContext) throws(MetaLearnersError)
        -> DoubleBuffer
    {
        let step = DesignBlocks.rowsPerBlock
        let block = try DoubleBuffer(width * step)
        let product = try DoubleBuffer(width * step)
        let meat = try DoubleBuffer(width * width)
        try blocks.forEach(into: block, context) { range throws(MetaLearnersError) in
            Self.scale(block, width, range, loss.factors)
            var scales = range.map { residuals[$0] }
            if kind == .hc3 {
                Self.multiply(block, by: bread, width, into: product)
                for offset in scales.indices {
                    var leverage = 0.0
                    for column in 0..<width {
                        leverage +=
                            block.start[column * step + offset] * product.start[column * step + offset]
                    }
                    // A row that its own coefficient fits exactly has no residual to enlarge.
                    scales[offset] /= max(1 - leverage, 1e-8)
                }
            }
            for column in 0..<width {
                for offset in scales.indices { block.start[column * step + offset] *= scales[offset] }
            }
            BLAS.syrk(
                .transposed, Int32(width), Int32(range.count), 1, block.start,
                Int32(step), 1, meat.start, Int32(width))
        }
        return meat
    }

    /// Σ over clusters of the products of their summed scores, and the number of clusters.
    private func clusterMeat(_ clusters: [Int32], _ context: ExecutionContext) throws(MetaLearnersError)
        -> (DoubleBuffer, Int)
    {
        var places: [Int32: Int] = [:]
        for row in loss.rows where places[clusters[Int(row)]] == nil {
            places[clusters[Int(row)]] = places.count
        }
        let step = DesignBlocks.rowsPerBlock
        let block = try DoubleBuffer(width * step)
        let sums = try DoubleBuffer(width * places.count)
        try blocks.forEach(into: block, context) { range throws(MetaLearnersError) in
            Self.scale(block, width, range, loss.factors)
            for (offset, row) in range.enumerated() {
                let place = places[clusters[Int(loss.rows[row])]] ?? 0
                for column in 0..<width {
                    sums.start[place * width + column] +=
                        block.start[column * step + offset] * residuals[row]
                }
            }
        }
        let meat = try DoubleBuffer(width * width)
        BLAS.syrk(
            .plain, Int32(width), Int32(places.count), 1, sums.start,
            Int32(width), 1, meat.start, Int32(width))
        return (meat, places.count)
    }

    /// A⁻¹ · meat · A⁻¹ · factor, the intercept first, as the upper triangle by columns.
    private func packed(_ meat: DoubleBuffer, times factor: Double) throws(MetaLearnersError) -> [Double] {
        let order = Int32(width)
        let half = try DoubleBuffer(width * width)
        let whole = try DoubleBuffer(width * width)
        BLAS.symm(
            .left, order, order, 1, meat.start, order, bread.start, order, 0,
            half.start, order)
        BLAS.gemm(
            .plain, .plain, order, order, order, factor, bread.start, order,
            half.start, order, 0, whole.start, order)
        var triangle: [Double] = []
        triangle.reserveCapacity(width * (width + 1) / 2)
        func place(_ index: Int) -> Int { index == 0 ? width - 1 : index - 1 }
        for column in 0..<width {
            for row in 0...column {
                // Rounding leaves the two halves of the product a little different.
                let upper = whole.start[place(column) * width + place(row)]
                let lower = whole.start[place(row) * width + place(column)]
                triangle.append((upper + lower) / 2)
            }
        }
        return triangle
    }

    /// The full matrix, the intercept last, of a triangle that `packed` made.
    static func unpacked(_ triangle: [Double], _ width: Int) throws(MetaLearnersError) -> DoubleBuffer {
        let matrix = try DoubleBuffer(width * width)
        func place(_ index: Int) -> Int { index == 0 ? width - 1 : index - 1 }
        var position = 0
        for column in 0..<width {
            for row in 0...column {
                matrix.start[place(column) * width + place(row)] = triangle[position]
                matrix.start[place(row) * width + place(column)] = triangle[position]
                position += 1
            }
        }
        return matrix
    }

    /// The rows of `block` times the symmetric `matrix`.
    static func multiply(
        _ block: DoubleBuffer, by matrix: DoubleBuffer, _ width: Int, into product: DoubleBuffer
    ) {
        let step = Int32(DesignBlocks.rowsPerBlock)
        BLAS.symm(
            .right, step, Int32(width), 1, matrix.start, Int32(width),
            block.start, step, 0, product.start, step)
    }

    /// Puts the intercept's column behind the others, and multiplies each row by its factor.
    private static func scale(_ block: DoubleBuffer, _ width: Int, _ rows: Range<Int>, _ factors: [Double]) {
        let step = DesignBlocks.rowsPerBlock
        for (offset, row) in rows.enumerated() {
            for column in 0..<width - 1 { block.start[column * step + offset] *= factors[row] }
            block.start[(width - 1) * step + offset] = factors[row]
        }
    }

    /// The Moore–Penrose inverse of the symmetric matrix whose upper triangle is given, and its rank.
    private static func pseudoInverse(_ matrix: DoubleBuffer, _ order: Int) throws(MetaLearnersError)
        -> (DoubleBuffer, Int)
    {
        let values = try SymmetricEigen.decompose(matrix, order: order)
        let limit = (values.last ?? 0) * Double(order) * 1e-13
        let scaled = try DoubleBuffer(order * order)
        var rank = 0
        for (column, value) in values.enumerated() where value > limit {
            rank += 1
            for row in 0..<order {
                scaled.start[column * order + row] = matrix.start[column * order + row] / value
            }
        }
        let inverse = try DoubleBuffer(order * order)
        BLAS.gemm(
            .plain, .transposed, Int32(order), Int32(order), Int32(order), 1,
            scaled.start, Int32(order), matrix.start, Int32(order), 0, inverse.start, Int32(order))
        return (inverse, rank)
    }
}
