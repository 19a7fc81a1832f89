import MetaLearnersCore

/// Proximal Newton steps on a logistic loss whose whole Hessian is made.
struct ProximalDescent {
    /// The most sweeps of coordinate descent in a step.
    private static let sweepLimit = 1000

    private let loss: any LogisticObjective
    private let l1: Double
    private let maxIterations: Int
    private let tolerance: Double

    init(_ loss: any LogisticObjective, l1: Double, maxIterations: Int, tolerance: Double) {
        self.loss = loss
        self.l1 = l1
        self.maxIterations = maxIterations
        self.tolerance = tolerance
    }

    func solve(from start: DoubleBuffer, _ context: ExecutionContext) throws(MetaLearnersError)
        -> NewtonSolver.Solution
    {
        let count = loss.parameterCount
        var parameters = start
        var point = try loss.evaluate(parameters, .matrix, context)
        for iteration in 1...max(1, maxIterations) {
            try context.checkCancellation()
            guard point.loss.isFinite, point.gradient.isFinite, let hessian = point.hessian, hessian.isFinite
            else { throw NewtonSolver.overflow }
            let target = try minimum(point.gradient, hessian, from: parameters)
            guard target.isFinite else { throw NewtonSolver.overflow }
            let penalty = penalty(parameters)
            // What the first-order model with the penalty promises for the whole step: never positive.
            var promise = self.penalty(target) - penalty
            var change = 0.0
            var largest = 0.0
            for index in 0..<count {
                let step = target.start[index] - parameters.start[index]
                promise += point.gradient.start[index] * step
                change = max(change, abs(step))
                largest = max(largest, abs(target.start[index]))
            }
            let slack = 1e-12 * abs(point.loss + penalty)
            var length = 1.0
            var next: (DoubleBuffer, LogisticEvaluation)?
            while next == nil, length > 1e-10 {
                let trial = try DoubleBuffer(count)
                for index in 0..<count {
                    let from = parameters.start[index]
                    trial.start[index] =
                        length == 1 ? target.start[index] : from + length * (target.start[index] - from)
                }
                let evaluation = try loss.evaluate(trial, .matrix, context)
                let value = evaluation.loss + self.penalty(trial)
                if value <= point.loss + penalty + 1e-4 * length * min(promise, 0) + slack {
                    next = (trial, evaluation)
                } else {
                    length /= 2
                }
            }
            guard let next else {
                // Where the promised gain is within rounding, there is nothing left to gain.
                return NewtonSolver.Solution(
                    parameters: parameters, converged: -promise <= slack, iterations: iteration)
            }
            (parameters, point) = next
            if length == 1, change <= tolerance * (1 + largest) {
                return NewtonSolver.Solution(parameters: parameters, converged: true, iterations: iteration)
            }
        }
        return NewtonSolver.Solution(parameters: parameters, converged: false, iterations: maxIterations)
    }

    private func isIntercept(_ index: Int) -> Bool { index % loss.size == loss.size - 1 }

    /// l1·|β|₁.
    private func penalty(_ parameters: DoubleBuffer) -> Double {
        var sum = 0.0
        for index in 0..<loss.parameterCount where !isIntercept(index) { sum += abs(parameters.start[index]) }
        return l1 * sum
    }

    /// The minimum of g·(u − β) + ½·(u − β)'H(u − β) + l1·|u|₁ over u, by coordinate descent: over all parameters, then
    /// over those that are not 0 until these have settled, and so on.
    private func minimum(_ gradient: DoubleBuffer, _ hessian: DoubleBuffer, from start: DoubleBuffer)
        throws(MetaLearnersError) -> DoubleBuffer
    {
        let count = loss.parameterCount
        for column in 0..<count {
            for row in 0..<column {
                hessian.start[row * count + column] = hessian.start[column * count + row]
            }
        }
        let target = try DoubleBuffer(count)
        target.start.update(from: start.start, count: count)
        // The gradient of the smooth part at u.
        let slope = try DoubleBuffer(count)
        slope.start.update(from: gradient.start, count: count)
        let everything = Array(0..<count)
        var sweeps = 0
        while sweeps < Self.sweepLimit {
            let change = sweep(everything, hessian, slope, target)
            sweeps += 1
            if change.largest <= 0.01 * tolerance * (1 + change.size) { break }
            let support = everything.filter { target.start[$0] != 0 || isIntercept($0) }
            guard support.count < count else { continue }
            while sweeps < Self.sweepLimit {
                let change = sweep(support, hessian, slope, target)
                sweeps += 1
                if change.largest <= 0.01 * tolerance * (1 + change.size) { break }
            }
        }
        return target
    }

    /// Minimises over each of `indices` in turn; the largest change, and the largest parameter.
    private func sweep(
        _ indices: [Int], _ hessian: DoubleBuffer, _ slope: DoubleBuffer, _ target: DoubleBuffer
    ) -> (largest: Double, size: Double) {
        let count = loss.parameterCount
        var largest = 0.0
        var size = 0.0
        for index in indices {
            let column = hessian.start + index * count
            let curvature = column[index]
            guard curvature > 0 else { continue }
            let old = target.start[index]
            let pull = curvature * old - slope.start[index]
            let penalty = isIntercept(index) ? 0 : l1
            let excess = abs(pull) - penalty
            let new = excess > 0 ? (pull > 0 ? excess : -excess) / curvature : 0
            size = max(size, abs(new))
            guard new != old else { continue }
            target.start[index] = new
            let step = new - old
            largest = max(largest, abs(step))
            for row in 0..<count { slope.start[row] += step * column[row] }
        }
        return (largest, size)
    }
}
