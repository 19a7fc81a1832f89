import MetaLearnersCore

/// How the values of a column become bins of 8 bits or, where there are more, of 16.
enum ColumnBinning: Sendable, Equatable {
    case numeric(NumericBinning)
    case categorical(CategoricalBinning)

    /// The most bins that bytes tell apart.
    static let maximumNarrowBins = 256

    /// How many bins there are; bin 0 is that of missing values.
    var binCount: Int {
        switch self {
        case .numeric(let binning): binning.binCount
        case .categorical(let binning): binning.binCount
        }
    }

    /// Whether bins need 16 bits.
    var isWide: Bool { binCount > Self.maximumNarrowBins }

    /// Whether bins are categories rather than ordered.
    var isCategorical: Bool { if case .categorical = self { true } else { false } }

    /// The bins of the values of some rows; not for wide columns.
    func map(_ values: StridedValues, _ rows: RowSelection, to bins: UnsafeMutablePointer<UInt8>) {
        if let coded = values.coded as? CodedColumn, coded.column.binning == self {
            return coded.copyBins(rows, to: bins)
        }
        switch self {
        case .numeric(let binning): binning.map(values, rows, to: bins)
        case .categorical(let binning): binning.map(values, rows, to: bins)
        }
    }

    /// The bins of the values of some rows, of any column.
    func map(_ values: StridedValues, _ rows: RowSelection, toWords bins: UnsafeMutablePointer<UInt16>) {
        if let coded = values.coded as? CodedColumn, coded.column.binning == self {
            return coded.copyBins(rows, toWords: bins)
        }
        switch self {
        case .numeric(let binning): binning.map(values, rows, toWords: bins)
        case .categorical(let binning): binning.map(values, rows, to: bins)
        }
    }
}

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

/// How the levels of a category become bins: bin 0 for a missing code or a level that training never saw, a bin
/// for each of the most frequent levels, and one bin for all others where there are more levels than bins.
struct CategoricalBinning: Sendable, Equatable {
    /// The bin of each level.
    let levelBins: [UInt16]
    /// How many bins there are, with bin 0.
    let binCount: Int

    /// Of levels beyond those that bytes tell apart, only these so frequent get a bin of their own: nothing is
    /// learnt from a level of fewer rows that would be worth a longer histogram.
    static let leastRows = 10

    /// Uses bins found elsewhere.
    init(levelBins: [UInt16]) {
        self.levelBins = levelBins
        binCount = Int(levelBins.max() ?? 0) + 1
    }

    /// Gives bins to levels that occur `counts` times, at most `maxLevels` of them.
    init(counts: [Int], maxLevels: Int) {
        let seen = counts.indices.filter { counts[$0] > 0 }
            .sorted { (counts[$0], $1) > (counts[$1], $0) }
        let frequent = seen.count(where: { counts[$0] >= Self.leastRows })
        let alone = min(max(frequent, ColumnBinning.maximumNarrowBins - 2), maxLevels - 1)
        var bins = [UInt16](repeating: 0, count: counts.count)
        for (rank, level) in seen.enumerated() { bins[level] = UInt16(min(rank, alone) + 1) }
        self.init(levelBins: bins)
    }

    /// The bins of the codes of some rows.
    func map<Bin: FixedWidthInteger>(
        _ codes: StridedValues, _ rows: RowSelection, to bins: UnsafeMutablePointer<Bin>
    ) {
        let levels = Double(levelBins.count)
        levelBins.withUnsafeBufferPointer { levelBins in
            BlockReader.read(codes, rows) { block, position in
                for (index, code) in block.enumerated() {
                    let bin = code >= 0 && code < levels ? levelBins[Int(code)] : 0
                    bins[position + index] = Bin(truncatingIfNeeded: bin)
                }
            }
        }
    }
}

/// Which rows of a column to read.
enum RowSelection {
    case range(Range<Int>)
    case list(UnsafeBufferPointer<Int32>)

    /// How many rows they are.
    var count: Int {
        switch self {
        case .range(let rows): rows.count
        case .list(let rows): rows.count
        }
    }
}

/// Reads a column as Double, a block that fits into the cache at a time.
enum BlockReader {
    private static let blockRows = 256

    /// Calls `body` with the numbers of each block and the position of its first row among `rows`.
    static func read(
        _ values: StridedValues, _ rows: RowSelection,
        _ body: (UnsafeMutableBufferPointer<Double>, Int) -> Void
    ) {
        withUnsafeTemporaryAllocation(of: Double.self, capacity: blockRows) { block in
            var position = 0
            while position < rows.count {
                let count = min(blockRows, rows.count - position)
                let part = UnsafeMutableBufferPointer(rebasing: block[0..<count])
                switch rows {
                case .range(let range):
                    let first = range.lowerBound + position
                    values.copy(first..<first + count, to: part)
                case .list(let list):
                    values.gather(UnsafeBufferPointer(rebasing: list[position..<position + count]), to: part)
                }
                body(part, position)
                position += count
            }
        }
    }
}
