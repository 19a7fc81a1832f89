import CTreeKernels
import MetaLearnersCore

/// Rows with a gradient of 16 bits and a Hessian of 12, made anew for each tree: grids fine enough where there are many
/// rows, whose histograms they make in less time.
enum NarrowCell: HistogramCell {
    typealias Row = UInt32
    typealias Sum = SIMD2<Int64>

    static var usesBlocks: Bool { true }

    static func accumulate(
        _ tile: BinnedMatrix.Tile, _ rows: UnsafeBufferPointer<Int32>, _ gradients: UnsafePointer<UInt32>,
        countShift: Int64, block: UnsafeMutablePointer<UInt64>,
        into cells: UnsafeMutablePointer<SIMD2<Int64>>
    ) {
        guard let first = rows.baseAddress else { return }
        mtlk_histogram_narrow(
            tile.bins.start, tile.byteWidth, tile.wordWidth, first, rows.count, gradients, 1 &<< countShift,
            tile.cellCount, block, cells)
    }
}
