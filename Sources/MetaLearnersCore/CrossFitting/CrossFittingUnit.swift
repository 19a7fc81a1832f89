/// One fit of a cross-fitted job: what it leaves out, and the seed that follows from that.
package enum CrossFittingUnit: Hashable, Sendable {
    /// On all rows.
    case full
    /// Without one fold.
    case fold(Int, repeat: Int)
    /// Without two folds, the lower one first.
    case pair(Int, Int, repeat: Int)

    /// What a fit gave: the model where it is kept, and for each fold that it left out, for each of the prediction
    /// features, the predictions of that fold's rows.
    package struct Result: Sendable {
        let model: (any FittedEstimator)?
        let predictions: [[[Double]]]
    }

    /// Whether the model is of use after it predicted what it held out.
    var keepsModel: Bool { if case .pair = self { false } else { true } }

    /// The folds to predict.
    var heldOutFolds: [(repeat: Int, fold: Int)] {
        switch self {
        case .full: []
        case .fold(let fold, let number): [(number, fold)]
        case .pair(let first, let second, let number): [(number, first), (number, second)]
        }
    }

    /// Those of `rows` that are fitted to.
    func trainingRows(_ rows: [Int32], _ repeats: [FoldAssignment]) -> [Int32] {
        switch self {
        case .full: rows
        case .fold(let fold, let number): repeats[number].trainingRows(rows, for: fold)
        case .pair(let first, let second, let number):
            [Int32](rows) { row in
                let fold = repeats[number].folds[row]
                return fold != first && fold != second
            }
        }
    }

    /// The seed of the fit: another for each, whatever else is fitted.
    func seed(_ seed: UInt64, _ repeats: [FoldAssignment]) -> UInt64 {
        let count = repeats.first?.count ?? 1
        switch self {
        case .full: return RandomStream.derivedSeed(seed, UInt64(count))
        case .fold(let fold, let number):
            guard count > 1 else { return RandomStream.derivedSeed(seed, 1) }
            return number == 0
                ? RandomStream.derivedSeed(seed, UInt64(fold))
                : RandomStream.derivedSeed(seed, UInt64(fold), UInt64(number))
        case .pair(let first, let second, let number):
            return RandomStream.derivedSeed(seed, UInt64(first), UInt64(number), UInt64(second))
        }
    }
}
