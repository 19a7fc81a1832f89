import CMetaLearners
import MetaLearners
import MetaLearnersCore
import MetaLearnersKit

@c @implementation
public func mtlr_spec_resolve(
    _ json: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?, _ spec: UnsafePointer<CChar>?,
    _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> mtlr_status {
    Boundary.text(json, error) { () throws(MetaLearnersError) in
        let value = spec == nil ? SpecValue.object(SpecObject()) : try SpecText.read(spec)
        return try MetaLearnerFitter(MetaLearnerSpec(value)).completeSpec.json()
    }
}

@c @implementation
public func mtlr_backends(
    _ json: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?,
    _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> mtlr_status {
    Boundary.text(json, error) { () throws(MetaLearnersError) in
        EstimatorRegistry.default.specValue(parameters: false).json()
    }
}
