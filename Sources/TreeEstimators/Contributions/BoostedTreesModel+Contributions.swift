import MetaLearnersCore

extension BoostedTreesModel: ExplainableEstimator {
    private var explainer: TreeExplainer {
        TreeExplainer(
            trees: ensemble.explainedTrees(), leafWidth: 1, scoreCount: ensemble.baseScores.count,
            usedFeatures: ensemble.usedFeatures, binnings: ensemble.binnings)
    }

    /// Shapley values on the scale of scores: of the log odds for two classes, of log probabilities (but for a
    /// constant of the row) for more, of the logarithm of the mean for counts.
    func contributions(
        _ features: Table, rows: [Int32]?, background: Table?, _ context: ExecutionContext
    ) throws(MetaLearnersError) -> Contributions {
        try check(features, rows)
        if let background { try requireColumns(ensemble.featureCount, in: background) }
        let sums = try explainer.contributions(features, rows: rows, background: background, context)
        let count = rows?.count ?? features.rowCount
        let outputs = ensemble.baseScores.count
        let columns = ensemble.usedFeatures + [ensemble.featureCount]
        let target = (ensemble.featureCount + 1) * outputs
        var values = [Double](repeating: 0, count: count * target)
        for row in 0..<count {
            for output in 0..<outputs {
                let first = row * target + output * (ensemble.featureCount + 1)
                for (place, column) in columns.enumerated() {
                    let sum = sums[(row * columns.count + place) * outputs + output]
                    values[first + column] = sum * ensemble.valueScale
                }
                values[first + ensemble.featureCount] += ensemble.baseScores[output]
            }
        }
        let scale: Contributions.Scale =
            switch link {
            case .identity: .prediction
            case .logistic: .logOdds
            case .softmax: .logProbability
            case .exponential: .logMean
            }
        return Contributions(
            values: values, scale: scale, outputCount: outputs, columnCount: ensemble.featureCount)
    }

    /// A number for each column, summed over the trees.
    func importances(_ kind: ImportanceKind) -> [Double] {
        explainer.importance(kind, gains: ensemble.gains, featureCount: ensemble.featureCount)
    }
}
