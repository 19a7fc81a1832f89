import CTreeKernels
import MetaLearnersCore

/// Which columns lie side by side in which tile, and where their cells are within a histogram.
struct TilePlan {
    /// A column of a histogram.
    struct Slot {
        let feature: Int
        /// Its first cell.
        let offset: Int
    }

    /// What a word of a tile's rows holds: a place among the cells of the tile's words.
    struct Word {
        /// The columns whose bins make the code; one, or those of a joint.
        var members: [JointColumns.Member]
        /// What is added to the code.
        var firstPlace = 0

        var codeCount: Int { members.reduce(1) { $0 * $1.radix } }

        /// Writes the words of some rows.
        func fill(_ codes: UnsafeMutablePointer<UInt16>, _ rows: Range<Int>, _ columns: [BinnedColumn]) {
            for row in 0..<rows.count { codes[row] = 0 }
            for member in members {
                let radix = UInt16(truncatingIfNeeded: member.radix)
                let first = UInt16(truncatingIfNeeded: member.firstBin)
                if let wide = columns[member.feature].wideBins {
                    let source = wide.start + rows.lowerBound
                    for row in 0..<rows.count { codes[row] = codes[row] &* radix &+ source[row] &- first }
                } else {
                    let source = columns[member.feature].bins.start + rows.lowerBound
                    for row in 0..<rows.count {
                        codes[row] = codes[row] &* radix &+ UInt16(source[row]) &- first
                    }
                }
            }
            let place = UInt16(truncatingIfNeeded: firstPlace)
            for row in 0..<rows.count { codes[row] = codes[row] &+ place }
        }
    }

    /// A tile: features by bytes, then words.
    struct Tile {
        var bytes: [Int] = []
        var words: [Word] = []
        /// Cells that its words are places of.
        var wordCells = 0
        var firstCell = 0
        /// Cells of bytes and words together.
        var cellCount: Int { bytes.count * TilePlan.columnStride + wordCells }
        var slots = 0..<0
        var joints: [JointColumns] = []
        var usedCells: [Range<Int>] = []

        var width: Int { bytes.count + words.count }

        /// Adds cells behind those that are used so far, together with a gap too short to be worth leaving out.
        mutating func use(_ cells: Range<Int>) {
            if let last = usedCells.last, cells.lowerBound - last.upperBound < 64 {
                usedCells[usedCells.count - 1] = last.lowerBound..<cells.upperBound
            } else if !cells.isEmpty {
                usedCells.append(cells)
            }
        }
    }

    private(set) var tiles: [Tile] = []
    private(set) var slots: [Slot] = []
    private(set) var histogramSize = 0

    /// The widest tile: its histogram fits into the cache of a core.
    private static let maximumTileWidth = 25
    /// Cells that words can tell apart.
    private static let maximumWordCells = 65_536
    /// The most codes of a joint: beyond, its cells no longer stay in the cache.
    private static let maximumCodes = 2048
    /// Rows for each code of a joint at least, for adding up its cells not to cost more than it saves.
    private static let rowsPerCode = 512
    static var columnStride: Int { Int(MTLK_COLUMN_STRIDE) }

    /// Plans for `columns`; constant ones have no place.
    init(_ columns: [BinnedColumn], rowCount: Int) {
        let varied = columns.indices.filter { !columns[$0].isConstant }
            .sorted { (columns[$0].occupiedBins, $1) > (columns[$1].occupiedBins, $0) }
        var words = varied.filter { columns[$0].wideBins != nil }.map { Word(members: [member($0, columns)]) }
        let (joined, bytes) = Self.join(
            varied.filter { columns[$0].wideBins == nil }.map { member($0, columns) },
            maximumCodes: min(Self.maximumCodes, rowCount / Self.rowsPerCode))
        words += joined
        place(words, bytes)
        lay(columns)

        func member(_ feature: Int, _ columns: [BinnedColumn]) -> JointColumns.Member {
            let column = columns[feature]
            let firstBin = column.hasMissing || column.wideBins != nil ? 0 : 1
            return JointColumns.Member(
                feature: feature, offset: 0, firstBin: firstBin, radix: column.binning.binCount - firstBin)
        }
    }

    /// The same columns in the same order, each a tile by itself.
    func columnByColumn(_ columns: [BinnedColumn]) -> TilePlan {
        var plan = self
        plan.slots = []
        plan.tiles = []
        plan.histogramSize = 0
        for slot in slots {
            let column = columns[slot.feature]
            var tile = Tile()
            tile.firstCell = plan.histogramSize
            if column.wideBins == nil {
                tile.bytes = [slot.feature]
            } else {
                tile.words = [
                    Word(members: [
                        JointColumns.Member(
                            feature: slot.feature, offset: 0, firstBin: 0, radix: column.binning.binCount)
                    ])
                ]
                tile.wordCells = column.binning.binCount
            }
            tile.slots = plan.slots.count..<plan.slots.count + 1
            tile.use(tile.firstCell..<tile.firstCell + column.binning.binCount)
            plan.slots.append(Slot(feature: slot.feature, offset: tile.firstCell))
            plan.histogramSize = (tile.firstCell + tile.cellCount + 7) & ~7
            plan.tiles.append(tile)
        }
        return plan
    }

    /// Joins columns of few bins as long as their codes are few enough; those of fewest bins first.
    private static func join(_ members: [JointColumns.Member], maximumCodes: Int) -> ([Word], [Int]) {
        let ordered = members.sorted { ($0.radix, $0.feature) < ($1.radix, $1.feature) }
        var words: [Word] = []
        var bytes: [Int] = []
        var open = Word(members: [])
        func close() {
            if open.members.count > 1 { words.append(open) } else { bytes += open.members.map(\.feature) }
        }
        for member in ordered {
            if open.codeCount * member.radix > maximumCodes {
                close()
                open = Word(members: [])
            }
            open.members.append(member)
        }
        close()
        return (words, bytes)
    }

    /// Deals words and bytes out to tiles, so that none is wider or needs more of the cache than another.
    private mutating func place(_ words: [Word], _ bytes: [Int]) {
        let width = words.count + bytes.count
        var count = (width + Self.maximumTileWidth - 1) / Self.maximumTileWidth
        // So that two threads, or four, have as many each.
        if count > 1 { count += count % 2 }
        tiles = [Tile](repeating: Tile(), count: count)
        for word in words.sorted(by: { $0.codeCount > $1.codeCount }) {
            let cells = word.codeCount
            let fitting = tiles.indices.filter {
                tiles[$0].wordCells + cells <= Self.maximumWordCells
                    && tiles[$0].width < Self.maximumTileWidth
            }
            let chosen = fitting.min { tiles[$0].wordCells < tiles[$1].wordCells }
            if chosen == nil { tiles.append(Tile()) }
            let tile = chosen ?? tiles.count - 1
            var word = word
            word.firstPlace = tiles[tile].wordCells
            tiles[tile].words.append(word)
            tiles[tile].wordCells += cells
        }
        for feature in bytes {
            let narrowest = tiles.indices.min { tiles[$0].width < tiles[$1].width }
            if let narrowest { tiles[narrowest].bytes.append(feature) }
        }
        for tile in tiles.indices { tiles[tile].bytes.sort() }
        tiles.removeAll { $0.width == 0 }
    }

    /// Gives every tile, and every column, its cells.
    private mutating func lay(_ columns: [BinnedColumn]) {
        for index in tiles.indices {
            let firstSlot = slots.count
            tiles[index].firstCell = histogramSize
            for (position, feature) in tiles[index].bytes.enumerated() {
                let offset = histogramSize + position * Self.columnStride
                slots.append(Slot(feature: feature, offset: offset))
                tiles[index].use(offset..<offset + columns[feature].binning.binCount)
            }
            let firstWordCell = histogramSize + tiles[index].bytes.count * Self.columnStride
            histogramSize = (firstWordCell + tiles[index].wordCells + 7) & ~7
            tiles[index].use(firstWordCell..<histogramSize)
            for word in tiles[index].words {
                let first = firstWordCell + word.firstPlace
                guard word.members.count > 1 else {
                    slots += word.members.map { Slot(feature: $0.feature, offset: first) }
                    continue
                }
                var members: [JointColumns.Member] = []
                for member in word.members {
                    members.append(
                        JointColumns.Member(
                            feature: member.feature, offset: histogramSize, firstBin: member.firstBin,
                            radix: member.radix))
                    slots.append(Slot(feature: member.feature, offset: histogramSize))
                    let end = histogramSize + (columns[member.feature].binning.binCount + 7) & ~7
                    tiles[index].use(histogramSize..<end)
                    histogramSize = end
                }
                tiles[index].joints.append(JointColumns(members: members, offset: first))
            }
            tiles[index].slots = firstSlot..<slots.count
        }
    }
}

/// Columns of few bins that share a code, so that one update of a histogram serves all of them.
///
/// The code of a row is that of a number whose digits are its bins. Sums by code become sums by column afterwards.
struct JointColumns: Sendable {
    /// A column of the code.
    struct Member: Sendable {
        let feature: Int
        /// The first of its cells within a histogram.
        let offset: Int
        /// The least bin that a row is in.
        let firstBin: Int
        /// How many bins there are from that on.
        let radix: Int
    }

    /// The columns, that of the highest digit first.
    let members: [Member]
    /// The first of the code's cells within a histogram.
    let offset: Int

    /// How many codes there are.
    var codeCount: Int { members.reduce(1) { $0 * $1.radix } }

    /// Adds up the cells of the codes to those of the columns, which are zero before; the codes' are used up.
    func expand<Cell: HistogramCell>(_: Cell.Type, _ histogram: UnsafeMutablePointer<Cell.Sum>) {
        let cells = histogram + offset
        var rest = codeCount
        for (index, member) in members.enumerated() {
            let target = histogram + member.offset + member.firstBin
            if index == members.count - 1 {
                for digit in 0..<member.radix { target[digit] = cells[digit] }
                return
            }
            // Each stretch of codes with the same highest digit is added to the first of them: what is left there
            // are the sums by the other digits.
            rest /= member.radix
            for digit in 0..<member.radix {
                let stretch = cells + digit * rest
                var sum = Cell.zero
                for code in 0..<rest { sum = Cell.add(sum, stretch[code]) }
                target[digit] = sum
                if digit > 0 { for code in 0..<rest { cells[code] = Cell.add(cells[code], stretch[code]) } }
            }
        }
    }
}
