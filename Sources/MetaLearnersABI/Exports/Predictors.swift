import CMetaLearners
import MetaLearners
import MetaLearnersCore

@c @implementation
public func mtlr_predictor_create(
    _ out: UnsafeMutablePointer<OpaquePointer?>?, _ model: OpaquePointer?,
    _ column_names: UnsafePointer<UnsafePointer<CChar>?>?, _ column_count: Int64,
    _ prediction: UnsafePointer<mtlr_prediction>?, _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> mtlr_status {
    Boundary.make(out, error) { () throws(MetaLearnersError) in
        let model = try Handle.required(ModelObject.self, model, "model").model
        let view = try PredictionView.read(prediction)
        guard !view.isOfTraining, view.rowStride == 0, view.columnStride == 0, view.dtype == MTLR_FLOAT64
        else {
            throw MetaLearnersError(
                .invalidArgument, at: "prediction", "asks for training rows, strides or floats",
                remedy: "predictors predict new rows, as doubles side by side")
        }
        guard column_count >= 0, column_count <= Int64(TableView.columnLimit) else {
            throw MetaLearnersError(
                .invalidArgument, at: "column_count", "is \(column_count), not 0 to \(TableView.columnLimit)")
        }
        guard let column_names else {
            guard column_count == 0 else { throw Boundary.missing("column_names") }
            return try PredictorObject(model.rowPredictor(view.request))
        }
        var names: [String] = []
        for index in 0..<Int(column_count) {
            names.append(try CText.read(StructView.element(column_names, index), "column_names[\(index)]"))
        }
        return try PredictorObject(model.rowPredictor(columns: names, view.request))
    }
}

@c @implementation
public func mtlr_predictor_column_count(_ predictor: OpaquePointer?) -> Int64 {
    Int64(Handle.object(PredictorObject.self, predictor)?.columnNames.count ?? 0)
}

@c @implementation
public func mtlr_predictor_column_name(_ predictor: OpaquePointer?, _ column: Int64)
    -> UnsafePointer<CChar>?
{ Handle.object(PredictorObject.self, predictor)?.columnNames.pointer(at: column) }

@c @implementation
public func mtlr_predictor_level_count(_ predictor: OpaquePointer?, _ column: Int64) -> Int64 {
    guard let levels = Handle.object(PredictorObject.self, predictor)?.levels, column >= 0,
        column < Int64(levels.count)
    else { return 0 }
    return Int64(levels[Int(column)].count)
}

@c @implementation
public func mtlr_predictor_level(_ predictor: OpaquePointer?, _ column: Int64, _ code: Int64)
    -> UnsafePointer<CChar>?
{
    guard let levels = Handle.object(PredictorObject.self, predictor)?.levels, column >= 0,
        column < Int64(levels.count)
    else { return nil }
    return levels[Int(column)].pointer(at: code)
}

@c @implementation
public func mtlr_predictor_output_count(_ predictor: OpaquePointer?) -> Int64 {
    Int64(Handle.object(PredictorObject.self, predictor)?.outputCount ?? 0)
}

@c @implementation
public func mtlr_predictor_is_compiled(_ predictor: OpaquePointer?) -> Int32 {
    Handle.object(PredictorObject.self, predictor)?.predictor.isCompiled == true ? 1 : 0
}

@c @implementation
public func mtlr_predictor_row(
    _ values: UnsafeMutablePointer<Double>?, _ length: Int64, _ predictor: OpaquePointer?,
    _ row: UnsafePointer<Double>?, _ column_count: Int64, _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> mtlr_status {
    // What a service asks for: nothing between it and the formulas.
    if let values, let row, let object = Handle.object(PredictorObject.self, predictor),
        length == Int64(object.outputCount), column_count == Int64(object.columnNames.count),
        UInt(bitPattern: values) & 7 == 0, object.predictor.compute(UnsafeRawPointer(row), to: values)
    {
        if let error { Boundary.store(nil, at: error) }
        return MTLR_OK
    }
    return Boundary.run(error) { () throws(MetaLearnersError) in
        let object = try Handle.required(PredictorObject.self, predictor, "predictor")
        try Boundary.requireLength(length, rows: 1, columns: object.outputCount, "length")
        guard column_count == Int64(object.columnNames.count) else {
            throw MetaLearnersError(
                .invalidArgument, at: "column_count",
                "is \(column_count), and a row has \(object.columnNames.count) values",
                remedy: "ask mtlr_predictor_column_count()")
        }
        guard let values else { throw Boundary.missing("values") }
        guard let row else { throw Boundary.missing("row") }
        var results = [Double](repeating: 0, count: object.outputCount)
        try object.predictor.predict(UnsafeRawPointer(row), to: &results)
        for (index, result) in results.enumerated() { Boundary.store(result, at: values + index) }
    }
}

@c @implementation
public func mtlr_predictor_free(_ predictor: OpaquePointer?) { Handle.free(PredictorObject.self, predictor) }
