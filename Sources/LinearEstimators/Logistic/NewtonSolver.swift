import MetaLearnersCore

/// Minimises a logistic loss by Newton's method with step halving.
///
/// Up to `denseLimit` parameters a step solves the whole system by Cholesky; above that by conjugate gradients,
/// which need only products with the Hessian (truncated Newton; Nocedal & Wright 2006, section 7.1).
struct NewtonSolver {
    /// The most parameters of which the Hessian is made.
    static let denseLimit = 1000

    let loss: any LogisticObjective
    /// The most steps.
    let maxIterations: Int
    /// Converged is where a full step changes no parameter by more than this, relative to one plus the largest.
    let tolerance: Double
    let denseLimit: Int

    /// What came out.
    struct Solution {
        let parameters: DoubleBuffer
        let converged: Bool
        let iterations: Int
    }

    /// - Parameter start: where to begin; nil where nothing better is known than the classes' shares.
    /// - Throws: `numericalFailure` where numbers overflow, `outOfMemory`, `cancelled`.
    func solve(from start: DoubleBuffer? = nil, _ context: ExecutionContext) throws(MetaLearnersError)
        -> Solution
    {
        let dense = loss.parameterCount <= denseLimit
        var parameters: DoubleBuffer
        if let start { parameters = start } else { parameters = try loss.startingPoint() }
        try loss.agree(parameters)
        var point = try loss.evaluate(parameters, dense: dense, context)
        var firstNorm = 0.0
        for iteration in 1...max(1, maxIterations) {
            try context.checkCancellation()
            guard point.loss.isFinite, point.gradient.isFinite else { throw Self.overflow }
            let direction =
                try dense ? newtonDirection(point) : truncatedDirection(point, &firstNorm, context)
            guard direction.isFinite else { throw Self.overflow }
            try loss.agree(direction)
            var length = 1.0
            // Rounding alone may raise the loss by as much.
            let slack = 1e-12 * abs(point.loss)
            var next: (DoubleBuffer, LogisticEvaluation)?
            while next == nil, length > 1e-10 {
                let trial = try DoubleBuffer(loss.parameterCount)
                for index in 0..<trial.count {
                    trial.start[index] = parameters.start[index] + length * direction.start[index]
                }
                let evaluation = try loss.evaluate(trial, dense: dense, context)
                if evaluation.loss <= point.loss + slack {
                    next = (trial, evaluation)
                } else {
                    length /= 2
                }
            }
            guard let next else {
                // Where the promised gain is within rounding, there is nothing left to gain.
                var gain = 0.0
                for index in 0..<parameters.count {
                    gain -= point.gradient.start[index] * direction.start[index]
                }
                return Solution(parameters: parameters, converged: gain <= slack, iterations: iteration)
            }
            (parameters, point) = next
            var largest = 0.0
            var change = 0.0
            for index in 0..<parameters.count {
                largest = max(largest, abs(parameters.start[index]))
                change = max(change, abs(direction.start[index]))
            }
            if length == 1, change <= tolerance * (1 + largest) {
                return Solution(parameters: parameters, converged: true, iterations: iteration)
            }
        }
        return Solution(parameters: parameters, converged: false, iterations: maxIterations)
    }

    static let overflow = MetaLearnersError(
        .numericalFailure, at: "logistic", "the likelihood overflows", remedy: "rescale the weights")

    /// −H⁻¹g. Where H is singular to rounding, its diagonal is raised as little as it takes.
    private func newtonDirection(_ point: LogisticEvaluation) throws(MetaLearnersError) -> DoubleBuffer {
        guard let hessian = point.hessian, hessian.isFinite else { throw Self.overflow }
        let order = loss.parameterCount
        var largest = 0.0
        for index in 0..<order { largest = max(largest, hessian.start[index * (order + 1)]) }
        var damping = 0.0
        while damping <= largest {
            let matrix = try DoubleBuffer(hessian.count)
            matrix.start.update(from: hessian.start, count: hessian.count)
            for index in 0..<order { matrix.start[index * (order + 1)] += damping }
            if let factor = try CholeskyFactor(matrix, order: order) {
                let direction = try DoubleBuffer(order)
                for index in 0..<order { direction.start[index] = -point.gradient.start[index] }
                factor.solve(direction)
                return direction
            }
            damping = max(damping * 100, largest * 1e-14, Double.leastNormalMagnitude)
        }
        throw Self.overflow
    }

    /// −H⁻¹g by conjugate gradients, preconditioned with the diagonal, to a residual that shrinks with the
    /// gradient; `firstNorm` is the squared norm of the first step's gradient, 0 before that.
    private func truncatedDirection(
        _ point: LogisticEvaluation, _ firstNorm: inout Double, _ context: ExecutionContext
    ) throws(MetaLearnersError) -> DoubleBuffer {
        let count = loss.parameterCount
        let inverse = point.diagonal.map { $0 > 0 ? 1 / $0 : 1 }
        let direction = try DoubleBuffer(count)
        let residual = try DoubleBuffer(count)
        let search = try DoubleBuffer(count)
        var product = 0.0
        for index in 0..<count {
            residual.start[index] = -point.gradient.start[index]
            search.start[index] = inverse[index] * residual.start[index]
            product += residual.start[index] * search.start[index]
        }
        // The first steps need only a direction; the last ones converge faster than linearly (Dembo, Eisenstat &
        // Steihaug 1982). Squares of norms, hence the small numbers.
        if firstNorm == 0 { firstNorm = product }
        let target = product * max(1e-12, min(1e-2, product / firstNorm))
        for _ in 0..<min(2 * count, 500) where product > target {
            try context.checkCancellation()
            let curved = try loss.hessianProduct(point, search, context)
            // (Plain loops round alike on every processor: they decide how many products the processes make.)
            var curvature = 0.0
            for index in 0..<count { curvature += search.start[index] * curved.start[index] }
            guard curvature > 0 else { break }
            let length = product / curvature
            var next = 0.0
            for index in 0..<count {
                direction.start[index] += length * search.start[index]
                residual.start[index] -= length * curved.start[index]
                next += residual.start[index] * inverse[index] * residual.start[index]
            }
            let ratio = next / product
            for index in 0..<count {
                search.start[index] = inverse[index] * residual.start[index] + ratio * search.start[index]
            }
            product = next
        }
        return direction
    }
}
