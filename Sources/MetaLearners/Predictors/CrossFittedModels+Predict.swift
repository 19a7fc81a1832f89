import MetaLearnersCore

extension CrossFittedModels {
    /// Predicts rows that the models were not fitted to, `outputCount` numbers a row.
    ///
    /// - Parameters:
    ///   - selection: the models that answer.
    ///   - rule: how the models of the folds are combined where there is no model of all rows.
    func predict(
        _ features: Table, _ selection: ModelSelection, _ rule: MetaLearnerSpec.Prediction,
        _ context: ExecutionContext
    ) throws(MetaLearnersError) -> [Double] {
        if case .fold(let fold) = selection {
            guard foldModels.indices.contains(fold) else { return [] }
            return try foldModels[fold].predict(features, rows: nil, context)
        }
        if let fullModel { return try fullModel.predict(features, rows: nil, context) }
        var predictions: [[Double]] = []
        for model in foldModels {
            try context.checkCancellation()
            predictions.append(try model.predict(features, rows: nil, context))
        }
        return Self.combine(predictions, rule)
    }

    /// The mean (the median where the rule says so) of several lists, number by number.
    static func combine(_ predictions: [[Double]], _ rule: MetaLearnerSpec.Prediction) -> [Double] {
        guard let first = predictions.first else { return [] }
        if rule == .median {
            return first.indices.map { index in
                let sorted = predictions.map { $0[index] }.sorted()
                let middle = sorted.count / 2
                return sorted.count.isMultiple(of: 2)
                    ? (sorted[middle - 1] + sorted[middle]) / 2 : sorted[middle]
            }
        }
        return first.indices.map { index in
            predictions.reduce(0) { $0 + $1[index] } / Double(predictions.count)
        }
    }
}
