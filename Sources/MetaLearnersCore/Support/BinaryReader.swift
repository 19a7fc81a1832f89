/// Reads what `BinaryWriter` wrote; bytes that end too soon or make no sense give an error, never a trap.
public struct BinaryReader: Sendable {
    @usableFromInline let bytes: ArraySlice<UInt8>
    @usableFromInline var position: Int

    /// Creates a reader of `bytes`.
    public init(_ bytes: ArraySlice<UInt8>) {
        self.bytes = bytes
        position = bytes.startIndex
    }

    /// The number of bytes not yet read.
    @inlinable public var remaining: Int { bytes.endIndex - position }

    /// The error of bytes that make no sense.
    public static func corrupt(_ problem: String) -> MetaLearnersError {
        MetaLearnersError(.corruptModel, "the model file is damaged: \(problem)")
    }

    /// Reads an integer of fixed width.
    @inlinable
    public mutating func read<Integer: FixedWidthInteger>(_: Integer.Type = Integer.self)
        throws(MetaLearnersError) -> Integer
    {
        let size = Integer.bitWidth / 8
        guard remaining >= size else { throw Self.corrupt("it ends too soon") }
        var value: Integer = 0
        for index in 0..<size {
            value |= Integer(truncatingIfNeeded: UInt64(bytes[position + index])) << Integer(8 * index)
        }
        position += size
        return value
    }

    /// Reads a number.
    public mutating func readDouble() throws(MetaLearnersError) -> Double {
        Double(bitPattern: try read(UInt64.self))
    }

    /// Reads a number.
    public mutating func readFloat() throws(MetaLearnersError) -> Float {
        Float(bitPattern: try read(UInt32.self))
    }

    /// Reads a boolean.
    public mutating func readBool() throws(MetaLearnersError) -> Bool {
        switch try read(UInt8.self) {
        case 0: return false
        case 1: return true
        default: throw Self.corrupt("a flag is neither 0 nor 1")
        }
    }

    /// Reads a number of things of which each takes at least `size` bytes, and checks that so many can follow.
    public mutating func readCount(elementSize size: Int) throws(MetaLearnersError) -> Int {
        guard let count = Int(exactly: try read(UInt64.self)), count <= remaining / max(size, 1) else {
            throw Self.corrupt("a count is larger than the file")
        }
        return count
    }

    /// Reads a text.
    public mutating func readString() throws(MetaLearnersError) -> String {
        let count = try readCount(elementSize: 1)
        guard let text = String(validating: bytes[position..<position + count], as: UTF8.self) else {
            throw Self.corrupt("a text is not UTF-8")
        }
        position += count
        return text
    }

    /// Reads an array of integers.
    @inlinable
    public mutating func readArray<Integer: FixedWidthInteger>(_: Integer.Type = Integer.self)
        throws(MetaLearnersError) -> [Integer]
    {
        let values = try readMemory(Integer.self)
        return Integer(1).littleEndian == 1 ? values : values.map { Integer(littleEndian: $0) }
    }

    /// Reads an array as it stands in a file.
    @usableFromInline
    mutating func readMemory<Element>(_: Element.Type) throws(MetaLearnersError)
        -> [Element]
    {
        let size = MemoryLayout<Element>.size
        let count = try readCount(elementSize: size)
        let raw = try readBytes(count * size)
        return [Element](unsafeUninitializedCapacity: count) { buffer, initialized in
            raw.withUnsafeBytes { UnsafeMutableRawBufferPointer(buffer).copyMemory(from: $0) }
            initialized = count
        }
    }

    /// Reads an array of numbers.
    public mutating func readDoubles() throws(MetaLearnersError) -> [Double] {
        let values = try readMemory(Double.self)
        return UInt64(1).littleEndian == 1
            ? values : values.map { Double(bitPattern: $0.bitPattern.byteSwapped) }
    }

    /// Reads an array of numbers.
    public mutating func readFloats() throws(MetaLearnersError) -> [Float] {
        let values = try readMemory(Float.self)
        return UInt32(1).littleEndian == 1
            ? values : values.map { Float(bitPattern: $0.bitPattern.byteSwapped) }
    }

    /// Reads an array of texts.
    public mutating func readStrings() throws(MetaLearnersError) -> [String] {
        let count = try readCount(elementSize: 8)
        var values: [String] = []
        for _ in 0..<count { values.append(try readString()) }
        return values
    }

    /// Reads `count` raw bytes.
    public mutating func readBytes(_ count: Int) throws(MetaLearnersError) -> ArraySlice<UInt8> {
        guard count >= 0, count <= remaining else { throw Self.corrupt("it ends too soon") }
        defer { position += count }
        return bytes[position..<position + count]
    }
}
