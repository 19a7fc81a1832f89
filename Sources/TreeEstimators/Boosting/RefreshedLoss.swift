/// A loss whose gradients are made anew for each tree; it keeps what it knows of each row itself.
protocol RefreshedLoss {
    /// The score before any tree.
    var baseScore: Double { get }
    /// Whether there is nothing that trees could improve, or the numbers are too large to be added.
    var isHopeless: Bool { get }
    /// The magnitude of leaf values.
    var largestValue: Double { get }

    /// Writes the training rows' gradients (of descent) and Hessians as integers.
    ///
    /// - Returns: what one unit of each stands for; nil where the numbers are too large to be added.
    func fill(_ gradients: AlignedBuffer<SIMD2<Int32>>) -> (gradientUnit: Double, hessianUnit: Double)?

    /// The best value of each leaf of the tree just grown, to be multiplied by the learning rate.
    func values(_ tree: GrownTree, _ rules: GrowthRules) -> [Double]

    /// Adds the tree just grown to the rows' predictions.
    ///
    /// - Parameter values: what its leaves add to scores.
    func advance(_ values: [Double])

    /// The loss of the held-out rows, but for a constant.
    func heldOutLoss() -> Double
}
