import CMetaLearners
import MetaLearnersCore

/// A task in C's memory, for the length of a call: nothing is copied.
enum PluginTaskView {
    /// Hands the task to a call.
    static func with(
        _ task: TrainingTask, _ features: PluginFeatures, _ body: (UnsafePointer<mtlr_plugin_task>) -> Int32
    ) -> Int32 {
        var view = mtlr_plugin_task()
        view.struct_size = MemoryLayout<mtlr_plugin_task>.size
        view.row_count = Int64(task.rows.count)
        view.seed = task.seed
        var regressor: [Double]?
        switch task.objective {
        case .regression: view.objective = MTLR_PLUGIN_REGRESSION
        case .classification(let classes):
            view.objective = MTLR_PLUGIN_CLASSIFICATION
            view.class_count = Int32(clamping: classes)
        case .residual(let values):
            view.objective = MTLR_PLUGIN_RESIDUAL
            regressor = values
        case .coefficient, .multiResidual, .multiRegression, .count, .quantile:
            // No capability bit stands for these, so that no plug-in gets past the check; no objective has this number.
            view.objective = -1
        }
        return features.withView { table in
            task.rows.withUnsafeBufferPointer { rows in
                task.target.withUnsafeBufferPointer { target in
                    borrow(task.weights) { weights in
                        borrow(regressor) { regressor in
                            borrow(task.clusters) { clusters in
                                view.features = table
                                view.rows = rows.baseAddress
                                view.target = target.baseAddress
                                view.weights = weights
                                view.regressor = regressor
                                view.clusters = clusters
                                return withUnsafePointer(to: &view) { body($0) }
                            }
                        }
                    }
                }
            }
        }
    }

    /// The address of an array for the length of a call, NULL where there is none.
    private static func borrow<Value>(_ values: [Value]?, _ body: (UnsafePointer<Value>?) -> Int32) -> Int32 {
        guard let values else { return body(nil) }
        return values.withUnsafeBufferPointer { body($0.baseAddress) }
    }
}

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
