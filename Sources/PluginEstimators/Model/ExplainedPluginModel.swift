import CMetaLearners
import MetaLearnersCore

/// A plug-in's model that says which columns its predictions come from.
struct ExplainedPluginModel: ExplainableEstimator {
    let model: PluginModel

    var backendName: String { model.backendName }
    var outputCount: Int { model.outputCount }
    var warnings: [String] { model.warnings }

    func predict(_ features: Table, rows: [Int32]?, _ context: ExecutionContext) throws(MetaLearnersError)
        -> [Double]
    {
        try model.predict(features, rows: rows, context)
    }

    func encode(to writer: inout BinaryWriter) { model.encode(to: &writer) }

    func contributions(
        _ features: Table, rows: [Int32]?, background: Table?, _ context: ExecutionContext
    ) throws(MetaLearnersError) -> Contributions {
        let plugin = model.handle.plugin
        guard let explain = plugin.functions.explain else { throw plugin.fault("it explains no more") }
        let view = try model.view(of: features, rows)
        var others: PluginFeatures?
        if let background {
            guard background.rowCount > 0 else {
                throw MetaLearnersError(.invalidArgument, at: "background", "has no rows")
            }
            others = try model.view(of: background, nil)
        }
        let count = rows?.count ?? features.rowCount
        let columns = model.shape.levelCounts.count
        var scale: Int32 = MTLR_PLUGIN_SCALE_PREDICTION
        let call = PluginCall(context)
        let (capacity, overflow) = count.multipliedReportingOverflow(by: outputCount * (columns + 1))
        guard !overflow else { throw MetaLearnersError(.outOfMemory, "there are too many contributions") }
        var outputs = outputCount
        let values = try PluginOutput.filled(rows: capacity, columns: 1, plugin) {
            target throws(MetaLearnersError) in
            guard count > 0 else { return }
            try plugin.attempt("explain its predictions") { functions, error in
                view.withView { table in
                    Self.borrow(others) { background in
                        PluginModel.borrow(rows) { rows in
                            call.withExecution {
                                explain.contributions(
                                    functions.payload, model.handle.pointer, table, rows, Int64(count),
                                    background,
                                    target, Int64(capacity), &scale, $0, error)
                            }
                        }
                    }
                }
            }
            // Log odds have one output: what is beyond them was not asked for.
            if scale == MTLR_PLUGIN_SCALE_LOG_ODDS {
                outputs = 1
                for index in count * (columns + 1)..<capacity { target[index] = 0 }
            }
        }
        let meaning: Contributions.Scale
        switch scale {
        case MTLR_PLUGIN_SCALE_PREDICTION: meaning = .prediction
        case MTLR_PLUGIN_SCALE_LOG_ODDS: meaning = .logOdds
        case MTLR_PLUGIN_SCALE_LOG_PROBABILITY: meaning = .logProbability
        default: throw plugin.fault("its contributions are on the scale \(scale), which is none")
        }
        return Contributions(
            values: Array(values.prefix(count * outputs * (columns + 1))), scale: meaning,
            outputCount: outputs,
            columnCount: columns)
    }

    /// How much the model makes of each column; zeros where the plug-in cannot say.
    func importances(_ kind: ImportanceKind) -> [Double] {
        let plugin = model.handle.plugin
        let count = model.shape.levelCounts.count
        guard let explain = plugin.functions.explain else { return [] }
        let code: Int32
        switch kind {
        case .gain: code = MTLR_PLUGIN_IMPORTANCE_GAIN
        case .cover: code = MTLR_PLUGIN_IMPORTANCE_COVER
        case .splits: code = MTLR_PLUGIN_IMPORTANCE_SPLITS
        }
        let values = try? PluginOutput.filled(rows: count, columns: 1, plugin) {
            target throws(MetaLearnersError) in
            try plugin.attempt("say what it makes of columns") { functions, error in
                explain.importances(
                    functions.payload, model.handle.pointer, code, target, Int64(count), error)
            }
        }
        return values ?? [Double](repeating: 0, count: count)
    }

    private static func borrow(
        _ features: PluginFeatures?, _ body: (UnsafePointer<mtlr_plugin_table>?) -> Int32
    ) -> Int32 {
        guard let features else { return body(nil) }
        return features.withView { body($0) }
    }
}
