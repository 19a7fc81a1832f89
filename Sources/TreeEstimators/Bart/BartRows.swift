import CTreeKernels
import MetaLearnersCore

/// The rows that a function of a posterior is learnt from, as bins: column by column for splits, and of the columns that trees may split by
/// row by row for histograms.
struct BartRows {
    /// A column that is not constant.
    struct Column {
        /// Its number among the features.
        let feature: Int
        let isCategorical: Bool
        let binCount: Int
    }

    /// Some of the columns, as the kernels of histograms read them.
    struct Tiles {
        /// The columns, ascending. The cells of number i start at i · `cellStride`.
        let columns: [Int]
        fileprivate let tiles: [AlignedBuffer<UInt8>]

        var cellCount: Int { columns.count * BartRows.cellStride }
    }

    let columns: [Column]
    /// How many rows this process has.
    let count: Int
    /// The bin of each row, column after column.
    private let bins: AlignedBuffer<UInt8>

    /// Cells from one column of a histogram to the next.
    static let cellStride = Int(MTLK_COLUMN_STRIDE)
    private static let tileWidth = Int(MTLK_MAXIMUM_WIDTH)

    /// - Parameters:
    ///   - matrix: of columns whose bins are bytes.
    ///   - rows: the rows, by their numbers.
    /// - Throws: `outOfMemory`.
    init(_ matrix: BinnedMatrix, _ rows: [Int32]) throws(MetaLearnersError) {
        let features = Set(matrix.slotFeatures).sorted()
        bins = try AlignedBuffer(uninitialized: features.count * rows.count)
        for (index, feature) in features.enumerated() {
            let target = bins.start + index * rows.count
            let source = matrix.columns[feature].bins.start
            for (position, row) in rows.enumerated() { target[position] = source[Int(row)] }
        }
        columns = features.map { feature in
            let binning = matrix.columns[feature].binning
            return Column(
                feature: feature, isCategorical: binning.isCategorical, binCount: binning.binCount)
        }
        count = rows.count
    }

    /// The bin of each row in a column, by the row's position.
    @inline(__always)
    func bins(ofColumn column: Int) -> UnsafePointer<UInt8> { UnsafePointer(bins.start + column * count) }

    /// Puts columns side by side.
    ///
    /// - Throws: `outOfMemory`.
    func tiles(_ columns: [Int]) throws(MetaLearnersError) -> Tiles {
        var tiles: [AlignedBuffer<UInt8>] = []
        for first in stride(from: 0, to: columns.count, by: Self.tileWidth) {
            let own = columns[first..<min(first + Self.tileWidth, columns.count)]
            let tile = try AlignedBuffer<UInt8>(uninitialized: count * own.count + 64)
            for (place, column) in own.enumerated() {
                let bins = bins(ofColumn: column)
                for position in 0..<count { tile.start[position * own.count + place] = bins[position] }
            }
            tiles.append(tile)
        }
        return Tiles(columns: columns, tiles: tiles)
    }

    /// Adds rows to the histograms of tiles.
    ///
    /// - Parameters:
    ///   - numbers: gradient and Hessian of each row, by its position.
    ///   - one: what a row adds to the second word of a cell besides its Hessian.
    func count(
        _ rows: UnsafeBufferPointer<Int32>, _ tiles: Tiles, _ numbers: UnsafePointer<Int32>, one: Int64,
        into cells: UnsafeMutablePointer<SIMD2<Int64>>
    ) {
        guard let first = rows.baseAddress else { return }
        for (index, tile) in tiles.tiles.enumerated() {
            let width = min(Self.tileWidth, tiles.columns.count - index * Self.tileWidth)
            mtlk_histogram_short(
                tile.start, width, 0, first, rows.count, numbers, one,
                cells + index * Self.tileWidth * Self.cellStride)
        }
    }
}
