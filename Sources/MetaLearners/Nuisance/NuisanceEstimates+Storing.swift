import MetaLearnersCore

extension NuisanceEstimates {
    /// Takes over the predictions of several roles' models.
    mutating func store(_ predictions: [(role: NuisanceRole, lists: [[Double]])], of kind: Outcome.Kind) {
        // The S-learner's model gives every arm's outcome as well; an arm's own model goes before it.
        for (role, lists) in predictions where role == .joint { store(lists, of: role, kind) }
        for (role, lists) in predictions where role != .joint { store(lists, of: role, kind) }
    }

    /// Takes over the predictions of a role's models: a list for each of its prediction features.
    mutating func store(_ predictions: [[Double]], of role: NuisanceRole, _ kind: Outcome.Kind) {
        let first = predictions.first ?? []
        switch role {
        case .propensity:
            propensities = (0..<armCount).map { Self.output(first, $0, of: armCount) }
        case .armOutcome(let arm): store(first, ofArm: arm, kind)
        case .marginalOutcome(let arm):
            marginalOutcomes[arm] = Self.output(first, kind.outputCount - 1, of: kind.outputCount)
        case .joint:
            for (arm, values) in predictions.enumerated() { store(values, ofArm: arm, kind) }
        }
    }

    private mutating func store(_ values: [Double], ofArm arm: Int, _ kind: Outcome.Kind) {
        let count = kind.outputCount
        if kind.effectClasses.isEmpty {
            armOutcomes[arm] = Self.output(values, count - 1, of: count)
        } else {
            classOutcomes[arm] = (0..<count).map { Self.output(values, $0, of: count) }
        }
    }

    /// One output of several: for a binary outcome the probability of 1.
    private static func output(_ values: [Double], _ index: Int, of count: Int) -> [Double] {
        count == 1 ? values : stride(from: index, to: values.count, by: count).map { values[$0] }
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
