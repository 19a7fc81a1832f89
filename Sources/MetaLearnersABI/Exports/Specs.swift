import CMetaLearners
import MetaLearners
import MetaLearnersCore

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
        let backends = EstimatorRegistry.default.descriptions.map { backend -> SpecValue in
            [
                "name": .string(backend.name), "summary": .string(backend.summary),
                "version": .string(backend.version), "location": .string(backend.location),
                "capabilities": .array(backend.capabilities.names.map { .string($0) }),
            ]
        }
        let result: SpecValue = ["backends": .array(backends)]
        return result.json()
    }
}
