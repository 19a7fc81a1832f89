import CMetaLearners
import MetaLearners
import MetaLearnersCore

@c @implementation
public func mtlr_model_predict(
    _ effects: UnsafeMutablePointer<Double>?, _ length: Int64,
    _ warnings: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?, _ model: OpaquePointer?,
    _ table: UnsafePointer<mtlr_table>?, _ execution: UnsafePointer<mtlr_execution>?,
    _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> mtlr_status {
    if warnings == nil, let rowView = Handle.object(ModelObject.self, model)?.rowView,
        rowView.predict(effects, length, table, execution)
    {
        if let error { Boundary.store(nil, at: error) }
        return MTLR_OK
    }
    return Boundary.run(error) { () throws(MetaLearnersError) in
        if let warnings { Boundary.store(nil, at: warnings) }
        let model = try Handle.required(ModelObject.self, model, "model").model
        let options = try ExecutionView.read(execution)
        let rows = try TableView.read(table, for: .prediction)
        let target = try EffectArray(effects, length, rows: rows.rowCount, armCount: model.armLabels.count)
        let prediction = try model.predict(rows, options)
        try target.store(prediction.effects)
        if let warnings { Boundary.store(try CText.copy(SpecText.list(prediction.warnings)), at: warnings) }
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
        let target = try EffectArray(
            effects, length, rows: training.outcome.count, armCount: model.armLabels.count)
        try target.store(training.effects)
    }
}

/// The caller's array for effects: row by row, within a row by arm.
private struct EffectArray {
    private let start: UnsafeMutablePointer<Double>?
    private let rows: Int
    private let arms: Int

    /// Checks that the array has as many numbers as there are effects.
    init(_ start: UnsafeMutablePointer<Double>?, _ length: Int64, rows: Int, armCount: Int)
        throws(MetaLearnersError)
    {
        arms = max(armCount - 1, 0)
        self.rows = rows
        self.start = start
        try Boundary.requireLength(length, rows: rows, columns: arms, "length")
        guard start != nil || length == 0 else { throw Boundary.missing("effects") }
    }

    /// Writes the effects of each arm.
    func store(_ effects: [[Double]]) throws(MetaLearnersError) {
        guard effects.count == arms, effects.allSatisfy({ $0.count == rows }) else {
            throw MetaLearnersError(.internalFault, at: "effects", "there are not as many as rows and arms")
        }
        guard let start else { return }
        for (arm, values) in effects.enumerated() {
            for (row, value) in values.enumerated() { Boundary.store(value, at: start + (row * arms + arm)) }
        }
    }
}
