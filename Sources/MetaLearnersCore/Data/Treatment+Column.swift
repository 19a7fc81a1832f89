extension Treatment {
    /// The treatment in a column that has a value in every row: numbers or texts, each different one per arm.
    ///
    /// Without a named control it is the lowest number, whether numbers come as such or as texts or categories in whatever order; of texts, the first that says that it is one, else the first
    /// in order, with a warning wherever an effect could turn out to have the other sign.
    ///
    /// - Parameter attrition: how many rows of each arm had no outcome and are not in the column; nil where all had one.
    /// - Throws: `invalidData` for missing rows and for numbers that look continuous, `invalidSpec` or `invalidData` for
    ///   a control that no row has.
    init(
        _ column: Column, control: String?, places: RowPlaces, _ distribution: DistributedRows? = nil,
        attrition: AttritionWarning? = nil, warnings: inout [String]
    ) throws(MetaLearnersError) {
        if column.levels == nil { try Self.refuseInfinity(column, places) }
        let coded = try column.asCategorical(distribution)
        guard let codes = coded.codes(), let levels = coded.levels else {
            throw MetaLearnersError(.internalFault, at: column.name, "a category without levels")
        }
        if let row = codes.firstIndex(where: { $0 < 0 }) {
            let count = codes.reduce(0) { $0 + ($1 < 0 ? 1 : 0) }
            throw MetaLearnersError(
                .invalidData, at: "treatment '\(column.name)'",
                "\(count) of \(codes.count) rows are missing, the first is \(places.name(row))",
                remedy: "remove these rows: a row without a treatment tells nothing about effects")
        }
        var counts = [Int](repeating: 0, count: levels.count)
        for code in codes { counts[Int(code)] += 1 }
        if let distribution { counts = try distribution.sum(counts) }
        var order = NumericLabels.ascending(levels.indices.filter { counts[$0] > 0 }) { levels[$0] }
        try Self.refuseContinuous(column.name, order.map { levels[$0] }, order.map { counts[$0] })
        let labels = order.map { levels[$0] }
        if let control {
            guard let position = labels.firstIndex(of: control) else {
                if let attrition, let reason = attrition.reason, attrition.lostArms.contains(control) {
                    throw MetaLearnersError(
                        .invalidData, at: "data.control", "'\(control)' cannot be compared with: \(reason)",
                        remedy: "effects need outcomes of the control and of at least one other arm")
                }
                throw MetaLearnersError(
                    .invalidData, at: "data.control", "no row of '\(column.name)' has the label '\(control)'",
                    remedy: SpellingSuggestion.clause(for: control, in: labels))
            }
            order.insert(order.remove(at: position), at: 0)
        } else if !NumericLabels.areAll(labels), labels.count > 1 {
            let positions = ObviousLabels.controlPositions(in: labels)
            let position = positions.first ?? 0
            order.insert(order.remove(at: position), at: 0)
            if positions.isEmpty {
                warnings.append(
                    "treatment '\(column.name)': the control is taken to be '\(labels[0])', the first label in order; name it with data.control"
                )
            } else if position > 0 || positions.count > 1 {
                warnings.append(
                    "treatment '\(column.name)': the control is taken to be '\(labels[position])', by its name; another one is named with data.control"
                )
            }
        }
        if labels.count < 2, let reason = attrition?.reason {
            throw MetaLearnersError(
                .invalidData, at: "treatment '\(column.name)'",
                (labels.first.map { "rows with an outcome are of one arm only ('\($0)')" }
                    ?? "no row has an outcome") + ": \(reason)",
                remedy: "effects need outcomes of the control and of at least one other arm")
        }
        var armOfLevel = [Int32](repeating: 0, count: levels.count)
        for (arm, level) in order.enumerated() { armOfLevel[level] = Int32(arm) }
        try self.init(
            arms: RowCodes(count: codes.count, below: order.count) { armOfLevel[Int(codes[$0])] },
            labels: order.map { levels[$0] }, places: places,
            isPart: distribution != nil)
    }

    private static func refuseInfinity(_ column: Column, _ places: RowPlaces) throws(MetaLearnersError) {
        guard column.values.element.isFloatingPoint,
            let row = column.values.doubles().firstIndex(where: \.isInfinite)
        else { return }
        throw MetaLearnersError(
            .invalidData, at: "treatment '\(column.name)'", "\(places.name(row)) is infinite",
            remedy: "remove these rows: a row without a treatment tells nothing about effects")
    }

    /// Refuses numbers that are rather doses than names of arms: more than 20, some with a fraction or some in fewer
    /// than 20 rows; and more than 256 of whatever kind.
    private static func refuseContinuous(_ name: String, _ labels: [String], _ counts: [Int])
        throws(MetaLearnersError)
    {
        guard labels.count > 20 else { return }
        let areNumbers = NumericLabels.areAll(labels)
        let looksContinuous =
            areNumbers && (labels.contains { Int64($0) == nil } || (counts.min() ?? 0) < 20)
        guard looksContinuous || labels.count > 256 else { return }
        throw MetaLearnersError(
            .invalidData, at: "treatment '\(name)'",
            areNumbers
                ? "has \(labels.count) different numbers, from \(labels.first ?? "") to \(labels.last ?? ""): it looks continuous"
                : "has \(labels.count) different labels: it does not look like a treatment",
            remedy: "treatments are arms here: name another column, or group the values into a few")
    }
}
