import MetaLearnersCore

extension FittedForest {
    private static let formatVersion: UInt8 = 1

    private enum OutputTag: UInt8 {
        case mean, ratio, shares
    }

    /// Writes the forest: 4 bytes per split, 9 per leaf of one value, and the edges of the columns that are used.
    public func encode(to writer: inout BinaryWriter) {
        writer.write(Self.formatVersion)
        switch output {
        case .mean(let base, let scale):
            writer.write(OutputTag.mean.rawValue)
            writer.write(base)
            writer.write(scale)
        case .ratio(let base, let scale):
            writer.write(OutputTag.ratio.rawValue)
            writer.write(base)
            writer.write(scale)
        case .shares(let classes):
            writer.write(OutputTag.shares.rawValue)
            writer.write(UInt8(truncatingIfNeeded: classes))
        }
        writer.write(warnings)
        encodePlan(to: &writer)
        writer.write(UInt32(featureCount))
        writer.write(UInt32(usedFeatures.count))
        for (place, feature) in usedFeatures.enumerated() {
            writer.write(UInt16(feature))
            writer.write(gains[place])
            binnings[place].encode(to: &writer)
        }
        writer.write(UInt64(trees.count))
        for tree in trees { tree.encode(to: &writer, leafWidth: output.leafWidth) }
    }

    private func encodePlan(to writer: inout BinaryWriter) {
        writer.write(plan.seed)
        writer.write(plan.rowSample)
        writer.write(plan.bootstrap)
        writer.write(plan.honestyShare ?? 0)
        writer.write(UInt8(truncatingIfNeeded: plan.groupSize))
        writer.write(UInt64(fingerprint.rowCount))
        writer.write(fingerprint.hash)
    }

    /// Reads what `encode` wrote.
    ///
    /// - Throws: `corruptModel`; `incompatibleModel` for bytes of a newer version.
    init(from reader: inout BinaryReader) throws(MetaLearnersError) {
        let version = try reader.read(UInt8.self)
        guard version <= Self.formatVersion else {
            throw MetaLearnersError(
                .incompatibleModel,
                "the forest is of format \(version); this version reads \(Self.formatVersion)",
                remedy: "use a newer version")
        }
        let output = try Self.readOutput(&reader)
        let warnings = try reader.readStrings()
        let (plan, fingerprint) = try Self.readPlan(&reader)
        let featureCount = Int(try reader.read(UInt32.self))
        var usedFeatures: [Int] = []
        var gains: [Double] = []
        var binnings: [ColumnBinning] = []
        for _ in 0..<(try reader.read(UInt32.self)) {
            let feature = Int(try reader.read(UInt16.self))
            let gain = try reader.readDouble()
            guard feature < featureCount, feature > usedFeatures.last ?? -1, gain >= 0 else {
                throw BinaryReader.corrupt("a forest names a column that it does not have")
            }
            usedFeatures.append(feature)
            gains.append(gain)
            binnings.append(try ColumnBinning(from: &reader))
        }
        var trees: [ForestTree] = []
        for _ in 0..<(try reader.readCount(elementSize: 9)) {
            trees.append(try ForestTree(from: &reader, columns: usedFeatures.count, output: output))
        }
        self.init(
            featureCount: featureCount, output: output, usedFeatures: usedFeatures, binnings: binnings,
            gains: gains, trees: trees, plan: plan, fingerprint: fingerprint, warnings: warnings)
    }

    private static func readOutput(_ reader: inout BinaryReader) throws(MetaLearnersError) -> ForestOutput {
        switch OutputTag(rawValue: try reader.read(UInt8.self)) {
        case .shares:
            let classes = Int(try reader.read(UInt8.self))
            guard (2...ForestTarget.maximumClasses).contains(classes) else {
                throw BinaryReader.corrupt("a forest has \(classes) classes")
            }
            return .shares(classes: classes)
        case let tag?:
            let base = try reader.readDouble()
            let scale = try reader.readDouble()
            guard base.isFinite, scale.isFinite else {
                throw BinaryReader.corrupt("a forest has no base value")
            }
            return tag == .mean ? .mean(base: base, scale: scale) : .ratio(base: base, scale: scale)
        case nil: throw BinaryReader.corrupt("a forest is of an unknown kind")
        }
    }

    private static func readPlan(_ reader: inout BinaryReader) throws(MetaLearnersError) -> (
        ForestSampler.Plan, ForestFingerprint
    ) {
        let seed = try reader.read(UInt64.self)
        let rowSample = try reader.readDouble()
        let bootstrap = try reader.readBool()
        let honestyShare = try reader.readDouble()
        let groupSize = Int(try reader.read(UInt8.self))
        let rowCount = Int(exactly: try reader.read(UInt64.self))
        let hash = try reader.read(UInt64.self)
        guard let rowCount, (0...1).contains(rowSample), (0...1).contains(honestyShare),
            (1...100).contains(groupSize)
        else { throw BinaryReader.corrupt("how the rows of a forest were drawn makes no sense") }
        return (
            ForestSampler.Plan(
                seed: seed, rowSample: rowSample, bootstrap: bootstrap,
                honestyShare: honestyShare > 0 ? honestyShare : nil, groupSize: groupSize),
            ForestFingerprint(rowCount: rowCount, hash: hash)
        )
    }
}
