import MetaLearnersCore

/// Reads structures of the caller.
enum StructView {
    /// Larger sizes than this are taken for a mistake: no version of a structure comes near it.
    private static let largestSize = 4096

    /// The structure at `pointer`, whose first member is its own size as the caller knows it.
    ///
    /// - Throws: `invalidArgument` for NULL, for a size smaller than that of this version (no other was released), and
    ///   for a larger one with anything but zeros in what this version does not know.
    static func readGrowable<Value: BitwiseCopyable>(
        _ pointer: UnsafePointer<Value>?, _ argument: String
    ) throws(MetaLearnersError) -> Value {
        guard let pointer else { throw Boundary.missing(argument) }
        let bytes = UnsafeRawPointer(pointer)
        let size = bytes.loadUnaligned(as: UInt.self)
        let known = MemoryLayout<Value>.size
        guard size >= UInt(known), size <= UInt(largestSize) else {
            throw MetaLearnersError(
                .invalidArgument, at: argument, "struct_size is \(size), which is no size of \(Value.self)",
                remedy: "set it to sizeof(\(Value.self))")
        }
        for offset in known..<Int(size) where bytes.load(fromByteOffset: offset, as: UInt8.self) != 0 {
            throw MetaLearnersError(
                .invalidArgument, at: argument,
                "uses a member that this version of the library does not know",
                remedy: "use the header that came with the library, or a newer library")
        }
        return bytes.loadUnaligned(as: Value.self)
    }

    /// The element at `index` of an array of frozen structures or pointers, which need not be aligned.
    static func element<Value: BitwiseCopyable>(_ array: UnsafePointer<Value>, _ index: Int) -> Value {
        UnsafeRawPointer(array).loadUnaligned(
            fromByteOffset: index * MemoryLayout<Value>.stride, as: Value.self)
    }
}
