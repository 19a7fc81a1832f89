import MetaLearnersCore

extension ColumnBinning {
    private enum Tag: UInt8 {
        case shortEdges, longEdges, categories, wideCategories
    }

    /// Writes the bins: edges of 4 bytes where that loses nothing, else of 8; the bin of each level of a category.
    func encode(to writer: inout BinaryWriter) {
        switch self {
        case .numeric(let binning):
            let short = binning.edges.map { Float($0) }
            if zip(short, binning.edges).allSatisfy({ Double($0) == $1 }) {
                writer.write(Tag.shortEdges.rawValue)
                writer.write(short)
            } else {
                writer.write(Tag.longEdges.rawValue)
                writer.write(binning.edges)
            }
        case .categorical(let binning):
            writer.write((isWide ? Tag.wideCategories : .categories).rawValue)
            if isWide {
                writer.write(binning.levelBins)
            } else {
                writer.write(binning.levelBins.map { UInt8(truncatingIfNeeded: $0) })
            }
        }
    }

    /// Reads what `encode` wrote.
    ///
    /// - Throws: `corruptModel`.
    init(from reader: inout BinaryReader) throws(MetaLearnersError) {
        let edges: [Double]
        switch Tag(rawValue: try reader.read(UInt8.self)) {
        case .shortEdges: edges = try reader.readFloats().map { Double($0) }
        case .longEdges: edges = try reader.readDoubles()
        case .categories:
            let bins = try reader.readArray(UInt8.self)
            self = .categorical(CategoricalBinning(levelBins: bins.map { UInt16($0) }))
            return
        case .wideCategories:
            self = .categorical(CategoricalBinning(levelBins: try reader.readArray(UInt16.self)))
            return
        case nil: throw BinaryReader.corrupt("the bins of a column are of an unknown kind")
        }
        guard edges.count <= NumericBinning.maximumEdges, !edges.contains(where: \.isNaN),
            zip(edges, edges.dropFirst()).allSatisfy({ $0 < $1 })
        else { throw BinaryReader.corrupt("the edges of a column's bins are not ascending") }
        self = .numeric(NumericBinning(edges: edges))
    }
}
