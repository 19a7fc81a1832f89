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
        case .multiResidual, .multiRegression, .count, .quantile:
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
