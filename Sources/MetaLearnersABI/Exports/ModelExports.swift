import CMetaLearners
import MetaLearners
import MetaLearnersCore

@c @implementation
public func mtlr_model_export(
    _ bytes: UnsafeMutablePointer<UnsafeMutablePointer<UInt8>?>?, _ length: UnsafeMutablePointer<Int64>?,
    _ model: OpaquePointer?, _ request: UnsafePointer<CChar>?,
    _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> mtlr_status {
    Boundary.bytes(bytes, length, error) { () throws(MetaLearnersError) in
        let model = try Handle.required(ModelObject.self, model, "model").model
        guard let request else { return try model.exported(ExportSpec()) }
        let value = try SpecValue(json: CText.read(request, "request").utf8, source: "request")
        return try model.exported(ExportSpec(value))
    }
}
