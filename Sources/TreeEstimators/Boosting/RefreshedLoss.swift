import MetaLearnersCore

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
    func heldOutLoss() -> Double
}
