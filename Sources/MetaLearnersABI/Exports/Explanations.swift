import CMetaLearners
import MetaLearners
import MetaLearnersCore

@c @implementation
public func mtlr_model_explain(
    _ out: UnsafeMutablePointer<OpaquePointer?>?, _ model: OpaquePointer?,
    _ table: UnsafePointer<mtlr_table>?,
    _ background: UnsafePointer<mtlr_table>?, _ request: UnsafePointer<CChar>?,
    _ execution: UnsafePointer<mtlr_execution>?, _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> mtlr_status {
    Boundary.make(out, execution, error) { options throws(MetaLearnersError) in
        let model = try Handle.required(ModelObject.self, model, "model").model
        let rows = try TableView.read(table, for: .prediction)
        let others = background == nil ? nil : try TableView.read(background, for: .prediction)
        var asked = ExplanationRequest()
        if let request {
            let text = try CText.read(request, "request")
            asked = try ExplanationRequest(
                SpecValue(json: text.utf8, source: "request"), at: .named("request"))
        }
        return try ExplanationObject(model.explain(rows, asked, background: others, options))
    }
}

@c @implementation
public func mtlr_explanation_rows(_ explanation: OpaquePointer?) -> Int64 {
    Int64(Handle.object(ExplanationObject.self, explanation)?.explanation.rowCount ?? 0)
}

@c @implementation
public func mtlr_explanation_output_count(_ explanation: OpaquePointer?) -> Int64 {
    Int64(Handle.object(ExplanationObject.self, explanation)?.explanation.outputNames.count ?? 0)
}

@c @implementation
public func mtlr_explanation_feature_count(_ explanation: OpaquePointer?) -> Int64 {
    Int64(Handle.object(ExplanationObject.self, explanation)?.featureNames.count ?? 0)
}

@c @implementation
public func mtlr_explanation_feature_name(_ explanation: OpaquePointer?, _ feature: Int64)
    -> UnsafePointer<CChar>?
{ Handle.object(ExplanationObject.self, explanation)?.featureNames.pointer(at: feature) }

@c @implementation
public func mtlr_explanation_json(_ explanation: OpaquePointer?) -> UnsafePointer<CChar>? {
    Handle.object(ExplanationObject.self, explanation)?.json.pointer
}

@c @implementation
public func mtlr_explanation_values(
    _ values: UnsafeMutablePointer<Double>?, _ length: Int64, _ explanation: OpaquePointer?,
    _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> mtlr_status {
    ExplanationNumbers.store(values, length, explanation, error, "values") { $0.values }
}

@c @implementation
public func mtlr_explanation_standard_errors(
    _ errors: UnsafeMutablePointer<Double>?, _ length: Int64, _ explanation: OpaquePointer?,
    _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> mtlr_status {
    ExplanationNumbers.store(errors, length, explanation, error, "errors") {
        $0.standardErrors.isEmpty ? [Double](repeating: 0, count: $0.values.count) : $0.standardErrors
    }
}

@c @implementation
public func mtlr_explanation_base_values(
    _ values: UnsafeMutablePointer<Double>?, _ length: Int64, _ explanation: OpaquePointer?,
    _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> mtlr_status {
    ExplanationNumbers.store(values, length, explanation, error, "values") { $0.baseValues }
}

@c @implementation
public func mtlr_explanation_effects(
    _ effects: UnsafeMutablePointer<Double>?, _ length: Int64, _ explanation: OpaquePointer?,
    _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> mtlr_status {
    ExplanationNumbers.store(effects, length, explanation, error, "effects") { explanation in
        (0..<explanation.rowCount).flatMap { row in explanation.effects.map { $0[row] } }
    }
}

@c @implementation
public func mtlr_explanation_features(
    _ values: UnsafeMutablePointer<Double>?, _ length: Int64, _ explanation: OpaquePointer?,
    _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> mtlr_status {
    ExplanationNumbers.store(values, length, explanation, error, "values") { explanation in
        let columns = explanation.features.columns.map { column in
            column.codes().map { $0.map { $0 < 0 ? .nan : Double($0) } } ?? column.values.doubles()
        }
        return (0..<explanation.rowCount).flatMap { row in columns.map { $0[row] } }
    }
}

@c @implementation
public func mtlr_explanation_free(_ explanation: OpaquePointer?) {
    Handle.free(ExplanationObject.self, explanation)
}

private enum ExplanationNumbers {
    /// Writes numbers of an explanation to an array of the caller, which need not be aligned.
    static func store(
        _ target: UnsafeMutablePointer<Double>?, _ length: Int64, _ explanation: OpaquePointer?,
        _ error: UnsafeMutablePointer<OpaquePointer?>?, _ argument: String,
        _ numbers: (Explanation) -> [Double]
    ) -> mtlr_status {
        Boundary.run(error) { () throws(MetaLearnersError) in
            let object = try Handle.required(ExplanationObject.self, explanation, "explanation")
            let values = numbers(object.explanation)
            try Boundary.requireLength(length, rows: values.count, columns: 1, "length")
            guard let target else {
                if length == 0 { return }
                throw Boundary.missing(argument)
            }
            for (index, value) in values.enumerated() { Boundary.store(value, at: target + index) }
        }
    }
}
