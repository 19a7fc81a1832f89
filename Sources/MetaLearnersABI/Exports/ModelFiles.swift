import CMetaLearners
import MetaLearners
import MetaLearnersCore
import MetaLearnersKit

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

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
    Boundary.run(error) { () throws(MetaLearnersError) in
        if let bytes { Boundary.store(nil, at: bytes) }
        if let length { Boundary.store(0, at: length) }
        guard let bytes else { throw Boundary.missing("bytes") }
        guard let length else { throw Boundary.missing("length") }
        let encoded = try Handle.required(ModelObject.self, model, "model").model.fileBytes()
        guard let copy = malloc(max(encoded.count, 1)) else {
            throw Boundary.outOfMemory("the model's bytes")
        }
        encoded.withUnsafeBytes { source in
            if let start = source.baseAddress { copy.copyMemory(from: start, byteCount: source.count) }
        }
        Boundary.store(copy.assumingMemoryBound(to: UInt8.self), at: bytes)
        Boundary.store(Int64(encoded.count), at: length)
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
