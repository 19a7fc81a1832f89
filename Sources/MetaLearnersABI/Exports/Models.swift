import CMetaLearners
import CausalAnalysis
import MetaLearners
import MetaLearnersCore
import MetaLearnersKit

@c @implementation
public func mtlr_model_fit(
    _ out: UnsafeMutablePointer<OpaquePointer?>?, _ dataset: OpaquePointer?, _ spec: UnsafePointer<CChar>?,
    _ execution: UnsafePointer<mtlr_execution>?, _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> mtlr_status {
    Boundary.make(out, execution, error) { options throws(MetaLearnersError) in
        let fitting: (dataset: CausalDataset, fitter: MetaLearnerFitter)
        do throws(MetaLearnersError) {
            let dataset = try Handle.required(DatasetObject.self, dataset, "dataset")
            fitting = (
                dataset.dataset,
                try MetaLearnerFitter(
                    SpecText.read(spec, matching: dataset.spec), registry: ExecutionView.registry(execution))
            )
        } catch {
            // What is wrong here alone must not leave the other processes waiting.
            if let collective = options.collective { collective.refuse(because: error) }
            throw error
        }
        return try ModelObject(fitting.fitter.fit(fitting.dataset, options))
    }
}

@c @implementation
public func mtlr_model_fit_reusing(
    _ out: UnsafeMutablePointer<OpaquePointer?>?, _ dataset: OpaquePointer?, _ spec: UnsafePointer<CChar>?,
    _ nuisances: OpaquePointer?, _ execution: UnsafePointer<mtlr_execution>?,
    _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> mtlr_status {
    Boundary.make(out, execution, error) { options throws(MetaLearnersError) in
        let dataset = try Handle.required(DatasetObject.self, dataset, "dataset")
        let known = try Handle.required(ModelObject.self, nuisances, "nuisances").model
        let registry = try ExecutionView.registry(execution)
        let fitter = try MetaLearnerFitter(
            SpecText.read(spec, matching: dataset.spec), registry: registry)
        let reused = try fitter.nuisances(
            of: known, fittedTo: dataset.dataset, options)
        return try ModelObject(fitter.fit(dataset.dataset, nuisances: reused, options))
    }
}

@c @implementation
public func mtlr_model_arm_count(_ model: OpaquePointer?) -> Int64 {
    Int64(Handle.object(ModelObject.self, model)?.model.armLabels.count ?? 0)
}

@c @implementation
public func mtlr_model_arm_label(_ model: OpaquePointer?, _ arm: Int64) -> UnsafePointer<CChar>? {
    Handle.object(ModelObject.self, model)?.armLabels.pointer(at: arm)
}

@c @implementation
public func mtlr_model_class_count(_ model: OpaquePointer?) -> Int64 {
    Int64(Handle.object(ModelObject.self, model)?.classLabels.count ?? 0)
}

@c @implementation
public func mtlr_model_class_label(_ model: OpaquePointer?, _ outcomeClass: Int64) -> UnsafePointer<CChar>? {
    Handle.object(ModelObject.self, model)?.classLabels.pointer(at: outcomeClass)
}

@c @implementation
public func mtlr_model_training_rows(_ model: OpaquePointer?) -> Int64 {
    Int64(Handle.object(ModelObject.self, model)?.model.trainingRowCount ?? 0)
}

@c @implementation
public func mtlr_model_spec(
    _ json: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?, _ model: OpaquePointer?,
    _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> mtlr_status {
    Boundary.text(json, error) { () throws(MetaLearnersError) in
        try Handle.required(ModelObject.self, model, "model").model.completeSpec.json()
    }
}

@c @implementation
public func mtlr_model_summary(
    _ json: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?, _ model: OpaquePointer?,
    _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> mtlr_status {
    Boundary.text(json, error) { () throws(MetaLearnersError) in
        try Handle.required(ModelObject.self, model, "model").model.summary.json()
    }
}

@c @implementation
public func mtlr_model_inspect(
    _ json: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?, _ model: OpaquePointer?,
    _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> mtlr_status {
    Boundary.text(json, error) { () throws(MetaLearnersError) in
        try Handle.required(ModelObject.self, model, "model").model.inspection.json()
    }
}

@c @implementation
public func mtlr_model_warnings(
    _ json: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?, _ model: OpaquePointer?,
    _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> mtlr_status {
    Boundary.text(json, error) { () throws(MetaLearnersError) in
        SpecText.list(try Handle.required(ModelObject.self, model, "model").model.warnings)
    }
}

@c @implementation
public func mtlr_model_free(_ model: OpaquePointer?) { Handle.free(ModelObject.self, model) }
