import MetaLearnersCore

/// A logistic loss over sparse rows.
final class SparseLogisticLoss: LogisticObjective {
    private let design: SparseRows
    let classes: ClassLabels
    var l2: Double
    let functions: Int
    let size: Int

    private var width: Int { size - 1 }

    init(_ design: SparseRows, _ classes: ClassLabels, l2: Double) {
        self.design = design
        self.classes = classes
        self.l2 = l2
        functions = classes.present.count == 2 ? 1 : classes.present.count
        size = design.width + 1
    }

    func selecting(_ columns: [Int], _ context: ExecutionContext) throws(MetaLearnersError)
        -> any LogisticObjective
    {
        SparseLogisticLoss(design.selecting(columns), classes, l2: l2)
    }

    /// - Complexity: O(stored values × functions), with the Hessian O(Σ stored values of a row² × functions²).
    func evaluate(_ parameters: DoubleBuffer, _ curvature: LogisticCurvature, _ context: ExecutionContext)
        throws(MetaLearnersError) -> LogisticEvaluation
    {
        try context.checkCancellation()
        let count = design.count
        let linear = try linearFunctions(parameters)
        let probabilities = try DoubleBuffer(functions * count)
        let loss = LogisticRows(functions: functions, classes: classes)
            .fill(0..<count, linear.start, probabilities.start, stride: count)
        let gradient = try DoubleBuffer(parameterCount)
        addTransposed(linear, to: gradient)
        let hessian = curvature == .matrix ? try DoubleBuffer(parameterCount * parameterCount) : nil
        var diagonal = [Double](repeating: 0, count: curvature == .products ? parameterCount : 0)
        var byRow: [Double] = []
        if let hessian {
            try fillHessian(probabilities, hessian)
        } else if curvature == .products {
            fillDiagonal(probabilities, &diagonal)
            byRow = [Double](repeating: 0, count: count * functions)
            for function in 0..<functions {
                for row in 0..<count {
                    byRow[row * functions + function] = probabilities.start[function * count + row]
                }
            }
        }
        let penalty = addPenalty(parameters, gradient: gradient, hessian: hessian, diagonal: &diagonal)
        return LogisticEvaluation(
            loss: loss + penalty, gradient: gradient, hessian: hessian, probabilities: byRow,
            diagonal: diagonal)
    }

    func hessianProduct(_ point: LogisticEvaluation, _ direction: DoubleBuffer, _ context: ExecutionContext)
        throws(MetaLearnersError) -> DoubleBuffer
    {
        try context.checkCancellation()
        let count = design.count
        let linear = try linearFunctions(direction)
        for row in 0..<count {
            var mean = 0.0
            for function in 0..<functions {
                mean += point.probabilities[row * functions + function] * linear.start[function * count + row]
            }
            for function in 0..<functions {
                let probability = point.probabilities[row * functions + function]
                linear.start[function * count + row] =
                    classes.weights[row] * probability * (linear.start[function * count + row] - mean)
            }
        }
        let product = try DoubleBuffer(parameterCount)
        addTransposed(linear, to: product)
        addPenaltyProduct(direction, to: product)
        return product
    }

    /// b + z·β of each function, one function after another.
    private func linearFunctions(_ parameters: DoubleBuffer) throws(MetaLearnersError) -> DoubleBuffer {
        let count = design.count
        let linear = try DoubleBuffer(functions * count)
        for function in 0..<functions {
            let first = parameters.start + function * size
            let target = linear.start + function * count
            design.multiply(first, to: target)
            for row in 0..<count { target[row] += first[width] }
        }
        return linear
    }

    /// Adds Σ z·derivative and Σ derivative of each function.
    private func addTransposed(_ derivatives: DoubleBuffer, to target: DoubleBuffer) {
        for function in 0..<functions {
            let source = derivatives.start + function * design.count
            design.addTransposed(source, to: target.start + function * size)
            for row in 0..<design.count { target.start[function * size + width] += source[row] }
        }
    }

    private func fillHessian(_ probabilities: DoubleBuffer, _ hessian: DoubleBuffer) throws(MetaLearnersError)
    {
        let count = design.count
        let lead = parameterCount
        let roots = try DoubleBuffer(count)
        let zeros = try DoubleBuffer(count)
        let order = width + 2
        for first in 0..<functions {
            let p = probabilities.start + first * count
            for second in first..<functions {
                let q = probabilities.start + second * count
                for row in 0..<count {
                    let curvature = first == second ? p[row] * (1 - p[row]) : p[row] * q[row]
                    roots.start[row] = (classes.weights[row] * curvature).squareRoot()
                }
                // The sums for f and f·z are those of intercept and coefficients.
                let sums = try DoubleBuffer(order * order)
                try design.addGram(roots.start, zeros.start, to: sums)
                let sign = first == second ? 1.0 : -1.0
                for column in 0..<size {
                    let target = hessian.start + (second * size + column) * lead + first * size
                    for row in 0...column { target[row] = sign * sums.start[column * order + row] }
                }
            }
        }
        completeHessian(hessian)
    }

    private func fillDiagonal(_ probabilities: DoubleBuffer, _ diagonal: inout [Double]) {
        let count = design.count
        var curvatures = [Double](repeating: 0, count: count)
        for function in 0..<functions {
            let p = probabilities.start + function * count
            for row in 0..<count { curvatures[row] = classes.weights[row] * p[row] * (1 - p[row]) }
            diagonal.withUnsafeMutableBufferPointer { diagonal in
                guard let start = diagonal.baseAddress else { return }
                design.addSquares(curvatures, to: start + function * size)
            }
            diagonal[function * size + width] = curvatures.reduce(0, +)
        }
    }
}
