import MetaLearnersCore

/// Minimises a logistic loss plus l1·|β|₁ by proximal Newton steps (Lee, Sun & Saunders 2014; Friedman, Hastie &
/// Tibshirani 2010): coordinate descent minimises the loss's second-order model plus the penalty, and the step towards
/// its minimum is halved until the sum falls as it should.
///
/// With many parameters it works on few columns: those with coefficients, and those whose gradient exceeds the
/// penalty, until there are none of these.
struct ProximalNewton {
    let loss: any LogisticObjective
    /// The penalty on absolute values.
    let l1: Double
    let maxIterations: Int
    let tolerance: Double
    let denseLimit: Int

    /// What came out: parameters of all columns.
    typealias Solution = NewtonSolver.Solution

    /// - Parameter start: where to begin; nil where nothing better is known than the classes' shares.
    /// - Throws: `numericalFailure` where numbers overflow, `outOfMemory`, `cancelled`.
    func solve(from start: DoubleBuffer? = nil, _ context: ExecutionContext) throws(MetaLearnersError)
        -> Solution
    {
        guard l1 > 0 else {
            return try NewtonSolver(
                loss: loss, maxIterations: maxIterations, tolerance: tolerance, denseLimit: denseLimit
            ).solve(from: start, context)
        }
        let parameters: DoubleBuffer
        if let start { parameters = start } else { parameters = try loss.startingPoint() }
        try loss.agree(parameters)
        guard loss.parameterCount > denseLimit else {
            return try ProximalDescent(loss, l1: l1, maxIterations: maxIterations, tolerance: tolerance)
                .solve(from: parameters, context)
        }
        return try solveBySelection(parameters, context)
    }

    /// Adds columns that violate the conditions of optimality until there are none.
    private func solveBySelection(_ start: DoubleBuffer, _ context: ExecutionContext)
        throws(MetaLearnersError)
        -> Solution
    {
        let width = loss.size - 1
        let functions = loss.functions
        let limit = denseLimit / functions - 1
        var whole = start
        var chosen = (0..<width).filter { column in
            (0..<functions).contains { whole.start[$0 * loss.size + column] != 0 }
        }
        var iterations = 0
        while true {
            try context.checkCancellation()
            // Without the penalty on squares: columns outside have coefficients of 0.
            let gradient = try loss.evaluate(whole, .none, context).gradient
            let members = Set(chosen)
            let slack = tolerance * loss.classes.totalWeight
            let violations = (0..<width).compactMap { column -> (column: Int, size: Double)? in
                guard !members.contains(column) else { return nil }
                let size = (0..<functions).map { abs(gradient.start[$0 * loss.size + column]) }.max() ?? 0
                return size > l1 + slack ? (column, size) : nil
            }
            if violations.isEmpty, iterations > 0 {
                return Solution(parameters: whole, converged: true, iterations: iterations)
            }
            let room = max(limit - chosen.count, 0)
            guard violations.isEmpty || room > 0 else {
                return Solution(parameters: whole, converged: false, iterations: iterations)
            }
            let added = violations.sorted { ($0.size, $1.column) > ($1.size, $0.column) }
                .prefix(min(room, max(32, chosen.count)))
            chosen = (chosen + added.map(\.column)).sorted()
            let part = try loss.selecting(chosen, context)
            let solution = try ProximalDescent(
                part, l1: l1, maxIterations: maxIterations, tolerance: tolerance
            ).solve(from: try gather(whole, chosen), context)
            iterations += solution.iterations
            whole = try scatter(solution.parameters, chosen)
            guard solution.converged else {
                return Solution(parameters: whole, converged: false, iterations: iterations)
            }
            chosen = chosen.filter { column in
                (0..<functions).contains { whole.start[$0 * loss.size + column] != 0 }
            }
        }
    }

    private func gather(_ whole: DoubleBuffer, _ columns: [Int]) throws(MetaLearnersError) -> DoubleBuffer {
        let size = columns.count + 1
        let part = try DoubleBuffer(loss.functions * size)
        for function in 0..<loss.functions {
            for (place, column) in columns.enumerated() {
                part.start[function * size + place] = whole.start[function * loss.size + column]
            }
            part.start[function * size + size - 1] = whole.start[function * loss.size + loss.size - 1]
        }
        return part
    }

    private func scatter(_ part: DoubleBuffer, _ columns: [Int]) throws(MetaLearnersError) -> DoubleBuffer {
        let size = columns.count + 1
        let whole = try DoubleBuffer(loss.parameterCount)
        for function in 0..<loss.functions {
            for (place, column) in columns.enumerated() {
                whole.start[function * loss.size + column] = part.start[function * size + place]
            }
            whole.start[function * loss.size + loss.size - 1] = part.start[function * size + size - 1]
        }
        return whole
    }
}
