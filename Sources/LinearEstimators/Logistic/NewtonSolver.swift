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
    /// The Hessian of solves before, at points and penalties near to this one; nil where each step makes its own.
    var kept: KeptHessian?

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
        let kept = dense ? kept : nil
        let curvature: LogisticCurvature = !dense ? .products : kept == nil ? .matrix : .none
        var parameters: DoubleBuffer
        if let start { parameters = start } else { parameters = try loss.startingPoint() }
        try loss.agree(parameters)
        var point = try loss.evaluate(parameters, kept?.isThere == false ? .matrix : curvature, context)
        var firstNorm = 0.0
        var changeBefore: Double?
        for iteration in 1...max(1, maxIterations) {
            try context.checkCancellation()
            guard point.loss.isFinite, point.gradient.isFinite else { throw Self.overflow }
            if let hessian = point.hessian { kept?.keep(hessian, l2: loss.l2) }
            let isOwn = kept == nil || point.hessian != nil
            let hessian = try isOwn ? point.hessian : kept?.hessian(loss)
            let direction =
                try dense
                ? newtonDirection(point.gradient, hessian) : truncatedDirection(point, &firstNorm, context)
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
                let evaluation = try loss.evaluate(trial, curvature, context)
                if evaluation.loss <= point.loss + slack {
                    next = (trial, evaluation)
                } else {
                    length /= 2
                }
            }
            guard let next else {
                if !isOwn {
                    point = try loss.evaluate(parameters, .matrix, context)
                    continue
                }
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
            let scale = tolerance * (1 + largest)
            // A step by the Hessian of the point squares the distance. By another Hessian distances shrink by a rate: what is left is
            // known from two steps, and has to be as small. (At a rate of a fifth at least: a direction that shrinks slowly may hide
            // behind one that shrinks fast.) Steps within rounding have no rate.
            var isSlow = length < 1
            var isThere = length == 1 && change <= scale
            if !isOwn, length == 1 {
                let rate = max(changeBefore.map { $0 > 0 ? change / $0 : 1 } ?? 1, 0.2)
                isThere =
                    change <= 1e-12 * (1 + largest)
                    || rate < 1 && change * rate / (1 - rate) <= scale * tolerance
                isSlow = changeBefore != nil && rate > 0.3
            }
            if isThere { return Solution(parameters: parameters, converged: true, iterations: iteration) }
            if kept != nil, isSlow { point = try loss.evaluate(parameters, .matrix, context) }
            changeBefore = change
        }
        return Solution(parameters: parameters, converged: false, iterations: maxIterations)
    }

    static let overflow = MetaLearnersError(
        .numericalFailure, at: "logistic", "the likelihood overflows", remedy: "rescale the weights")

    /// −H⁻¹g. Where H is singular to rounding, its diagonal is raised as little as it takes.
    private func newtonDirection(_ gradient: DoubleBuffer, _ hessian: DoubleBuffer?)
        throws(MetaLearnersError) -> DoubleBuffer
    {
        guard let hessian, hessian.isFinite else { throw Self.overflow }
        let order = loss.parameterCount
        var largest = 0.0
        for index in 0..<order { largest = max(largest, hessian.start[index * (order + 1)]) }
        var damping = 0.0
        while damping <= largest {
            let matrix = try DoubleBuffer(hessian.count)
            matrix.start.update(from: hessian.start, count: hessian.count)
            for index in 0..<order { matrix.start[index * (order + 1)] += damping }
            if let factor = try CholeskyFactor(matrix, order: order, .bound) {
                let direction = try DoubleBuffer(order)
                for index in 0..<order { direction.start[index] = -gradient.start[index] }
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

/// A Hessian that solves along a path of penalties share. It changes little from one to the next, and what the penalty is to it is known;
/// to make one takes many times as long as a gradient.
final class KeptHessian {
    private var matrix: DoubleBuffer?
    private var l2 = 0.0

    /// Whether there is one.
    var isThere: Bool { matrix != nil }

    /// Keeps the Hessian of a point at a penalty.
    func keep(_ hessian: DoubleBuffer, l2: Double) {
        matrix = hessian
        self.l2 = l2
    }

    /// The same with the penalty that `loss` has now.
    ///
    /// - Throws: `outOfMemory`.
    func hessian(_ loss: any LogisticObjective) throws(MetaLearnersError) -> DoubleBuffer? {
        guard let matrix else { return nil }
        let moved = try DoubleBuffer(matrix.count)
        moved.start.update(from: matrix.start, count: matrix.count)
        let order = loss.parameterCount
        for index in 0..<order where index % loss.size < loss.size - 1 {
            moved.start[index * (order + 1)] += loss.l2 - l2
        }
        return moved
    }
}
