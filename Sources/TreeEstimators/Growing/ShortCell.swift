import CTreeKernels
import MetaLearnersCore

/// Rows with a gradient and a Hessian of 32 bits each, made anew for each tree.
enum ShortCell: HistogramCell {
    typealias Row = SIMD2<Int32>
    typealias Sum = SIMD2<Int64>

    static func accumulate(
        _ tile: BinnedMatrix.Tile, _ rows: UnsafeBufferPointer<Int32>,
        _ gradients: UnsafePointer<SIMD2<Int32>>, countShift: Int64, block: UnsafeMutablePointer<UInt64>,
        into cells: UnsafeMutablePointer<SIMD2<Int64>>
    ) {
        guard let first = rows.baseAddress else { return }
        UnsafeRawPointer(gradients).withMemoryRebound(to: Int32.self, capacity: 2) { gradients in
            mtlk_histogram_short(
                tile.bins.start, tile.byteWidth, tile.wordWidth, first, rows.count, gradients,
                1 &<< countShift, cells)
        }
    }
}
