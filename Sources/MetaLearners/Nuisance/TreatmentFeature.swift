import MetaLearnersCore

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
