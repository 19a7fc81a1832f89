/// The weights of each fold's predictions, found on the other folds: the weights at a row are not fitted to its own outcome.
///
/// Weights that were found on the very rows whose residuals an average effect takes make these residuals too small, the more so the
/// fewer rows an arm has.
package struct FoldStacks {
    /// One for each fold.
    package let stacks: [ConvexStack]
    private let folds: FoldAssignment

    package init(stacks: [ConvexStack], folds: FoldAssignment) {
        self.stacks = stacks
        self.folds = folds
    }

    /// The combination of the members' predictions, at each row by the weights of its fold.
    package func combine(_ predictions: [[Double]]) -> [Double] {
        guard let count = predictions.first?.count else { return [] }
        var sum = (0..<count).map { stacks[Int(folds.folds[$0])].intercept }
        for (member, values) in predictions.enumerated() {
            let weights = stacks.map { $0.weights[member] }
            for row in 0..<count { sum[row] += weights[Int(folds.folds[row])] * values[row] }
        }
        return sum
    }
}
