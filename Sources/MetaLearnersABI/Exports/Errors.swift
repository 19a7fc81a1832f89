import CMetaLearners
import MetaLearnersCore

@c @implementation
public func mtlr_status_name(_ status: mtlr_status) -> UnsafePointer<CChar>? {
    guard status != MTLR_OK else { return CText.constant("ok") }
    return CText.constant(MetaLearnersError.Kind(rawValue: status)?.statusName ?? "unknown")
}

@c @implementation
public func mtlr_error_status(_ error: OpaquePointer?) -> mtlr_status {
    Handle.object(ErrorObject.self, error)?.status ?? MTLR_OK
}

@c @implementation
public func mtlr_error_message(_ error: OpaquePointer?) -> UnsafePointer<CChar>? {
    Handle.object(ErrorObject.self, error)?.message.pointer
}

@c @implementation
public func mtlr_error_location(_ error: OpaquePointer?) -> UnsafePointer<CChar>? {
    Handle.object(ErrorObject.self, error)?.location?.pointer
}

@c @implementation
public func mtlr_error_problem(_ error: OpaquePointer?) -> UnsafePointer<CChar>? {
    Handle.object(ErrorObject.self, error)?.problem.pointer
}

@c @implementation
public func mtlr_error_remedy(_ error: OpaquePointer?) -> UnsafePointer<CChar>? {
    Handle.object(ErrorObject.self, error)?.remedy?.pointer
}

@c @implementation
public func mtlr_error_free(_ error: OpaquePointer?) { Handle.free(ErrorObject.self, error) }

extension MetaLearnersError.Kind {
    /// The name of the status, as the header's constants have it.
    fileprivate var statusName: StaticString {
        switch self {
        case .invalidArgument: "invalid_argument"
        case .invalidSpec: "invalid_spec"
        case .invalidData: "invalid_data"
        case .unsupported: "unsupported"
        case .inputOutput: "input_output"
        case .corruptModel: "corrupt_model"
        case .incompatibleModel: "incompatible_model"
        case .numericalFailure: "numerical_failure"
        case .cancelled: "cancelled"
        case .outOfMemory: "out_of_memory"
        case .internalFault: "internal_fault"
        }
    }
}
