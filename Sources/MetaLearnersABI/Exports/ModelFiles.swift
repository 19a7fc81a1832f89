import CMetaLearners
import MetaLearners
import MetaLearnersCore
import MetaLearnersKit

@c @implementation
public func mtlr_model_save(
    _ model: OpaquePointer?, _ path: UnsafePointer<CChar>?, _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> mtlr_status {
    Boundary.run(error) { () throws(MetaLearnersError) in
        let model = try Handle.required(ModelObject.self, model, "model").model
        try model.save(to: CText.read(path, "path"))
    }
}

@c @implementation
public func mtlr_model_load(
    _ out: UnsafeMutablePointer<OpaquePointer?>?, _ path: UnsafePointer<CChar>?,
    _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> mtlr_status {
    Boundary.make(out, error) { () throws(MetaLearnersError) in
        try ModelObject(CATEModel(contentsOf: CText.read(path, "path")))
    }
}

@c @implementation
public func mtlr_model_to_bytes(
    _ bytes: UnsafeMutablePointer<UnsafeMutablePointer<UInt8>?>?, _ length: UnsafeMutablePointer<Int64>?,
    _ model: OpaquePointer?, _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> mtlr_status {
    Boundary.bytes(bytes, length, error) { () throws(MetaLearnersError) in
        try Handle.required(ModelObject.self, model, "model").model.fileBytes()
    }
}

@c @implementation
public func mtlr_model_from_bytes(
    _ out: UnsafeMutablePointer<OpaquePointer?>?, _ bytes: UnsafePointer<UInt8>?, _ length: Int64,
    _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> mtlr_status {
    Boundary.make(out, error) { () throws(MetaLearnersError) in
        try ModelObject(CATEModel(bytes: ModelBytes.read(bytes, length)))
    }
}
