import CMetaLearners
import MetaLearners
import MetaLearnersCore

@c @implementation
public func mtlr_model_predict(
    _ values: UnsafeMutableRawPointer?, _ length: Int64,
    _ warnings: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?, _ model: OpaquePointer?,
    _ table: UnsafePointer<mtlr_table>?, _ prediction: UnsafePointer<mtlr_prediction>?,
    _ execution: UnsafePointer<mtlr_execution>?, _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> mtlr_status {
    // What a service asks for row by row: the effects of one row, without any detour.
    if warnings == nil, prediction == nil, let rowView = Handle.object(ModelObject.self, model)?.rowView,
        rowView.predict(values?.assumingMemoryBound(to: Double.self), length, table, execution)
    {
        if let error { Boundary.store(nil, at: error) }
        return MTLR_OK
    }
    return Boundary.run(error, execution) { options throws(MetaLearnersError) in
        if let warnings { Boundary.store(nil, at: warnings) }
        let model = try Handle.required(ModelObject.self, model, "model").model
        let view = try PredictionView.read(prediction)
        let columns = try model.columnNames(view.request).count
        let (rows, rowCount) = try Predictions.rows(of: view, model, table)
        let target = try NumbersTarget(values, length, rows: rowCount, columns: columns, view, "values")
        try AvailableMemory.require(rowCount, of: 24 * max(columns, 1), for: "the predictions")
        let result = try model.predict(view.request, for: rows, options)
        try target.store(result.columns)
        try Predictions.store(result.warnings, at: warnings)
    }
}

@c @implementation
public func mtlr_model_prediction_columns(
    _ count: UnsafeMutablePointer<Int64>?, _ model: OpaquePointer?,
    _ prediction: UnsafePointer<mtlr_prediction>?, _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> mtlr_status {
    Boundary.run(error) { () throws(MetaLearnersError) in
        guard let count else { throw Boundary.missing("count") }
        Boundary.store(0, at: count)
        let model = try Handle.required(ModelObject.self, model, "model").model
        let names = try model.columnNames(PredictionView.read(prediction).request)
        Boundary.store(Int64(names.count), at: count)
    }
}

@c @implementation
public func mtlr_model_prediction_names(
    _ json: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?, _ model: OpaquePointer?,
    _ prediction: UnsafePointer<mtlr_prediction>?, _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> mtlr_status {
    Boundary.text(json, error) { () throws(MetaLearnersError) in
        let model = try Handle.required(ModelObject.self, model, "model").model
        return SpecText.list(try model.columnNames(PredictionView.read(prediction).request))
    }
}

@c @implementation
public func mtlr_model_training_effects(
    _ effects: UnsafeMutablePointer<Double>?, _ length: Int64, _ model: OpaquePointer?,
    _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> mtlr_status {
    Boundary.run(error) { () throws(MetaLearnersError) in
        let model = try Handle.required(ModelObject.self, model, "model").model
        guard let training = model.training else {
            throw MetaLearnersError(
                .unsupported, at: "model", "it was saved without its training rows",
                remedy: "fit with keep_training: true")
        }
        let target = try NumbersTarget(
            effects, length, rows: training.outcome.count, columns: training.effects.count, .standard,
            "effects")
        try target.store(training.effects)
    }
}

private enum Predictions {
    /// The rows that a view asks about, and how many they are.
    static func rows(of view: PredictionView, _ model: CATEModel, _ table: UnsafePointer<mtlr_table>?)
        throws(MetaLearnersError) -> (PredictionRows, Int)
    {
        guard view.isOfTraining else {
            let rows = try TableView.read(table, for: .prediction)
            return (.new(rows), rows.rowCount)
        }
        if let dataset = view.dataset { return (.trainingRows(dataset), dataset.rowCount) }
        return (.training, model.training?.outcome.count ?? model.trainingRowCount)
    }

    /// Hands warnings to the caller as a JSON list.
    static func store(
        _ texts: [String], at target: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?
    ) throws(MetaLearnersError) {
        if let target { Boundary.store(try CText.copy(SpecText.list(texts)), at: target) }
    }
}
