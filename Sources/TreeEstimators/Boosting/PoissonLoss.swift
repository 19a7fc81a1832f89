import MetaLearnersCore

/// The Poisson deviance of counts with a logarithmic link, Σ w(μ − y log μ), μ = exp(score).
///
/// A row's gradient is w(y − μ) and its Hessian wμ. A leaf multiplies the means of its rows by 1 + T(G)/(H + λ): with
/// λ = α = 0 by Σwy / Σwμ, which minimises the deviance exactly, and so no step needs to be cut short; λ acts as
/// so much mean weight of counts that are just as predicted.
struct PoissonLoss: RefreshedLoss {
    private let problem: BoostingProblem
    /// The mean of each row.
    private let means: AlignedBuffer<Double>
    let baseScore: Double
    let isHopeless: Bool
    let largestValue = 1.0
    /// Of weighted counts, which bound the gradients and, as far as they are learned, the Hessians.
    let sizes: (total: Double, largest: Double)

    /// The logarithm of a mean that is no more than 0 in the numbers of a machine.
    private static let scoreOfZero = -746.0
    /// A leaf divides means by a thousand at most.
    private static let leastFactor = 0.001

    /// Starts at the weighted mean of the training rows.
    ///
    /// - Throws: `outOfMemory`.
    init(_ problem: BoostingProblem) throws(MetaLearnersError) {
        self.problem = problem
        var total = 0.0
        var weight = 0.0
        var largest = 0.0
        let target = problem.task.numbers
        for row in problem.rows.training {
            let share = problem.task.weights?[Int(row)] ?? 1
            weight += share
            total += share * target[Int(row)]
            largest = max(largest, share * target[Int(row)])
        }
        sizes = (total, largest)
        let mean = weight > 0 ? total / weight : 0
        isHopeless = !(total > 0) || !total.isFinite || !weight.isFinite
        baseScore = mean > 0 ? min(Double.log(mean), Double.log(.greatestFiniteMagnitude)) : Self.scoreOfZero
        means = try AlignedBuffer(uninitialized: problem.matrix.rowCount)
        let start = Double.exp(baseScore)
        problem.eachRow { means.start[$0] = start }
    }

    func fill<Cell: RefreshedCell>(_: Cell.Type, _ gradients: AlignedBuffer<Cell.Row>) -> GradientScales? {
        let target = problem.task.numbers
        let weights = problem.task.weights
        let all = problem.rows.partials(of: problem.rows.training, problem.team, GradientMagnitudes()) {
            sums, row in
            let weight = weights?[row] ?? 1
            let mean = means.start[row]
            sums.add(gradient: weight * abs(target[row] - mean), hessian: weight * mean)
        }.reduce(into: GradientMagnitudes()) { $0.add($1) }
        guard all.gradient.isFinite, all.hessian.isFinite else { return nil }
        let scales = Cell.scales(all, countShift: problem.countShift)
        problem.eachRow(heldOutToo: false) { row in
            let weight = weights?[row] ?? 1
            let mean = means.start[row]
            // No row is without a Hessian, so that no gain is without bound.
            gradients.start[row] = Cell.row(
                gradient: weight * (target[row] - mean) * scales.gradient,
                hessian: max(1, weight * mean * scales.hessian), number: row)
        }
        return scales
    }

    func values(_ tree: GrownTree, _ rules: GrowthRules) -> [Double] {
        // The logarithm rises with the Newton step, so that values in order stay so.
        zip(tree.leaves, tree.bounds).map {
            Double.log(max(1 + rules.optimum($0, within: $1), Self.leastFactor))
        }
    }

    func advance(_ values: [Double]) {
        let factors = values.map { Double.exp($0) }
        problem.eachLeafOfRows { leaf, row in
            means.start[row] = min(means.start[row] * factors[leaf], .greatestFiniteMagnitude)
        }
    }

    func heldOutLoss() throws(MetaLearnersError) -> Double {
        let task = problem.task
        let target = task.numbers
        return try problem.rows.heldOutSum(problem.team) { row in
            let mean = means.start[row]
            let count = target[row]
            let logarithm = count > 0 ? Double.log(max(mean, .leastNormalMagnitude)) : 0
            return (task.weights?[row] ?? 1) * (mean - count * logarithm)
        }
    }
}
