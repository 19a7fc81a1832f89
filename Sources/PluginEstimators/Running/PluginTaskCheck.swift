import MetaLearnersCore

/// Checks that a plug-in can do what a task asks, so that it never sees what it cannot handle.
enum PluginTaskCheck {
    /// - Throws: `unsupported`, naming what the plug-in cannot do; `invalidData` for a regressor that is not finite,
    ///   or zero everywhere.
    static func check(_ task: TrainingTask, _ backend: BackendDescription) throws(MetaLearnersError) {
        var needed = task.objective.capability
        if case .residual(let regressor) = task.objective, backend.capabilities.contains(.residualLoss) {
            try check(regressor, task)
        }
        if task.weights != nil { needed.insert(.weights) }
        if task.features.columns.contains(where: { $0.levels != nil }) { needed.insert(.categoricals) }
        if !backend.capabilities.contains(.missingValues), hasMissing(task.features, task.rows) {
            needed.insert(.missingValues)
        }
        let lacking = needed.subtracting(backend.capabilities)
        guard lacking.isEmpty else {
            throw MetaLearnersError(
                .unsupported, at: "backend '\(backend.name)'",
                "the plug-in cannot do \(lacking.names.joined(separator: ", "))",
                remedy: "choose another backend")
        }
    }

    /// Whether a value is missing in one of the rows; nil for all rows.
    static func hasMissing(_ features: Table, _ rows: [Int32]?) -> Bool {
        features.columns.contains { column in
            let values = rows.map(column.values.doubles) ?? column.values.doubles()
            guard let levels = column.levels else { return values.contains(where: \.isNaN) }
            let limit = Double(levels.count)
            return values.contains { !($0 >= 0 && $0 < limit) }
        }
    }

    private static func check(_ regressor: [Double], _ task: TrainingTask) throws(MetaLearnersError) {
        var isZero = true
        for row in task.rows {
            let value = regressor[Int(row)]
            guard value.isFinite else {
                throw MetaLearnersError(
                    .invalidData, at: "regressor", "\(task.features.places.name(Int(row))) has \(value)")
            }
            if value != 0, task.weights?[Int(row)] ?? 1 > 0 { isZero = false }
        }
        if isZero {
            throw MetaLearnersError(
                .invalidData, at: "regressor", "it is zero in every row, so there is nothing to learn from")
        }
    }
}
