extension Outcome {
    /// The outcome in a column that has a value in every row.
    ///
    /// - Throws: `invalidData` where the column cannot be what `type` says.
    init(_ column: Column, type: DataSpec.OutcomeType) throws(MetaLearnersError) {
        if column.levels != nil {
            try self.init(category: column, type: type)
        } else {
            try self.init(numbers: column, type: type)
        }
    }

    /// The most classes that an outcome may have.
    private static let classLimit = 100

    private init(category column: Column, type: DataSpec.OutcomeType) throws(MetaLearnersError) {
        let codes = column.codes() ?? []
        let levels = column.levels ?? []
        let present = Set(codes).sorted()
        let labels = present.map { levels[Int($0)] }
        let isBinary = labels.count == 2 && type != .classes
        guard labels.count >= 2, labels.count <= Self.classLimit,
            type == .auto || type == .classes || type == .binary && isBinary
        else {
            let list = labels.prefix(5).joined(separator: ", ") + (labels.count > 5 ? ", …" : "")
            throw MetaLearnersError(
                .invalidData, at: "outcome '\(column.name)'", "is text with \(labels.count) levels (\(list))",
                remedy: type == .continuous || type == .count
                    ? "a \(type.rawValue) outcome is numeric"
                    : "a category has two levels, or up to \(Self.classLimit) with data.outcome_type: classes"
            )
        }
        var numbers = [Double](repeating: 0, count: levels.count)
        for (number, code) in present.enumerated() { numbers[Int(code)] = Double(number) }
        try self.init(
            codes.map { numbers[Int($0)] },
            kind: isBinary ? .binary(labels: labels) : .classes(labels: labels))
    }

    private init(numbers column: Column, type: DataSpec.OutcomeType) throws(MetaLearnersError) {
        let values = column.values.doubles()
        switch type {
        case .continuous: try self.init(values)
        case .count: try self.init(values, kind: .count)
        case .auto:
            let isBinary = Self.distinct(values, atMost: 2) == [0, 1]
            try self.init(values, kind: isBinary ? .binary(labels: ["0", "1"]) : .continuous)
        case .binary:
            guard let distinct = Self.distinct(values, atMost: 2) else {
                throw MetaLearnersError(
                    .invalidData, at: "outcome '\(column.name)'", "has more than two values",
                    remedy: "set data.outcome_type: continuous")
            }
            if Set(distinct).isSubset(of: [0, 1]) {
                try self.init(values, kind: .binary(labels: ["0", "1"]))
                return
            }
            let one = distinct.last ?? 1
            try self.init(
                values.map { $0 == one ? 1 : 0 }, kind: .binary(labels: distinct.map(Column.label(of:))))
        case .classes:
            guard let distinct = Self.distinct(values, atMost: Self.classLimit) else {
                throw MetaLearnersError(
                    .invalidData, at: "outcome '\(column.name)'",
                    "has more than \(Self.classLimit) different values",
                    remedy: "set data.outcome_type: continuous, or group the classes")
            }
            let numbers = Dictionary(uniqueKeysWithValues: distinct.enumerated().map { ($1, Double($0)) })
            try self.init(
                values.map { numbers[$0] ?? 0 }, kind: .classes(labels: distinct.map(Column.label(of:))))
        }
    }

    /// The different values, ascending; nil where there are more than `limit`.
    private static func distinct(_ values: [Double], atMost limit: Int) -> [Double]? {
        var distinct: Set<Double> = []
        for value in values where distinct.insert(value).inserted {
            if distinct.count > limit { return nil }
        }
        return distinct.sorted()
    }
}
