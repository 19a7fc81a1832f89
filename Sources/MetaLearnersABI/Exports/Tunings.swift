import CMetaLearners
import MetaLearners
import MetaLearnersCore
import MetaLearnersKit
import Tuning

@c @implementation
public func mtlr_tuning_run(
    _ out: UnsafeMutablePointer<OpaquePointer?>?, _ dataset: OpaquePointer?, _ validation: OpaquePointer?,
    _ spec: UnsafePointer<CChar>?, _ journal: UnsafePointer<CChar>?,
    _ execution: UnsafePointer<mtlr_execution>?, _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> mtlr_status {
    Boundary.make(out, execution, error) { options throws(MetaLearnersError) in
        let dataset = try Handle.required(DatasetObject.self, dataset, "dataset")
        let held =
            validation == nil
            ? nil : try Handle.required(DatasetObject.self, validation, "validation").dataset
        let (value, tuning) = try TuningSpec.document(SpecText.read(spec))
        let tuner = try Tuner(
            SpecText.spec(value, matching: dataset.spec), tuning, registry: ExecutionView.registry(execution))
        let kept =
            journal == nil ? nil : TuningJournal(try CText.read(journal, "journal"), resumes: true)
        return try TuningObject(
            tuner.run(dataset.dataset, validation: held, journal: kept, options))
    }
}

@c @implementation
public func mtlr_tuning_json(_ tuning: OpaquePointer?) -> UnsafePointer<CChar>? {
    Handle.object(TuningObject.self, tuning)?.json.pointer
}

@c @implementation
public func mtlr_tuning_csv(_ tuning: OpaquePointer?) -> UnsafePointer<CChar>? {
    Handle.object(TuningObject.self, tuning)?.csv.pointer
}

@c @implementation
public func mtlr_tuning_best_spec(
    _ json: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?, _ tuning: OpaquePointer?,
    _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> mtlr_status {
    Boundary.text(json, error) { () throws(MetaLearnersError) in
        let result = try Handle.required(TuningObject.self, tuning, "tuning").result
        guard let spec = result.bestSpec else {
            throw MetaLearnersError(.unsupported, at: "tuning", "no candidate has a score")
        }
        return SpecValue.object(spec.archivedValue).json()
    }
}

@c @implementation
public func mtlr_tuning_fit_best(
    _ out: UnsafeMutablePointer<OpaquePointer?>?, _ tuning: OpaquePointer?,
    _ execution: UnsafePointer<mtlr_execution>?, _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> mtlr_status {
    Boundary.make(out, execution, error) { options throws(MetaLearnersError) in
        try ModelObject(
            Handle.required(TuningObject.self, tuning, "tuning").result.fitBest(options))
    }
}

@c @implementation
public func mtlr_tuning_free(_ tuning: OpaquePointer?) { Handle.free(TuningObject.self, tuning) }
