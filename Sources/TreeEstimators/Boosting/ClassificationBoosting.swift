import CTreeKernels
import MetaLearnersCore

/// Boosting of the multinomial deviance: one tree per round for two classes, one per class and round for more.
///
/// Gradients are w(1{y=c} − p_c); Hessians w·p(1−p) for two classes and w·p_c(1−p_c)·K/(K−1) for K > 2
/// (Friedman 2001, Annals of Statistics 29, 1189–1232).
struct ClassificationBoosting {
    let problem: BoostingProblem
    let classes: Int
    /// The score of each class (for two classes: of class 1) before any tree.
    let baseScores: [Double]
    /// The weight of each class in the training rows.
    let classWeights: [Double]

    private static let leastShare = 1e-9

    /// - Throws: what the other processes of a collective fit have to say.
    init(_ problem: BoostingProblem, classes: Int) throws(MetaLearnersError) {
        self.problem = problem
        self.classes = classes
        // Sums are exact, so that they do not depend on which process holds which rows.
        var exact = [ExactSum](repeating: ExactSum(), count: classes)
        let task = problem.task
        let target = task.numbers
        if let weights = task.weights {
            for row in problem.rows.training { exact[Int(target[Int(row)])].add(weights[Int(row)]) }
        } else {
            var counts = [Int](repeating: 0, count: classes)
            for row in problem.rows.training { counts[Int(target[Int(row)])] += 1 }
            for (label, count) in counts.enumerated() { exact[label].add(Double(count)) }
        }
        if let distribution = problem.rows.distribution { exact = try distribution.sum(exact) }
        let sums = exact.map(\.value)
        classWeights = sums
        let total = sums.reduce(0, +)
        let shares = sums.map { min(max(total > 0 ? $0 / total : 0, Self.leastShare), 1 - Self.leastShare) }
        baseScores = classes == 2 ? [Double.log(shares[1] / shares[0])] : shares.map { Double.log($0) }
    }

    private var scoreCount: Int { baseScores.count }

    /// The scores for which trees are grown: a class that no row has needs none, nor does the only one.
    private var grownScores: [Int] {
        guard classWeights.count(where: { $0 > 0 }) > 1 else { return [] }
        return scoreCount == 1 ? [0] : (0..<classes).filter { classWeights[$0] > 0 }
    }

    /// Fits the trees.
    ///
    /// - Throws: `cancelled`, `outOfMemory`, `unsupported` for more rows than sums have room for.
    func fit(_ builder: inout EnsembleBuilder) throws(MetaLearnersError) {
        let grown = grownScores
        guard !grown.isEmpty else { return }
        try problem.requireRoom()
        var largest = problem.rows.training.reduce(0) { max($0, problem.task.weights?[Int($1)] ?? 1) }
        if let distribution = problem.rows.distribution { largest = try distribution.maximum([largest])[0] }
        let isNarrow = NarrowCell.serves(
            rows: problem.rows.totalCount, total: totalWeight, largest: largest,
            countShift: problem.countShift)
        if problem.countsApart {
            try boost(ShortApartCell.self, grown, largestWeight: largest, &builder)
        } else if isNarrow {
            try boost(NarrowCell.self, grown, largestWeight: largest, &builder)
        } else {
            try boost(ShortCell.self, grown, largestWeight: largest, &builder)
        }
    }

    private var totalWeight: Double { classWeights.reduce(0, +) }

    /// What a Hessian is of p(1 − p).
    private var hessianFactor: Double { classes == 2 ? 1 : Double(classes) / Double(classes - 1) }

    private func boost<Cell: RefreshedCell>(
        _: Cell.Type, _ grown: [Int], largestWeight: Double, _ builder: inout EnsembleBuilder
    ) throws(MetaLearnersError) {
        let spec = problem.spec
        let rowCount = problem.matrix.rowCount
        let logistic = scoreCount == 1 ? try LogisticScores(problem, baseScore: baseScores[0]) : nil
        // (Scores by row; where no row is held out, nobody asks for those of two classes.)
        let scores: AlignedBuffer<Double>
        if let logistic { scores = logistic.scores } else { scores = try startScores() }
        let shares = try AlignedBuffer<Float>(uninitialized: scoreCount > 1 ? rowCount * scoreCount : 0)
        let gradients = try AlignedBuffer<Cell.Row>(uninitialized: rowCount)
        let steepest = hessianFactor / 4
        let scales = Cell.scales(
            GradientMagnitudes(
                gradient: totalWeight, hessian: totalWeight * steepest, largestGradient: largestWeight,
                largestHessian: largestWeight * steepest), countShift: problem.countShift)
        var rules = try problem.growthRules()
        guard classes == 2 || !rules.isBounded else {
            throw MetaLearnersError(
                .unsupported, at: "monotone", "the shares of more than two classes cannot all rise or fall",
                remedy: "leave it out")
        }
        rules.gradientUnit = 1 / scales.gradient
        rules.hessianUnit = 1 / scales.hessian
        let grower = try TreeGrower<Cell>(
            problem.matrix, rules, problem.rows, gradients: gradients, problem.team)
        try problem.boost(&builder, heldOutLoss: { () throws(MetaLearnersError) in try heldOutLoss(scores) })
        {
            round, builder throws(MetaLearnersError) in
            if scoreCount > 1 { fillShares(scores, shares) }
            var result = BoostingProblem.Round.barren
            for output in grown {
                try problem.context.checkCancellation()
                let tree = round * scoreCount + output
                if let logistic {
                    logistic.fill(Cell.self, gradients, scales)
                } else {
                    fillGradients(Cell.self, output, shares, gradients, scales)
                }
                problem.rows.startTree(tree, problem.team)
                let grownTree = try grower.grow(problem.columns(ofTree: tree))
                guard !grownTree.splits.isEmpty else { continue }
                result = .grown
                let values = zip(grownTree.leaves, grownTree.bounds).map {
                    Float(spec.learningRate * rules.optimum($0, within: $1))
                }
                builder.add(grownTree, values: values, output: output, round: round, gainUnit: rules.gainUnit)
                if let logistic {
                    logistic.advance(values)
                } else {
                    advance(scores, output, values)
                }
            }
            return result
        }
    }

    private func startScores() throws(MetaLearnersError) -> AlignedBuffer<Double> {
        let scores = try AlignedBuffer<Double>(uninitialized: problem.matrix.rowCount * scoreCount)
        for row in 0..<problem.matrix.rowCount {
            for (output, score) in baseScores.enumerated() { scores.start[row * scoreCount + output] = score }
        }
        return scores
    }

    private func fillShares(_ scores: AlignedBuffer<Double>, _ shares: AlignedBuffer<Float>) {
        problem.eachRow { row in
            let first = row * scoreCount
            let softmax = Softmax(scores.start + first, count: scoreCount)
            for output in 0..<scoreCount {
                shares.start[first + output] = Float(softmax.share(scores.start[first + output]))
            }
        }
    }

    private func fillGradients<Cell: RefreshedCell>(
        _: Cell.Type, _ output: Int, _ shares: AlignedBuffer<Float>, _ gradients: AlignedBuffer<Cell.Row>,
        _ scales: GradientScales
    ) {
        let task = problem.task
        let target = task.numbers
        let label = Double(output)
        let factor = hessianFactor
        let firstRow = problem.rows.distribution?.firstRow ?? 0
        problem.eachRow { row in
            let share = Double(shares.start[row * scoreCount + output])
            let weight = task.weights?[row] ?? 1
            let gradient = weight * ((target[row] == label ? 1 : 0) - share)
            let hessian = weight * share * (1 - share) * factor
            gradients.start[row] = Cell.row(
                gradient: gradient * scales.gradient, hessian: hessian * scales.hessian,
                number: firstRow + row)
        }
    }

    private func advance(_ scores: AlignedBuffer<Double>, _ output: Int, _ values: [Float]) {
        let first = scores.start + output
        problem.eachLeafOfRows { leaf, row in first[row * scoreCount] += Double(values[leaf]) }
    }

    /// −Σ w log p of the held-out rows' classes.
    private func heldOutLoss(_ scores: AlignedBuffer<Double>) throws(MetaLearnersError) -> Double {
        let task = problem.task
        let target = task.numbers
        return try problem.rows.heldOutSum(problem.team) { row in
            let first = row * scoreCount
            let label = Int(target[row])
            let loss: Double
            if scoreCount == 1 {
                loss = Logistic.softplus(label == 1 ? -scores.start[first] : scores.start[first])
            } else {
                loss =
                    Softmax(scores.start + first, count: scoreCount).logTotal - scores.start[first + label]
            }
            return loss * (task.weights?[row] ?? 1)
        }
    }
}
