/// Writes numbers, texts and arrays as little-endian bytes.
public struct BinaryWriter: Sendable {
    /// The bytes so far.
    public internal(set) var bytes: [UInt8] = []

    /// Creates an empty writer.
    public init() {}

    /// Creates an empty writer with room for so many bytes.
    package init(capacity: Int) { bytes.reserveCapacity(capacity) }

    /// Appends an integer of fixed width.
    @inlinable
    public mutating func write<Integer: FixedWidthInteger>(_ value: Integer) {
        withUnsafeBytes(of: value.littleEndian) { append($0) }
    }

    @usableFromInline
    mutating func append(_ raw: UnsafeRawBufferPointer) { bytes.append(contentsOf: raw) }

    /// Appends a number, bit by bit.
    public mutating func write(_ value: Double) { write(value.bitPattern) }

    /// Appends a number, bit by bit.
    public mutating func write(_ value: Float) { write(value.bitPattern) }

    /// Appends a boolean as one byte.
    public mutating func write(_ value: Bool) { write(UInt8(value ? 1 : 0)) }

    /// Appends a text: its length in UTF-8 bytes, then these.
    public mutating func write(_ value: String) {
        let utf8 = Array(value.utf8)
        write(UInt64(utf8.count))
        bytes.append(contentsOf: utf8)
    }

    /// Appends an array: its count, then its elements.
    @inlinable
    public mutating func write<Integer: FixedWidthInteger>(_ values: [Integer]) {
        write(UInt64(values.count))
        guard Self.isLittleEndian else { return values.forEach { write($0) } }
        values.withUnsafeBytes { append($0) }
    }

    /// Appends an array: its count, then its elements.
    public mutating func write(_ values: [Double]) {
        write(UInt64(values.count))
        guard Self.isLittleEndian else { return values.forEach { write($0) } }
        values.withUnsafeBytes { append($0) }
    }

    /// Appends an array: its count, then its elements.
    public mutating func write(_ values: [Float]) {
        write(UInt64(values.count))
        guard Self.isLittleEndian else { return values.forEach { write($0) } }
        values.withUnsafeBytes { append($0) }
    }

    /// Whether numbers stand in the host's memory as they do in a file.
    @usableFromInline
    static var isLittleEndian: Bool { UInt16(1).littleEndian == 1 }

    /// Appends an array: its count, then its elements.
    public mutating func write(_ values: [String]) {
        write(UInt64(values.count))
        for value in values { write(value) }
    }
}
