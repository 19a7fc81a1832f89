import MetaLearnersCore

/// The file of a model: magic, format version, a JSON manifest, named binary sections, a checksum over all.
///
///     8 bytes   "MTLRCATE"
///     4 bytes   format version, little-endian as every number
///     4 bytes   0
///     8 + n     length of the manifest and its UTF-8 text
///     8         how many sections
///     each      8 + n name, 8 + n bytes
///     8 bytes   FNV-1a hash of all bytes before it
///
/// A file of this version is read by every later one. Nothing in it depends on when or where it was written.
struct ModelArchive {
    /// The first bytes of every model file.
    static let magic: [UInt8] = Array("MTLRCATE".utf8)
    /// The version that is written.
    static let formatVersion: UInt32 = 1

    var manifest: SpecObject
    var sections: [(name: String, bytes: [UInt8])] = []

    /// The section named `name`.
    func section(_ name: String) -> [UInt8]? { sections.first { $0.name == name }?.bytes }

    /// How many bytes the file has.
    var byteCount: Int {
        sections.reduce(Self.magic.count + 32 + SpecValue.object(manifest).json().utf8.count) {
            $0 + 16 + $1.name.utf8.count + $1.bytes.count
        }
    }

    /// The bytes of the file.
    func encoded() -> [UInt8] {
        var writer = BinaryWriter(capacity: byteCount)
        for byte in Self.magic { writer.write(byte) }
        writer.write(Self.formatVersion)
        writer.write(UInt32(0))
        writer.write(SpecValue.object(manifest).json())
        writer.write(UInt64(sections.count))
        for section in sections {
            writer.write(section.name)
            writer.write(section.bytes)
        }
        writer.write(Self.checksum(writer.bytes[...]))
        return writer.bytes
    }

    init(manifest: SpecObject) { self.manifest = manifest }

    /// Reads the bytes of a file.
    ///
    /// - Throws: `corruptModel`, or `incompatibleModel` for a file of a later format; `outOfMemory`.
    init(_ bytes: [UInt8]) throws(MetaLearnersError) {
        // The sections are copied, and models made of them.
        try AvailableMemory.require(bytes.count, of: 2, for: "the model")
        guard bytes.starts(with: Self.magic) else {
            throw MetaLearnersError(
                .corruptModel, "this is not a model file: it does not begin with MTLRCATE")
        }
        guard bytes.count >= Self.magic.count + 16 else { throw BinaryReader.corrupt("it ends too soon") }
        var reader = BinaryReader(bytes[Self.magic.count..<(bytes.count - 8)])
        let version = try reader.read(UInt32.self)
        guard version <= Self.formatVersion else {
            throw MetaLearnersError(
                .incompatibleModel,
                "the model file has format \(version); this version reads up to "
                    + "\(Self.formatVersion)", remedy: "read it with a newer version of metalearners")
        }
        var tail = BinaryReader(bytes[(bytes.count - 8)...])
        guard try tail.read(UInt64.self) == Self.checksum(bytes[..<(bytes.count - 8)]) else {
            throw BinaryReader.corrupt("its checksum is wrong: it was cut short or altered")
        }
        guard version >= 1, try reader.read(UInt32.self) == 0 else {
            throw BinaryReader.corrupt("its head is wrong")
        }
        let text = try reader.readString()
        do throws(MetaLearnersError) {
            manifest = try SpecValue(json: text.utf8, source: "manifest").objectValue ?? SpecObject()
        } catch {
            throw BinaryReader.corrupt("its manifest is not JSON")
        }
        for _ in 0..<(try reader.readCount(elementSize: 16)) {
            let name = try reader.readString()
            let count = try reader.readCount(elementSize: 1)
            sections.append((name, Array(try reader.readBytes(count))))
        }
        guard reader.remaining == 0 else { throw BinaryReader.corrupt("there is more than its sections") }
    }

    /// FNV-1a over 64 bits (Fowler, Noll & Vo), a byte at a time.
    static func checksum(_ bytes: ArraySlice<UInt8>) -> UInt64 {
        bytes.withUnsafeBufferPointer { buffer in
            var hash: UInt64 = 0xCBF2_9CE4_8422_2325
            for byte in buffer { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
            return hash
        }
    }
}
