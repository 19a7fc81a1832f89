import CMetaLearners
import MetaLearnersCore

/// A model that a plug-in fitted. What it predicts is checked: as many numbers as asked for, all finite, and shares
/// where they are probabilities.
struct PluginModel: FittedEstimator {
    /// What it was trained on and what it predicts.
    struct Shape: Sendable, Equatable {
        let outputCount: Int
        let isClassification: Bool
        /// For each column its levels, or `PluginFeatures.numeric`.
        let levelCounts: [Int32]
    }

    let handle: PluginModelHandle
    /// What the plug-in wrote, when the model was fitted or read.
    let bytes: [UInt8]
    let shape: Shape
    /// The version of the plug-in that fitted it.
    let version: String
    let warnings: [String]

    var backendName: String { handle.plugin.name }
    var outputCount: Int { shape.outputCount }

    init(
        _ handle: PluginModelHandle, bytes: [UInt8], shape: Shape, version: String? = nil, warnings: [String]
    ) {
        self.handle = handle
        self.bytes = bytes
        self.shape = shape
        self.version = version ?? handle.plugin.version
        self.warnings = warnings
    }

    /// The model, with its contributions where the plug-in knows them.
    var explained: any FittedEstimator {
        handle.plugin.functions.explain == nil ? self : ExplainedPluginModel(model: self)
    }

    func predict(_ features: Table, rows: [Int32]?, _ context: ExecutionContext) throws(MetaLearnersError)
        -> [Double]
    {
        try context.checkCancellation()
        let view = try self.view(of: features, rows)
        let count = rows?.count ?? features.rowCount
        let call = PluginCall(context)
        let predictions = try PluginOutput.filled(rows: count, columns: outputCount, handle.plugin) {
            target throws(MetaLearnersError) in
            guard count > 0 else { return }
            try handle.plugin.attempt("predict") { functions, error in
                view.withView { table in
                    Self.borrow(rows) { rows in
                        call.withExecution {
                            functions.predict(
                                functions.payload, handle.pointer, table, rows, Int64(count), target, $0,
                                error)
                        }
                    }
                }
            }
        }
        try context.checkCancellation()
        guard shape.isClassification else { return predictions }
        return try PluginOutput.shares(predictions, classes: outputCount, handle.plugin)
    }

    /// The features as the plug-in sees them.
    ///
    /// - Throws: `invalidArgument` where columns are not those trained on or a row is out of range; `invalidData` for
    ///   missing values that the plug-in cannot handle.
    func view(of features: Table, _ rows: [Int32]?) throws(MetaLearnersError) -> PluginFeatures {
        try requireColumns(shape.levelCounts.count, in: features)
        for (column, count) in zip(features.columns, shape.levelCounts)
        where (column.levels == nil) != (count == PluginFeatures.numeric) {
            throw MetaLearnersError(
                .invalidArgument, at: "column '\(column.name)'",
                count == PluginFeatures.numeric
                    ? "has categories; the model was trained on numbers"
                    : "has numbers; the model was trained on categories")
        }
        if let row = rows?.first(where: { $0 < 0 || $0 >= features.rowCount }) {
            throw MetaLearnersError(
                .invalidArgument, at: "rows", "row \(row) is not within 0..<\(features.rowCount)")
        }
        if !handle.plugin.description.capabilities.contains(.missingValues),
            PluginTaskCheck.hasMissing(features, rows)
        {
            throw MetaLearnersError(
                .invalidData, at: "features",
                "there are missing values, which the plug-in '\(backendName)' cannot do",
                remedy: "fill them in, or choose another backend")
        }
        return PluginFeatures(features, trained: shape.levelCounts)
    }

    /// The address of row numbers for the length of a call, NULL for all rows.
    static func borrow(_ rows: [Int32]?, _ body: (UnsafePointer<Int32>?) -> Int32) -> Int32 {
        guard let rows else { return body(nil) }
        return rows.withUnsafeBufferPointer { body($0.baseAddress) }
    }
}
