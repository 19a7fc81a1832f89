import MetaLearnersCore

/// A logistic loss whose rows are made, or kept, block by block.
///
/// Of rows that several processes hold, sums are those of all. Fits then come one after another, so that the rows here are cut
/// into parts that the threads share: their sizes follow from the rows alone, and parts are added in their order.
final class LogisticLoss: LogisticObjective, @unchecked Sendable {  // Threads write to scratch of their own.
    private let design: DesignBlocks
    let classes: ClassLabels
    /// The penalty.
    var l2: Double
    /// How many linear functions there are.
    let functions: Int
    /// Columns of the design matrix, and the intercept.
    let size: Int
    private let step = DesignBlocks.rowsPerBlock
    /// The rows that are summed by one thread at a time, with its scratch.
    private let parts: [(rows: Range<Int>, scratch: Scratch)]

    /// The most parts, and the least blocks of one.
    private static let mostParts = 16
    private static let leastBlocks = 16

    /// What a thread works in.
    private struct Scratch {
        let block: DoubleBuffer
        let scaled: DoubleBuffer
        /// For each function, each row of the block: η, then the derivative.
        let linear: DoubleBuffer
        let probabilities: DoubleBuffer

        init(size: Int, functions: Int) throws(MetaLearnersError) {
            let step = DesignBlocks.rowsPerBlock
            block = try DoubleBuffer(size * step)
            scaled = try DoubleBuffer(size * step)
            linear = try DoubleBuffer(functions * step)
            probabilities = try DoubleBuffer(functions * step)
            (block.start + (size - 1) * step).update(repeating: 1, count: step)
        }
    }

    init(_ design: DesignBlocks, _ classes: ClassLabels, l2: Double) throws(MetaLearnersError) {
        self.design = design
        self.classes = classes
        self.l2 = l2
        functions = classes.present.count == 2 ? 1 : classes.present.count
        size = design.width + 1
        let blocks = (classes.rows.count + step - 1) / step
        let count =
            classes.distribution == nil ? 1 : min(max(blocks / Self.leastBlocks, 1), Self.mostParts)
        var parts: [(rows: Range<Int>, scratch: Scratch)] = []
        for part in 0..<count {
            let first = part * blocks / count * step
            let end = min((part + 1) * blocks / count * step, classes.rows.count)
            parts.append((min(first, end)..<end, try Scratch(size: size, functions: functions)))
        }
        self.parts = parts
    }

    /// The loss at `parameters`, with its derivatives.
    ///
    /// - Complexity: O(rows × columns² × functions²) with the Hessian, else O(rows × columns × functions).
    func evaluate(_ parameters: DoubleBuffer, _ curvature: LogisticCurvature, _ context: ExecutionContext)
        throws(MetaLearnersError) -> LogisticEvaluation
    {
        let found = try ParallelParts.run(parts.count, context) { part throws(MetaLearnersError) in
            try evaluate(part, parameters, curvature, context)
        }
        var loss = found[0].loss
        let gradient = found[0].gradient
        let hessian = found[0].hessian
        var diagonal = found[0].diagonal
        for part in found.dropFirst() {
            loss += part.loss
            Self.add(part.gradient, to: gradient)
            if let hessian, let other = part.hessian { Self.add(other, to: hessian) }
            for index in diagonal.indices { diagonal[index] += part.diagonal[index] }
        }
        if let distribution = classes.distribution {
            let sums = try distribution.sum([loss] + diagonal)
            loss = sums[0]
            diagonal = Array(sums.dropFirst())
            for buffer in [gradient, hessian].compactMap(\.self) {
                try distribution.sum(
                    numbers: UnsafeMutableBufferPointer(start: buffer.start, count: buffer.count))
            }
        }
        loss += addPenalty(parameters, gradient: gradient, hessian: hessian, diagonal: &diagonal)
        if let hessian { completeHessian(hessian) }
        return LogisticEvaluation(
            loss: loss, gradient: gradient, hessian: hessian,
            probabilities: found.flatMap(\.probabilities), diagonal: diagonal)
    }

    private static func add(_ other: DoubleBuffer, to sum: DoubleBuffer) {
        for index in 0..<sum.count { sum.start[index] += other.start[index] }
    }

    /// The sums over the rows of a part.
    private func evaluate(
        _ part: Int, _ parameters: DoubleBuffer, _ curvature: LogisticCurvature, _ context: ExecutionContext
    ) throws(MetaLearnersError) -> LogisticEvaluation {
        let (all, scratch) = parts[part]
        let gradient = try DoubleBuffer(parameterCount)
        let hessian = curvature == .matrix ? try DoubleBuffer(parameterCount * parameterCount) : nil
        let needsProducts = curvature == .products
        var probabilities = [Double](repeating: 0, count: needsProducts ? all.count * functions : 0)
        var diagonal = [Double](repeating: 0, count: needsProducts ? parameterCount : 0)
        let inBlock = scratch.probabilities
        let rows = LogisticRows(functions: functions, classes: classes)
        var loss = 0.0
        try design.forEach(into: scratch.block, part: all, context) { range throws(MetaLearnersError) in
            multiply(parameters, range.count, scratch)
            loss += rows.fill(range, scratch.linear.start, inBlock.start, stride: step)
            if let hessian {
                addHessian(range, scratch, to: hessian)
            } else if needsProducts {
                for function in 0..<functions {
                    for (offset, row) in range.enumerated() {
                        probabilities[(row - all.lowerBound) * functions + function] =
                            inBlock.start[function * step + offset]
                    }
                }
                addDiagonal(range, scratch, to: &diagonal)
            }
            addTransposed(range.count, scratch, to: gradient)
        }
        return LogisticEvaluation(
            loss: loss, gradient: gradient, hessian: hessian, probabilities: probabilities, diagonal: diagonal
        )
    }

    /// The product of the Hessian at `point` with `direction`. O(rows × columns × functions).
    func hessianProduct(_ point: LogisticEvaluation, _ direction: DoubleBuffer, _ context: ExecutionContext)
        throws(MetaLearnersError) -> DoubleBuffer
    {
        let found = try ParallelParts.run(parts.count, context) { part throws(MetaLearnersError) in
            try hessianProduct(part, point, direction, context)
        }
        let product = found[0]
        for part in found.dropFirst() { Self.add(part, to: product) }
        if let distribution = classes.distribution {
            try distribution.sum(
                numbers: UnsafeMutableBufferPointer(start: product.start, count: product.count))
        }
        addPenaltyProduct(direction, to: product)
        return product
    }

    private func hessianProduct(
        _ part: Int, _ point: LogisticEvaluation, _ direction: DoubleBuffer, _ context: ExecutionContext
    ) throws(MetaLearnersError) -> DoubleBuffer {
        let (all, scratch) = parts[part]
        let linear = scratch.linear
        let product = try DoubleBuffer(parameterCount)
        try design.forEach(into: scratch.block, part: all, context) { range throws(MetaLearnersError) in
            multiply(direction, range.count, scratch)
            for (offset, row) in range.enumerated() {
                let weight = classes.weights[row]
                var mean = 0.0
                for function in 0..<functions {
                    mean +=
                        point.probabilities[row * functions + function]
                        * linear.start[function * step + offset]
                }
                for function in 0..<functions {
                    let probability = point.probabilities[row * functions + function]
                    let value = linear.start[function * step + offset]
                    linear.start[function * step + offset] = weight * probability * (value - mean)
                }
            }
            addTransposed(range.count, scratch, to: product)
        }
        return product
    }

    /// The rows of the columns are kept where they are few enough.
    func selecting(_ columns: [Int], _ context: ExecutionContext) throws(MetaLearnersError)
        -> any LogisticObjective
    {
        let source = SelectedColumns(source: design.source, columns: columns)
        return try LogisticLoss(
            DesignBlocks(source, rows: design.rows).keeping(context), classes, l2: l2)
    }

    /// linear = block · parameters.
    private func multiply(_ parameters: DoubleBuffer, _ rows: Int, _ scratch: Scratch) {
        BLAS.gemm(
            .plain, .plain, Int32(rows), Int32(functions), Int32(size), 1,
            scratch.block.start,
            Int32(step), parameters.start, Int32(size), 0, scratch.linear.start, Int32(step))
    }

    /// target += block' · linear.
    private func addTransposed(_ rows: Int, _ scratch: Scratch, to target: DoubleBuffer) {
        BLAS.gemm(
            .transposed, .plain, Int32(size), Int32(functions), Int32(rows), 1,
            scratch.block.start,
            Int32(step), scratch.linear.start, Int32(step), 1, target.start, Int32(size))
    }

    private func addHessian(_ range: Range<Int>, _ scratch: Scratch, to hessian: DoubleBuffer) {
        let (block, scaled, probabilities) = (scratch.block, scratch.scaled, scratch.probabilities)
        let lead = parameterCount
        for first in 0..<functions {
            let p = probabilities.start + first * step
            for second in first..<functions {
                let q = probabilities.start + second * step
                for (offset, row) in range.enumerated() {
                    let curvature = first == second ? p[offset] * (1 - p[offset]) : p[offset] * q[offset]
                    let root = (classes.weights[row] * curvature).squareRoot()
                    scaled.start[design.width * step + offset] = root
                }
                let roots = scaled.start + design.width * step
                for column in 0..<design.width {
                    let source = block.start + column * step
                    let target = scaled.start + column * step
                    for offset in 0..<range.count { target[offset] = source[offset] * roots[offset] }
                }
                BLAS.syrk(
                    .transposed, Int32(size), Int32(range.count),
                    first == second ? 1 : -1, scaled.start, Int32(step), 1,
                    hessian.start + (second * size * lead + first * size), Int32(lead))
            }
        }
    }

    private func addDiagonal(_ range: Range<Int>, _ scratch: Scratch, to diagonal: inout [Double]) {
        let (block, scaled, probabilities) = (scratch.block, scratch.scaled, scratch.probabilities)
        for function in 0..<functions {
            let p = probabilities.start + function * step
            for (offset, row) in range.enumerated() {
                scaled.start[offset] = classes.weights[row] * p[offset] * (1 - p[offset])
            }
            for column in 0..<size {
                let values = block.start + column * step
                var sum = 0.0
                for offset in 0..<range.count {
                    sum += scaled.start[offset] * values[offset] * values[offset]
                }
                diagonal[function * size + column] += sum
            }
        }
    }
}
