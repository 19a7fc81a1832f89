import MetaLearnersCore

extension NuisanceEstimates {
    /// Takes over the predictions of several roles' models.
    mutating func store(_ predictions: [(role: NuisanceRole, lists: [[Double]])], isBinary: Bool) {
        // The S-learner's model gives every arm's outcome as well; an arm's own model goes before it.
        for (role, lists) in predictions where role == .joint { store(lists, of: role, isBinary: isBinary) }
        for (role, lists) in predictions where role != .joint { store(lists, of: role, isBinary: isBinary) }
    }

    /// Takes over the predictions of a role's models: a list for each of its prediction features.
    mutating func store(_ predictions: [[Double]], of role: NuisanceRole, isBinary: Bool) {
        /// One output of several: for a binary outcome the probability of 1.
        func output(_ values: [Double], _ index: Int, of count: Int) -> [Double] {
            count == 1 ? values : stride(from: index, to: values.count, by: count).map { values[$0] }
        }
        let outputs = isBinary ? 2 : 1
        switch role {
        case .propensity:
            propensities = (0..<armCount).map { output(predictions.first ?? [], $0, of: armCount) }
        case .armOutcome(let arm):
            armOutcomes[arm] = output(predictions.first ?? [], outputs - 1, of: outputs)
        case .marginalOutcome(let arm):
            marginalOutcomes[arm] = output(predictions.first ?? [], outputs - 1, of: outputs)
        case .joint:
            for (arm, values) in predictions.enumerated() {
                armOutcomes[arm] = output(values, outputs - 1, of: outputs)
            }
        }
    }
}

extension Column {
    /// The treatment as a feature of the S-learner's model.
    static func treatment(_ arms: StridedValues, _ labels: [String]) -> Column {
        Column("(treatment)", codes: arms, levels: labels)
    }
}

extension Table {
    /// The features of the S-learner's model, with each arm in turn in every row; nothing is copied.
    func underEveryArm(_ labels: [String]) -> [Table] {
        labels.indices.map { arm in
            appending(.treatment(StridedValues(repeating: Int32(arm), count: rowCount), labels))
        }
    }
}
