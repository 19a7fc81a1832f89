import MetaLearnersCore

/// The solution of an elastic net at a penalty that is given or chosen by cross-validation.
///
/// The penalties compared are a geometric sequence from the least at which every coefficient is 0. A fold's loss is that
/// of the model fitted to the others, columns standardised over all rows; the losses of the folds are added and divided
/// by the total weight. Penalties are relative to the standard deviation of the response, so that the unit of the
/// response changes nothing; inside they stand in that unit.
struct PenaltyPath {
    /// One for each column.
    let coefficients: [Double]
    /// The penalty, for a response of standard deviation 1.
    let lambda: Double
    /// Whether every solution that decided anything is exact.
    let converged: Bool
    /// How the penalty was chosen; nil where it was given.
    let choice: PenaltyChoice?

    /// - Parameters:
    ///   - problem: with its rows ordered by fold.
    ///   - folds: ranges of its rows.
    /// - Throws: `numericalFailure` where sums overflow, `outOfMemory`, `cancelled`.
    init(
        _ problem: LeastSquares, _ folds: [Range<Int>], _ spec: any PenaltyPathSpec,
        _ context: ExecutionContext
    ) throws(MetaLearnersError) {
        let source = try CovarianceSource(problem, folds, context)
        let scale = try Self.scale(problem)
        let descent = try source.descent(without: nil, l1Ratio: spec.l1Ratio, scale: scale)
        let largest = descent.largestMoment / spec.l1Ratio
        guard largest.isFinite, scale.isFinite else { throw LeastSquares.overflow }
        guard largest > 0, scale > 0 else {
            coefficients = [Double](repeating: 0, count: problem.design.width)
            lambda = spec.lambda ?? 0
            converged = true
            choice = nil
            return
        }
        let distribution = problem.distribution
        let penalties = try distribution.agreed(
            (0..<spec.pathLength).map { step in
                largest * Double.exp(Double.log(spec.pathRatio) * Double(step) / Double(spec.pathLength - 1))
            })
        var foldsConverged = true
        let penalty: Double
        if let lambda = spec.lambda {
            penalty = lambda * scale
            choice = nil
        } else if folds.count < 2 {
            penalty = largest
            choice = nil
        } else {
            let l1Ratio = spec.l1Ratio
            let parts = try ParallelParts.run(folds.count, context) { fold throws(MetaLearnersError) in
                let descent = try source.descent(without: fold, l1Ratio: l1Ratio, scale: scale)
                var losses: [Double] = []
                var exact: [Bool] = []
                for penalty in penalties {
                    try descent.advance(to: penalty, context)
                    losses.append(descent.heldOutLoss())
                    exact.append(descent.converged)
                }
                return (losses: losses, exact: exact)
            }
            let weights = try distribution.sum(
                folds.map { range in problem.factors[range].reduce(0) { $0 + $1 * $1 } })
            let losses = try parts.map { part throws(MetaLearnersError) in
                try distribution.agreed(part.losses)
            }
            let chosen = Self.choice(losses, weights: weights, spec.selection)
            let total = weights.reduce(0, +)
            choice = PenaltyChoice(
                criterion: "cross_validated_squared_error", penalties: penalties.map { $0 / scale },
                errors: penalties.indices.map { step in losses.reduce(0) { $0 + $1[step] } / total },
                chosen: chosen)
            // Where no penalty is left to speak of, there may be no single solution: that harms nobody.
            foldsConverged = parts.allSatisfy { $0.exact[chosen] }
            penalty = penalties[chosen]
        }
        lambda = spec.lambda ?? penalty / scale
        for larger in penalties where larger > penalty { try descent.advance(to: larger, context) }
        try descent.advance(to: penalty, context)
        guard descent.coefficients.allSatisfy(\.isFinite) else { throw LeastSquares.overflow }
        // (All take the first process's: processors of different kinds may round differently.)
        let agreed = try distribution.agreed(
            descent.coefficients + [foldsConverged && descent.converged ? 1 : 0])
        coefficients = Array(agreed.dropLast())
        converged = agreed.last == 1
    }

    /// The standard deviation of the response: √(Σ v²/Σ f²), v having no mean. Numbers are brought near 1 first, so that
    /// no square overflows or vanishes.
    private static func scale(_ problem: LeastSquares) throws(MetaLearnersError) -> Double {
        let distribution = problem.distribution
        let largest = try distribution.maximum([problem.responses.reduce(0) { max($0, abs($1)) }])[0]
        guard largest > 0, largest.isFinite else { return largest }
        let unit = Double(sign: .plus, exponent: largest.exponent, significand: 1)
        let squares = problem.responses.reduce(0) { $0 + ($1 / unit) * ($1 / unit) }
        let sums = try distribution.sum([squares, problem.factors.reduce(0) { $0 + $1 * $1 }])
        return unit * (sums[0] / sums[1]).squareRoot()
    }

    /// Which penalty is taken, given the losses of each fold at each penalty, penalties descending.
    ///
    /// - Parameter weights: the total weight of each fold.
    static func choice(_ losses: [[Double]], weights: [Double], _ selection: LambdaSelection) -> Int {
        let total = weights.reduce(0, +)
        let count = losses.first?.count ?? 0
        let errors = (0..<count).map { step in losses.reduce(0) { $0 + $1[step] } / total }
        guard let least = errors.indices.min(by: { errors[$0] < errors[$1] }) else { return 0 }
        guard selection == .oneStandardError else { return least }
        // The folds' mean errors scatter around that of all rows.
        var variance = 0.0
        for (fold, weight) in zip(losses, weights) {
            let deviation = fold[least] / weight - errors[least]
            variance += weight / total * deviation * deviation
        }
        let bound = errors[least] + (variance / Double(losses.count - 1)).squareRoot()
        return errors.firstIndex { $0 <= bound } ?? least
    }
}
