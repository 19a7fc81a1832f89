extension Outcome {
    /// The outcome in a column that has a value in every row.
    ///
    /// Of two numbers the higher one is 1, also where they come as texts or categories; of two texts that one which is not plainly a "no", and a
    /// warning says which, wherever it does not go without saying.
    ///
    /// - Throws: `invalidData` where the column cannot be what `type` says.
    init(
        _ column: Column, type: DataSpec.OutcomeType, places: RowPlaces,
        _ distribution: DistributedRows? = nil, warnings: inout [String]
    ) throws(MetaLearnersError) {
        if column.levels != nil {
            try self.init(category: column, type, "is text with", places, distribution, &warnings)
        } else {
            try self.init(numbers: column, type, places, distribution, &warnings)
        }
    }

    /// The most classes that an outcome may have.
    private static let classLimit = 100

    private init(
        category column: Column, _ type: DataSpec.OutcomeType, _ isOrHas: String, _ places: RowPlaces,
        _ distribution: DistributedRows?, _ warnings: inout [String]
    ) throws(MetaLearnersError) {
        let codes = column.codes() ?? []
        let levels = column.levels ?? []
        var present = Set(codes).sorted()
        if let distribution {
            var isPresent = [Bool](repeating: false, count: levels.count)
            for code in present { isPresent[Int(code)] = true }
            isPresent = try distribution.any(isPresent)
            present = levels.indices.filter { isPresent[$0] }.map { Int32($0) }
        }
        present = NumericLabels.ascending(present) { levels[Int($0)] }
        let labels = present.map { levels[Int($0)] }
        if type == .binary, Set(labels).isSubset(of: ["0", "1"]) {
            try self.init(
                codes.map { levels[Int($0)] == "1" ? 1 : 0 }, kind: .binary(labels: ["0", "1"]),
                places: places)
            return
        }
        let isBinary = labels.count == 2 && type != .classes
        guard labels.count >= 2, labels.count <= Self.classLimit,
            type == .auto || type == .classes || type == .binary && isBinary
        else {
            let list = labels.prefix(5).joined(separator: ", ") + (labels.count > 5 ? ", …" : "")
            // The first cell that is no number is where to look.
            let odd = codes.firstIndex { Column.number(ofLabel: levels[Int($0)]) == nil } ?? 0
            let cell = codes.indices.contains(odd) ? levels[Int(codes[odd])] : ""
            throw MetaLearnersError(
                .invalidData, at: "outcome '\(column.name)'",
                "\(isOrHas) \(labels.count) levels (\(list)); \(places.name(odd)) has '\(cell)'",
                remedy: type == .continuous || type == .count
                    ? "a \(type.rawValue) outcome is numeric"
                    : "write numbers as numbers alone; a category has two levels, or up to \(Self.classLimit) with data.outcome_type: classes"
            )
        }
        if isBinary, !NumericLabels.areAll(labels) {
            let negative = ObviousLabels.negativePosition(in: labels)
            if negative == 1 { present.reverse() }
            if negative != 0 {
                warnings.append(
                    "outcome '\(column.name)': effects are on the probability of '\(levels[Int(present[1])])' (counted as 1) against '\(levels[Int(present[0])])' (0)"
                )
            }
        }
        var numbers = [Double](repeating: 0, count: levels.count)
        for (number, code) in present.enumerated() { numbers[Int(code)] = Double(number) }
        let ordered = present.map { levels[Int($0)] }
        try self.init(
            codes.map { numbers[Int($0)] },
            kind: isBinary ? .binary(labels: ordered) : .classes(labels: ordered), places: places)
    }

    private init(
        numbers column: Column, _ type: DataSpec.OutcomeType, _ places: RowPlaces,
        _ distribution: DistributedRows?, _ warnings: inout [String]
    ) throws(MetaLearnersError) {
        let values = column.values.doubles()
        switch type {
        case .continuous: try self.init(values, kind: .continuous, places: places)
        case .count: try self.init(values, kind: .count, places: places)
        case .auto:
            let isBinary = try Self.distinct(values, atMost: 2, distribution) == [0, 1]
            try self.init(values, kind: isBinary ? .binary(labels: ["0", "1"]) : .continuous, places: places)
        case .binary, .classes:
            let limit = type == .binary ? 2 : Self.classLimit
            let isFew = try Self.distinct(values, atMost: limit, distribution) != nil
            guard column.values.element == .int64 || isFew else {
                throw MetaLearnersError(
                    .invalidData, at: "outcome '\(column.name)'",
                    type == .binary
                        ? "has more than two values" : "has more than \(limit) different values",
                    remedy: type == .binary
                        ? "set data.outcome_type: continuous"
                        : "set data.outcome_type: continuous, or group the classes")
            }
            // Numbers are names of classes here, and so are integers that a double could not tell apart.
            try self.init(
                category: column.asCategorical(distribution), type, "has", places, distribution, &warnings)
        }
    }

    /// The different values, of all processes, ascending; nil where there are more than `limit`.
    private static func distinct(_ values: [Double], atMost limit: Int, _ distribution: DistributedRows?)
        throws(MetaLearnersError) -> [Double]?
    {
        var distinct: Set<Double> = []
        for value in values where distinct.insert(value).inserted {
            if distinct.count > limit { break }
        }
        if let distribution { distinct = Set(try distribution.gather(distinct.sorted())) }
        return distinct.count > limit ? nil : distinct.sorted()
    }
}
