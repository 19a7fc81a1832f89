import CMetaLearners
import CausalAnalysis
import MetaLearners
import MetaLearnersCore

@c @implementation
public func mtlr_model_average_effects(
    _ effects: UnsafeMutablePointer<mtlr_average_effect>?, _ count: Int64, _ model: OpaquePointer?,
    _ averaging: UnsafePointer<mtlr_averaging>?, _ execution: UnsafePointer<mtlr_execution>?,
    _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> mtlr_status {
    Boundary.run(error, execution) { options throws(MetaLearnersError) in
        let object = try Handle.required(ModelObject.self, model, "model")
        let perArm = object.model.outcomeKind.effectCount
        try Boundary.requireLength(
            count, rows: object.model.armLabels.count - 1, columns: perArm, "count")
        guard let effects else { throw Boundary.missing("effects") }
        let view = try AveragingView.read(averaging)
        let estimates = try view.effects(of: object.model, options)
        guard estimates.count == Int(count) else {
            throw MetaLearnersError(.internalFault, at: "effects", "there are not as many as arms")
        }
        for (index, estimate) in estimates.enumerated() {
            Boundary.store(
                mtlr_average_effect(
                    arm: Int32(index / perArm + 1), estimand: view.code,
                    outcome_class: Int32(estimate.classIndex ?? -1), reserved: 0,
                    estimate: estimate.estimate, std_error: estimate.stdError, lower: estimate.lower,
                    upper: estimate.upper, level: estimate.level, p_value: estimate.pValue),
                at: effects + index)
        }
    }
}

@c @implementation
public func mtlr_model_average_effects_json(
    _ json: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?, _ model: OpaquePointer?,
    _ averaging: UnsafePointer<mtlr_averaging>?, _ execution: UnsafePointer<mtlr_execution>?,
    _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> mtlr_status {
    Boundary.text(json, execution, error) { options throws(MetaLearnersError) in
        let object = try Handle.required(ModelObject.self, model, "model")
        let estimates = try AveragingView.read(averaging).effects(of: object.model, options)
        let result: SpecValue = ["estimates": .array(estimates.map(\.specValue))]
        return result.json()
    }
}

/// Over whom the caller wants effects to be averaged, and with which intervals.
private struct AveragingView {
    let code: mtlr_estimand
    let estimand: Estimand
    let dataset: CausalDataset?
    let level: Double

    /// The view; everybody among the rows of training for NULL.
    ///
    /// - Throws: `invalidArgument` for a member that cannot be.
    static func read(_ pointer: UnsafePointer<mtlr_averaging>?) throws(MetaLearnersError) -> AveragingView {
        guard let pointer else {
            return AveragingView(
                code: MTLR_ATE, estimand: .ate, dataset: nil, level: AverageEffect.standardLevel)
        }
        let view = try StructView.readGrowable(pointer, "averaging")
        let estimand: Estimand
        switch view.estimand {
        case MTLR_ATE: estimand = .ate
        case MTLR_ATT: estimand = .att
        case MTLR_ATC: estimand = .atc
        case MTLR_ATO: estimand = .ato
        default:
            throw MetaLearnersError(
                .invalidArgument, at: "averaging.estimand", "\(view.estimand) is none",
                remedy: "use MTLR_ATE (0), MTLR_ATT (1), MTLR_ATC (2) or MTLR_ATO (3)")
        }
        guard view.reserved == 0 else {
            throw MetaLearnersError(
                .invalidArgument, at: "averaging.reserved", "is \(view.reserved), must be 0")
        }
        guard view.level == 0 || (view.level > 0 && view.level < 1) else {
            throw MetaLearnersError(
                .invalidArgument, at: "averaging.level", "is \(view.level), must be: 0 < x < 1",
                remedy: "use 0.95 for intervals of 95 %, or 0 for the default")
        }
        var dataset: CausalDataset?
        if let handle = view.dataset {
            dataset = try Handle.required(DatasetObject.self, handle, "averaging.dataset").dataset
        }
        return AveragingView(
            code: view.estimand, estimand: estimand, dataset: dataset,
            level: view.level == 0 ? AverageEffect.standardLevel : view.level)
    }

    /// The average effects that are asked for, by arm and within an arm by class.
    func effects(
        of model: CATEModel, _ options: ExecutionOptions
    ) throws(MetaLearnersError) -> [AverageEffect] {
        try model.averageEffects(estimand, on: dataset, level: level, options)
    }
}
