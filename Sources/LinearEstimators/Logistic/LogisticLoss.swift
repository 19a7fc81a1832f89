import MetaLearnersCore

/// A logistic loss whose rows are made, or kept, block by block.
final class LogisticLoss: LogisticObjective {
    private let design: DesignBlocks
    let classes: ClassLabels
    /// The penalty.
    var l2: Double
    /// How many linear functions there are.
    let functions: Int
    /// Columns of the design matrix, and the intercept.
    let size: Int
    private let step = DesignBlocks.rowsPerBlock
    private let block: DoubleBuffer
    private let scaled: DoubleBuffer
    /// For each function, each row of the block: η, then the derivative.
    private let linear: DoubleBuffer

    init(_ design: DesignBlocks, _ classes: ClassLabels, l2: Double) throws(MetaLearnersError) {
        self.design = design
        self.classes = classes
        self.l2 = l2
        functions = classes.present.count == 2 ? 1 : classes.present.count
        size = design.width + 1
        block = try DoubleBuffer(size * step)
        scaled = try DoubleBuffer(size * step)
        linear = try DoubleBuffer(functions * step)
        (block.start + design.width * step).update(repeating: 1, count: step)
    }

    /// The loss at `parameters`, with its derivatives.
    ///
    /// - Parameter dense: whether to make the Hessian, or else what products with it need.
    /// - Complexity: O(rows × columns² × functions²) with the Hessian, else O(rows × columns × functions).
    func evaluate(_ parameters: DoubleBuffer, dense: Bool, _ context: ExecutionContext)
        throws(MetaLearnersError) -> LogisticEvaluation
    {
        let gradient = try DoubleBuffer(parameterCount)
        let hessian = dense ? try DoubleBuffer(parameterCount * parameterCount) : nil
        var probabilities = [Double](repeating: 0, count: dense ? 0 : classes.rows.count * functions)
        var diagonal = [Double](repeating: 0, count: dense ? 0 : parameterCount)
        let inBlock = try DoubleBuffer(functions * step)
        let rows = LogisticRows(functions: functions, classes: classes)
        var loss = 0.0
        try design.forEach(into: block, context) { range throws(MetaLearnersError) in
            multiply(parameters, range.count)
            loss += rows.fill(range, linear.start, inBlock.start, stride: step)
            if let hessian {
                addHessian(range, inBlock, to: hessian)
            } else {
                for function in 0..<functions {
                    for (offset, row) in range.enumerated() {
                        probabilities[row * functions + function] = inBlock.start[function * step + offset]
                    }
                }
                addDiagonal(range, inBlock, to: &diagonal)
            }
            addTransposed(range.count, to: gradient)
        }
        if let distribution = classes.distribution {
            loss = try distribution.sum([loss])[0]
            for buffer in [gradient, hessian].compactMap(\.self) {
                try distribution.sum(
                    numbers: UnsafeMutableBufferPointer(start: buffer.start, count: buffer.count))
            }
        }
        loss += addPenalty(parameters, gradient: gradient, hessian: hessian, diagonal: &diagonal)
        if let hessian { completeHessian(hessian) }
        return LogisticEvaluation(
            loss: loss, gradient: gradient, hessian: hessian, probabilities: probabilities, diagonal: diagonal
        )
    }

    /// The product of the Hessian at `point` with `direction`. O(rows × columns × functions).
    func hessianProduct(_ point: LogisticEvaluation, _ direction: DoubleBuffer, _ context: ExecutionContext)
        throws(MetaLearnersError) -> DoubleBuffer
    {
        let product = try DoubleBuffer(parameterCount)
        try design.forEach(into: block, context) { range throws(MetaLearnersError) in
            multiply(direction, range.count)
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
            addTransposed(range.count, to: product)
        }
        addPenaltyProduct(direction, to: product)
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
    private func multiply(_ parameters: DoubleBuffer, _ rows: Int) {
        BLAS.gemm(
            .plain, .plain, Int32(rows), Int32(functions), Int32(size), 1,
            block.start,
            Int32(step), parameters.start, Int32(size), 0, linear.start, Int32(step))
    }

    /// target += block' · linear.
    private func addTransposed(_ rows: Int, to target: DoubleBuffer) {
        BLAS.gemm(
            .transposed, .plain, Int32(size), Int32(functions), Int32(rows), 1,
            block.start,
            Int32(step), linear.start, Int32(step), 1, target.start, Int32(size))
    }

    private func addHessian(_ range: Range<Int>, _ probabilities: DoubleBuffer, to hessian: DoubleBuffer) {
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

    private func addDiagonal(_ range: Range<Int>, _ probabilities: DoubleBuffer, to diagonal: inout [Double])
    {
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
