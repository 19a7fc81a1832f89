import MetaLearnersCore

extension XGBoostModel {
    private static let formatVersion: UInt8 = 1

    /// Writes the model: a format version, the body with its length, and the body's FNV-1a hash. The hash comes
    /// before XGBoost sees a byte when the model is read: its reader expects bytes that it wrote itself.
    func encode(to writer: inout BinaryWriter) {
        var body = BinaryWriter()
        body.write(shape.link.rawValue)
        body.write(shape.offsets)
        body.write(shape.scale)
        body.write(shape.levels)
        body.write(warnings)
        body.write(version)
        body.write(probeMargins)
        body.write(trees ?? [])
        writer.write(Self.formatVersion)
        writer.write(body.bytes)
        writer.write(Self.hash(body.bytes[...]))
    }

    /// Reads what `encode` wrote.
    ///
    /// - Throws: `corruptModel`; `unsupported` where XGBoost is not found; `incompatibleModel` for a newer format, or
    ///   where this XGBoost reads other trees than the one that wrote them.
    init(from reader: inout BinaryReader) throws(MetaLearnersError) {
        let format = try reader.read(UInt8.self)
        guard format <= Self.formatVersion else {
            throw MetaLearnersError(
                .incompatibleModel,
                "the XGBoost model is of format \(format); this version reads \(Self.formatVersion)",
                remedy: "use a newer version")
        }
        let bytes = try reader.readBytes(reader.readCount(elementSize: 1))
        guard try reader.read(UInt64.self) == Self.hash(bytes) else {
            throw BinaryReader.corrupt("the checksum of an XGBoost model is wrong")
        }
        var body = BinaryReader(bytes)
        guard let link = Link(rawValue: try body.read(UInt8.self)) else {
            throw BinaryReader.corrupt("an XGBoost model is of an unknown kind")
        }
        let shape = Shape(
            link: link, offsets: try body.readDoubles(), scale: try body.readDouble(),
            levels: try body.readArray(Int32.self))
        let warnings = try body.readStrings()
        let version = try body.readString()
        let probeMargins = try body.readFloats()
        let trees = Array(try body.readBytes(body.readCount(elementSize: 1)))
        guard link == .softmax ? shape.offsets.count > 1 : shape.offsets.count == 1,
            shape.offsets.allSatisfy(\.isFinite), shape.scale > 0, shape.scale.isFinite,
            shape.levels.allSatisfy({ $0 >= 0 }), body.remaining == 0,
            probeMargins.count == (trees.isEmpty ? 0 : 2 * shape.offsets.count)
        else {
            throw BinaryReader.corrupt("the numbers of an XGBoost model make no sense")
        }
        let booster =
            trees.isEmpty ? nil : try Self.load(trees, shape, version: version, probeMargins: probeMargins)
        self.init(
            shape: shape, warnings: warnings, version: version, trees: trees.isEmpty ? nil : trees,
            probeMargins: probeMargins, booster: booster)
    }

    private static func load(
        _ trees: [UInt8], _ shape: Shape, version: String, probeMargins: [Float]
    ) throws(MetaLearnersError) -> Booster {
        let library: XGBoostLibrary
        do throws(MetaLearnersError) {
            library = try XGBoostLibrary.found.get()
        } catch {
            throw MetaLearnersError(
                .unsupported, at: "model", "it was fitted with XGBoost \(version); " + error.problem,
                remedy: error.remedy)
        }
        let booster = try Booster(library, saved: trees)
        guard try booster.featureCount() == shape.levels.count else {
            throw BinaryReader.corrupt("the trees of an XGBoost model are of other columns")
        }
        let margins = try probe(booster, shape)
        let isSame = zip(margins, probeMargins).allSatisfy { now, then in
            abs(now - then) <= 1e-5 * max(1, abs(then))
        }
        guard isSame else {
            throw MetaLearnersError(
                .incompatibleModel, at: "model",
                "XGBoost \(library.version) reads other trees than XGBoost \(version) wrote",
                remedy: "use XGBoost \(version) or newer")
        }
        return booster
    }

    /// FNV-1a over 64 bits (Fowler, Noll & Vo), a byte at a time.
    private static func hash(_ bytes: ArraySlice<UInt8>) -> UInt64 {
        bytes.reduce(0xCBF2_9CE4_8422_2325) { ($0 ^ UInt64($1)) &* 0x0000_0100_0000_01B3 }
    }
}
