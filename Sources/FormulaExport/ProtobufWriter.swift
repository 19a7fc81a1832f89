/// A message of Protocol Buffers while it is written (https://protobuf.dev/programming-guides/encoding): the few kinds of fields
/// that ONNX needs.
struct ProtobufWriter {
    private(set) var bytes: [UInt8] = []

    private mutating func varint(_ value: UInt64) {
        var rest = value
        while rest >= 128 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 128)
            rest >>= 7
        }
        bytes.append(UInt8(rest))
    }

    private mutating func tag(_ field: Int, _ wireType: UInt64) { varint(UInt64(field) << 3 | wireType) }

    /// An integer or an enumeration.
    mutating func write(_ field: Int, _ value: Int) {
        tag(field, 0)
        varint(UInt64(bitPattern: Int64(value)))
    }

    /// Bytes.
    mutating func write(_ field: Int, _ value: [UInt8]) {
        tag(field, 2)
        varint(UInt64(value.count))
        bytes += value
    }

    /// A text.
    mutating func write(_ field: Int, _ value: String) { write(field, Array(value.utf8)) }

    /// A message within.
    mutating func write(_ field: Int, _ body: (inout ProtobufWriter) -> Void) {
        var inner = ProtobufWriter()
        body(&inner)
        write(field, inner.bytes)
    }

    /// A packed list of integers.
    mutating func write(_ field: Int, packed values: [Int]) {
        write(field) { inner in for value in values { inner.varint(UInt64(bitPattern: Int64(value))) } }
    }
}
