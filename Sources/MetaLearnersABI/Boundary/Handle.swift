import MetaLearnersCore

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// An object that C holds by an opaque pointer.
protocol HandledObject: AnyObject, Sendable {
    /// Tells handles of this type from others; no two types share one.
    static var tag: UInt64 { get }
    /// The C type's name.
    static var typeName: String { get }
}

/// What an opaque pointer points to: a tag ahead of the object, so that a handle of another type, or one that was
/// freed and whose memory is still there, is an error and no crash.
struct Handle {
    private let tag: UInt64
    private let object: UnsafeRawPointer

    /// A handle that keeps `object` alive until it is freed; nil where there is no memory.
    static func make<Object: HandledObject>(_ object: Object) -> OpaquePointer? {
        guard let memory = malloc(MemoryLayout<Handle>.size) else { return nil }
        let handle = Handle(tag: Object.tag, object: Unmanaged.passRetained(object).toOpaque())
        memory.storeBytes(of: handle, as: Handle.self)
        return OpaquePointer(memory)
    }

    /// The object behind a handle; nil where it is NULL or of another type.
    static func object<Object: HandledObject>(_: Object.Type, _ pointer: OpaquePointer?) -> Object? {
        guard let handle = read(pointer), handle.tag == Object.tag else { return nil }
        return Unmanaged<Object>.fromOpaque(handle.object).takeUnretainedValue()
    }

    /// The object behind a handle.
    ///
    /// - Throws: `invalidArgument` where the handle is NULL, of another type, or freed.
    static func required<Object: HandledObject>(
        _ type: Object.Type, _ pointer: OpaquePointer?, _ argument: String
    )
        throws(MetaLearnersError) -> Object
    {
        guard pointer != nil else { throw Boundary.missing(argument) }
        guard let object = object(type, pointer) else {
            throw MetaLearnersError(
                .invalidArgument, at: argument, "is not a live \(Object.typeName)",
                remedy: "it was freed, or is a pointer of another type")
        }
        return object
    }

    /// Lets go of the object; ignores NULL and handles of another type.
    static func free<Object: HandledObject>(_: Object.Type, _ pointer: OpaquePointer?) {
        guard let handle = read(pointer), handle.tag == Object.tag else { return }
        let memory = UnsafeMutableRawPointer(pointer)
        memory?.storeBytes(of: 0, as: UInt64.self)
        Unmanaged<Object>.fromOpaque(handle.object).release()
        returnMemory(memory)
    }

    private static func read(_ pointer: OpaquePointer?) -> Handle? {
        guard let pointer, UInt(bitPattern: pointer).isMultiple(of: UInt(MemoryLayout<Handle>.alignment))
        else {
            return nil
        }
        return UnsafeRawPointer(pointer).load(as: Handle.self)
    }
}

/// C's `free`, which `Handle.free` hides.
private func returnMemory(_ memory: UnsafeMutableRawPointer?) { free(memory) }
