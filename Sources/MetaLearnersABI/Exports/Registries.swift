import CMetaLearners
import MetaLearners
import MetaLearnersCore
import MetaLearnersKit
import PluginEstimators

@c @implementation
public func mtlr_registry_create(
    _ out: UnsafeMutablePointer<OpaquePointer?>?, _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> mtlr_status {
    Boundary.make(out, error) { () throws(MetaLearnersError) in RegistryObject(.default) }
}

@c @implementation
public func mtlr_registry_load_plugin(
    _ registry: OpaquePointer?, _ path: UnsafePointer<CChar>?, _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> mtlr_status {
    Boundary.run(error) { () throws(MetaLearnersError) in
        let object = try Handle.required(RegistryObject.self, registry, "registry")
        let path = try CText.read(path, "path")
        try object.add { known throws(MetaLearnersError) in try known.loadingPlugin(at: path) }
    }
}

@c @implementation
public func mtlr_registry_add_callbacks(
    _ registry: OpaquePointer?, _ table: UnsafePointer<mtlr_plugin_vtable>?,
    _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> mtlr_status {
    Boundary.run(error) { () throws(MetaLearnersError) in
        let object = try Handle.required(RegistryObject.self, registry, "registry")
        guard let table else { throw Boundary.missing("table") }
        let plugin = try Plugin(table, location: Plugin.callbackLocation)
        try object.add { known throws(MetaLearnersError) in try known.registering(plugin) }
        plugin.releasesPayload()
    }
}

@c @implementation
public func mtlr_registry_backends(
    _ json: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?, _ registry: OpaquePointer?,
    _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> mtlr_status {
    Boundary.text(json, error) { () throws(MetaLearnersError) in
        try Handle.required(RegistryObject.self, registry, "registry").registry.estimators.specValue(
            parameters: true
        )
        .json()
    }
}

@c @implementation
public func mtlr_registry_resolve_spec(
    _ json: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?, _ registry: OpaquePointer?,
    _ spec: UnsafePointer<CChar>?, _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> mtlr_status {
    Boundary.text(json, error) { () throws(MetaLearnersError) in
        let object = try Handle.required(RegistryObject.self, registry, "registry")
        let value = spec == nil ? SpecValue.object(SpecObject()) : try SpecText.read(spec)
        return try MetaLearnerFitter(MetaLearnerSpec(value), registry: object.registry).completeSpec.json()
    }
}

@c @implementation
public func mtlr_registry_load_model(
    _ out: UnsafeMutablePointer<OpaquePointer?>?, _ registry: OpaquePointer?, _ path: UnsafePointer<CChar>?,
    _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> mtlr_status {
    Boundary.make(out, error) { () throws(MetaLearnersError) in
        let object = try Handle.required(RegistryObject.self, registry, "registry")
        return try ModelObject(CATEModel(contentsOf: CText.read(path, "path"), registry: object.registry))
    }
}

@c @implementation
public func mtlr_registry_read_model(
    _ out: UnsafeMutablePointer<OpaquePointer?>?, _ registry: OpaquePointer?, _ bytes: UnsafePointer<UInt8>?,
    _ length: Int64, _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> mtlr_status {
    Boundary.make(out, error) { () throws(MetaLearnersError) in
        let object = try Handle.required(RegistryObject.self, registry, "registry")
        return try ModelObject(CATEModel(bytes: ModelBytes.read(bytes, length), registry: object.registry))
    }
}

@c @implementation
public func mtlr_registry_free(_ registry: OpaquePointer?) { Handle.free(RegistryObject.self, registry) }
