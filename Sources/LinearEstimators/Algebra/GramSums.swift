import MetaLearnersCore

/// The sums of products, over rows, of every two of: the columns f·z of a least-squares problem, its factors f, and
/// its responses v. All that squared loss depends on, its intercept included.
struct GramSums: Sendable {
    /// How many columns of the design matrix there are.
    let width: Int
    /// The upper triangle by columns; behind those of the design matrix stand f and v.
    private let matrix: DoubleBuffer

    private var order: Int { width + 2 }

    private init(width: Int) throws(MetaLearnersError) {
        self.width = width
        matrix = try DoubleBuffer((width + 2) * (width + 2))
    }

    /// The sums of products of column `index` with those up to itself.
    func column(_ index: Int) -> UnsafePointer<Double> { UnsafePointer(matrix.start + index * order) }
    /// The sums of f·(f·z), one per column.
    var factor: UnsafePointer<Double> { column(width) }
    /// The sums of v·(f·z), one per column.
    var response: UnsafePointer<Double> { column(width + 1) }
    /// Σ f².
    var factorSquares: Double { factor[width] }
    /// Σ f·v.
    var factorResponse: Double { response[width] }
    /// Σ v².
    var responseSquares: Double { response[width + 1] }
    /// Whether nothing has overflowed.
    var isFinite: Bool { matrix.isFinite }

    /// Adds the sums over other rows.
    func add(_ other: GramSums) {
        BLAS.axpy(Int32(clamping: matrix.count), 1, other.matrix.start, 1, matrix.start, 1)
    }

    /// Adds the sums over the rows of other processes to several sets of sums of as many columns: the triangles that count, in
    /// one exchange.
    ///
    /// - Throws: `outOfMemory`, and what the collective throws.
    static func addOtherProcesses(_ parts: [GramSums], _ distribution: DistributedRows)
        throws(MetaLearnersError)
    {
        let message = try DoubleBuffer(parts.reduce(0) { $0 + $1.order * ($1.order + 1) / 2 })
        func eachColumn(_ body: (UnsafeMutablePointer<Double>, UnsafeMutablePointer<Double>, Int) -> Void) {
            var place = message.start
            for part in parts {
                for column in 0..<part.order {
                    body(part.matrix.start + column * part.order, place, column + 1)
                    place += column + 1
                }
            }
        }
        eachColumn { column, place, count in place.update(from: column, count: count) }
        try distribution.sum(
            numbers: UnsafeMutableBufferPointer(start: message.start, count: message.count))
        eachColumn { column, place, count in column.update(from: place, count: count) }
    }

    /// The sums over several sets of rows.
    ///
    /// - Throws: `outOfMemory`.
    static func total(_ parts: [GramSums], width: Int) throws(MetaLearnersError) -> GramSums {
        let total = try GramSums(width: width)
        for part in parts { total.add(part) }
        return total
    }

    /// The sums over all rows of `problem`.
    ///
    /// - Throws: `outOfMemory`, `cancelled`.
    /// - Complexity: O(rows × columns²), spread over the threads of `context`.
    static func of(_ problem: LeastSquares, _ context: ExecutionContext) throws(MetaLearnersError) -> GramSums
    {
        try total(
            of(problem, groups: [0..<problem.responses.count], context), width: problem.design.width)
    }

    /// The sums over each of some ranges of the rows of `problem`.
    ///
    /// Ranges are cut into chunks whose size depends on the number of columns alone, each chunk is summed by one
    /// thread, and chunks are added in their order: the same bits on any number of threads.
    ///
    /// - Throws: `outOfMemory`, `cancelled`.
    /// - Complexity: O(rows × columns²), spread over the threads of `context`; a matrix in memory for each group and
    ///   each thread.
    static func of(_ problem: LeastSquares, groups: [Range<Int>], _ context: ExecutionContext)
        throws(MetaLearnersError) -> [GramSums]
    {
        let width = problem.design.width
        let chunk = max(32, (width + 63) / 64) * DesignBlocks.rowsPerBlock
        var pieces: [(group: Int, rows: Range<Int>)] = []
        for (group, range) in groups.enumerated() {
            for start in stride(from: range.lowerBound, to: range.upperBound, by: chunk) {
                pieces.append((group, start..<min(start + chunk, range.upperBound)))
            }
        }
        var sums: [GramSums] = []
        for _ in groups { sums.append(try GramSums(width: width)) }
        for first in stride(from: 0, to: pieces.count, by: context.threads) {
            let wave = Array(pieces[first..<min(first + context.threads, pieces.count)])
            let parts = try ParallelParts.run(wave.count, context) { index throws(MetaLearnersError) in
                let part = try GramSums(width: width)
                try part.accumulate(problem.restricted(to: wave[index].rows), context)
                return part
            }
            for (piece, part) in zip(wave, parts) { sums[piece.group].add(part) }
        }
        return sums
    }

    /// The same for rows f·z that stand in `matrix`, by columns.
    ///
    /// - Throws: `outOfMemory`.
    static func of(_ matrix: DoubleBuffer, factors: [Double], responses: [Double], groups: [Range<Int>])
        throws(MetaLearnersError) -> [GramSums]
    {
        let rows = factors.count
        let width = matrix.count / max(rows, 1)
        let whole = try DoubleBuffer(rows * (width + 2))
        whole.start.update(from: matrix.start, count: rows * width)
        for row in 0..<rows {
            whole.start[width * rows + row] = factors[row]
            whole.start[(width + 1) * rows + row] = responses[row]
        }
        return try groups.map { range throws(MetaLearnersError) in
            let sums = try GramSums(width: width)
            BLAS.syrk(
                .transposed, Int32(width + 2), Int32(range.count), 1,
                whole.start + range.lowerBound, Int32(rows), 0, sums.matrix.start, Int32(width + 2))
            return sums
        }
    }

    private func accumulate(_ problem: LeastSquares, _ context: ExecutionContext) throws(MetaLearnersError) {
        if let sparse = problem.design.sparse {
            try context.checkCancellation()
            try sparse.addGram(problem.factors, problem.responses, to: matrix)
            return
        }
        let step = DesignBlocks.rowsPerBlock
        let block = try DoubleBuffer(order * step)
        try problem.forEachBlock(into: block, context) { range throws(MetaLearnersError) in
            let factors = block.start + width * step
            let responses = factors + step
            for (offset, row) in range.enumerated() {
                factors[offset] = problem.factors[row]
                responses[offset] = problem.responses[row]
            }
            BLAS.syrk(
                .transposed, Int32(order), Int32(range.count), 1, block.start,
                Int32(step), 1, matrix.start, Int32(order))
        }
    }
}
