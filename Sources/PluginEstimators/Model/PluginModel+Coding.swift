import MetaLearnersCore

extension PluginModel {
    private static let formatVersion: UInt8 = 1

    /// Writes which plug-in it is of, a format version, the body with its length, and a hash over the names and the
    /// body, so that a plug-in reads no bytes that were damaged.
    func encode(to writer: inout BinaryWriter) {
        var body = BinaryWriter()
        body.write(UInt32(clamping: shape.outputCount))
        body.write(shape.isClassification)
        body.write(shape.levelCounts)
        body.write(warnings)
        body.write(bytes)
        let stamp = PluginStamp(name: backendName, version: version)
        stamp.encode(to: &writer)
        writer.write(Self.formatVersion)
        writer.write(body.bytes)
        writer.write(Self.hash(stamp, body.bytes[...]))
    }

    /// Reads what `encode` wrote.
    ///
    /// - Throws: `corruptModel`; `incompatibleModel` for a newer format; what the plug-in says of its bytes.
    init(_ plugin: Plugin, from reader: inout BinaryReader) throws(MetaLearnersError) {
        let stamp = try PluginStamp(from: &reader)
        guard stamp.name == plugin.name else {
            throw BinaryReader.corrupt(
                "a model of '\(stamp.name)' stands where one of '\(plugin.name)' should")
        }
        let format = try reader.read(UInt8.self)
        guard format <= Self.formatVersion else {
            throw MetaLearnersError(
                .incompatibleModel,
                "a plug-in's model is of format \(format); this version reads \(Self.formatVersion)",
                remedy: "use a newer version")
        }
        let bytes = try reader.readBytes(reader.readCount(elementSize: 1))
        guard try reader.read(UInt64.self) == Self.hash(stamp, bytes) else {
            throw BinaryReader.corrupt("the checksum of a plug-in's model is wrong")
        }
        var body = BinaryReader(bytes)
        let outputCount = Int(try body.read(UInt32.self))
        let isClassification = try body.readBool()
        let levelCounts = try body.readArray(Int32.self)
        let warnings = try body.readStrings()
        let blob = try body.readBytes(body.readCount(elementSize: 1))
        guard isClassification ? outputCount >= 2 : outputCount == 1,
            levelCounts.allSatisfy({ $0 >= PluginFeatures.numeric }), body.remaining == 0
        else { throw BinaryReader.corrupt("the numbers of a plug-in's model make no sense") }
        self.init(
            try PluginModelHandle(plugin, bytes: blob, version: stamp.version), bytes: Array(blob),
            shape: Shape(
                outputCount: outputCount, isClassification: isClassification, levelCounts: levelCounts),
            version: stamp.version, warnings: warnings)
    }

    /// FNV-1a over 64 bits (Fowler, Noll & Vo), a byte at a time.
    private static func hash(_ stamp: PluginStamp, _ bytes: ArraySlice<UInt8>) -> UInt64 {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        func add(_ bytes: UnsafeRawBufferPointer) {
            for byte in bytes { hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01B3 }
        }
        Array((stamp.name + "\u{0}" + stamp.version).utf8).withUnsafeBytes(add)
        bytes.withUnsafeBytes(add)
        return hash
    }
}
