import MetaLearnersCore

/// Boosting of a loss of one score whose gradients are made anew for each tree.
struct RefreshedBoosting<Loss: RefreshedLoss> {
    let problem: BoostingProblem
    let loss: Loss

    /// Fits the trees.
    ///
    /// - Throws: `cancelled`, `outOfMemory`, `unsupported` for more rows than sums have room for.
    func fit(_ builder: inout EnsembleBuilder) throws(MetaLearnersError) {
        let rules = try problem.growthRules()
        guard !loss.isHopeless else { return }
        try problem.requireRoom()
        if !(1e-18...1e18).contains(loss.largestValue) {
            builder.valueScale = 1 / BoostingProblem.scale(loss.largestValue, bits: 0)
        }
        let isNarrow = NarrowCell.serves(
            rows: problem.rows.totalCount, total: loss.sizes.total, largest: loss.sizes.largest,
            countShift: problem.countShift)
        if problem.countsApart {
            try boost(ShortApartCell.self, rules, &builder)
        } else if isNarrow {
            try boost(NarrowCell.self, rules, &builder)
        } else {
            try boost(ShortCell.self, rules, &builder)
        }
    }

    private func boost<Cell: RefreshedCell>(
        _: Cell.Type, _ rules: GrowthRules, _ builder: inout EnsembleBuilder
    ) throws(MetaLearnersError) {
        let spec = problem.spec
        var rules = rules
        let gradients = try AlignedBuffer<Cell.Row>(uninitialized: problem.matrix.rowCount)
        let grower = try TreeGrower<Cell>(
            problem.matrix, rules, problem.rows, gradients: gradients, problem.team)
        try problem.boost(&builder, heldOutLoss: { () throws(MetaLearnersError) in try loss.heldOutLoss() }) {
            round, builder throws(MetaLearnersError) in
            guard let scales = loss.fill(Cell.self, gradients) else { return .overflow }
            rules.gradientUnit = 1 / scales.gradient
            rules.hessianUnit = 1 / scales.hessian
            grower.rules = rules
            problem.rows.startTree(round, problem.team)
            let tree = try grower.grow(problem.columns(ofTree: round))
            guard !tree.splits.isEmpty else { return .barren }
            let values = loss.values(tree, rules).map { Float(spec.learningRate * $0 / builder.valueScale) }
            builder.add(tree, values: values, output: 0, round: round, gainUnit: rules.gainUnit)
            loss.advance(values.map { Double($0) * builder.valueScale })
            return .grown
        }
    }
}

/// A loss whose gradients are made anew for each tree; it keeps what it knows of each row itself.
protocol RefreshedLoss {
    /// The score before any tree.
    var baseScore: Double { get }
    /// Whether there is nothing that trees could improve, or the numbers are too large to be added.
    var isHopeless: Bool { get }
    /// The magnitude of leaf values.
    var largestValue: Double { get }
    /// What the rows' gradients and Hessians go by: its sum, and its largest.
    var sizes: (total: Double, largest: Double) { get }

    /// Writes the training rows' gradients (of descent) and Hessians as integers.
    ///
    /// - Returns: what they were multiplied by; nil where the numbers are too large to be added.
    func fill<Cell: RefreshedCell>(_: Cell.Type, _ gradients: AlignedBuffer<Cell.Row>) -> GradientScales?

    /// The best value of each leaf of the tree just grown, to be multiplied by the learning rate.
    func values(_ tree: GrownTree, _ rules: GrowthRules) -> [Double]

    /// Adds the tree just grown to the rows' predictions.
    ///
    /// - Parameter values: what its leaves add to scores.
    func advance(_ values: [Double])

    /// The loss of the held-out rows, but for a constant.
    func heldOutLoss() throws(MetaLearnersError) -> Double
}
