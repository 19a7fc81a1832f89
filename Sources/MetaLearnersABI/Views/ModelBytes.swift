import MetaLearnersCore

/// The bytes of a model in the caller's memory.
enum ModelBytes {
    /// A copy of the bytes.
    ///
    /// - Throws: `invalidArgument` for NULL and for a length that no memory has.
    static func read(_ bytes: UnsafePointer<UInt8>?, _ length: Int64) throws(MetaLearnersError) -> [UInt8] {
        guard let bytes else { throw Boundary.missing("bytes") }
        let (end, wraps) = UInt(bitPattern: bytes).addingReportingOverflow(UInt(clamping: length))
        guard length >= 0, !wraps, end <= AddressSpace.end else {
            throw MetaLearnersError(.invalidArgument, at: "length", "is \(length)")
        }
        try AvailableMemory.require(Int(length), for: "a copy of the model's bytes")
        return [UInt8](UnsafeBufferPointer(start: bytes, count: Int(length)))
    }
}
