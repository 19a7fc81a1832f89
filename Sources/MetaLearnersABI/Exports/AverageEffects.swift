import CMetaLearners
import CausalAnalysis
import MetaLearners
import MetaLearnersCore

@c @implementation
public func mtlr_model_average_effects(
    _ effects: UnsafeMutablePointer<mtlr_average_effect>?, _ count: Int64, _ model: OpaquePointer?,
    _ dataset: OpaquePointer?, _ estimand: mtlr_estimand, _ execution: UnsafePointer<mtlr_execution>?,
    _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> mtlr_status {
    Boundary.run(error) { () throws(MetaLearnersError) in
        let object = try Handle.required(ModelObject.self, model, "model")
        try Boundary.requireLength(
            count, rows: object.model.armLabels.count - 1, columns: object.model.outcomeKind.effectCount,
            "count")
        guard let effects else { throw Boundary.missing("effects") }
        let estimates = try averageEffects(object.model, dataset, estimand, execution)
        guard estimates.count == Int(count) else {
            throw MetaLearnersError(.internalFault, at: "effects", "there are not as many as arms")
        }
        for (index, estimate) in estimates.enumerated() {
            Boundary.store(
                mtlr_average_effect(
                    arm: Int32(index / object.model.outcomeKind.effectCount + 1), estimand: estimand,
                    estimate: estimate.estimate,
                    std_error: estimate.stdError, lower: estimate.lower, upper: estimate.upper,
                    p_value: estimate.pValue),
                at: effects + index)
        }
    }
}

@c @implementation
public func mtlr_model_average_effects_json(
    _ json: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?, _ model: OpaquePointer?,
    _ dataset: OpaquePointer?, _ estimand: mtlr_estimand, _ execution: UnsafePointer<mtlr_execution>?,
    _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> mtlr_status {
    Boundary.text(json, error) { () throws(MetaLearnersError) in
        let object = try Handle.required(ModelObject.self, model, "model")
        let estimates = try averageEffects(object.model, dataset, estimand, execution)
        let result: SpecValue = ["estimates": .array(estimates.map(\.specValue))]
        return result.json()
    }
}

/// The average effects over the rows of `dataset`; over those of training where it is NULL.
private func averageEffects(
    _ model: CATEModel, _ dataset: OpaquePointer?, _ code: mtlr_estimand,
    _ execution: UnsafePointer<mtlr_execution>?
) throws(MetaLearnersError) -> [AverageEffect] {
    let estimand: Estimand
    switch code {
    case MTLR_ATE: estimand = .ate
    case MTLR_ATT: estimand = .att
    default:
        throw MetaLearnersError(
            .invalidArgument, at: "estimand", "\(code) is none", remedy: "use MTLR_ATE (0) or MTLR_ATT (1)")
    }
    var rows: CausalDataset?
    if dataset != nil { rows = try Handle.required(DatasetObject.self, dataset, "dataset").dataset }
    return try model.averageEffects(estimand, on: rows, ExecutionView.read(execution))
}
