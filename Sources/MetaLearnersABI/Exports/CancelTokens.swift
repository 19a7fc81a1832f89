import CMetaLearners
import MetaLearnersCore

@c @implementation
public func mtlr_cancel_token_create(
    _ out: UnsafeMutablePointer<OpaquePointer?>?, _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> mtlr_status {
    Boundary.make(out, error) { () throws(MetaLearnersError) in CancelTokenObject() }
}

@c @implementation
public func mtlr_cancel_token_cancel(_ token: OpaquePointer?) {
    Handle.object(CancelTokenObject.self, token)?.token.cancel()
}

@c @implementation
public func mtlr_cancel_token_is_cancelled(_ token: OpaquePointer?) -> Int32 {
    Handle.object(CancelTokenObject.self, token)?.token.isCancelled == true ? 1 : 0
}

@c @implementation
public func mtlr_cancel_token_free(_ token: OpaquePointer?) { Handle.free(CancelTokenObject.self, token) }
