import LinearEstimators
import MetaLearnersCore

/// Fits of members that do not wait for each other: linear paths, each over all folds, and trees, fold by fold.
struct MemberFits {
    let design: DesignMatrix
    let folds: FoldAssignment
    let rowsInFold: [[Int32]]
    let weights: [Double]?

    /// Fits everything, side by side; results come in the order of the problems.
    func fit(
        _ linear: [LinearPath.Problem], _ trees: [TreePath.Problem], stage: String, _ scheduler: Scheduler
    ) throws(MetaLearnersError) -> (linear: [LinearPath], trees: [[TreePath.Fold]]) {
        let paths = Lock([LinearPath?](repeating: nil, count: linear.count))
        let grown = Lock([TreePath.Fold?](repeating: nil, count: trees.count * folds.count))
        // Linear paths take longest and cannot be split: they go first.
        try scheduler.run(stage, count: linear.count + trees.count * folds.count) {
            unit, context throws(MetaLearnersError) in
            if unit < linear.count {
                let path = try linear[unit].fit(design, folds, weights, context)
                paths.withLock { $0[unit] = path }
            } else {
                let (index, fold) = (unit - linear.count).quotientAndRemainder(dividingBy: folds.count)
                let fit = try trees[index].fit(fold, folds, heldOut: rowsInFold[fold], context)
                grown.withLock { $0[unit - linear.count] = fit }
            }
        }
        let fits = grown.withLock { $0.compactMap(\.self) }
        return (
            paths.withLock { $0.compactMap(\.self) },
            trees.indices.map { Array(fits[$0 * folds.count..<($0 + 1) * folds.count]) }
        )
    }
}
