import CTreeKernels

/// Rows with a gradient and a Hessian of 32 bits each, made anew for each tree.
enum ShortCell: HistogramCell {
    typealias Row = SIMD2<Int32>
    typealias Sum = SIMD2<Int64>

    @inline(__always)
    static func sum(of row: SIMD2<Int32>, countShift: Int64) -> SIMD2<Int64> {
        SIMD2(Int64(row.x), Int64(row.y) &+ (1 &<< countShift))
    }

    static func accumulate(
        _ tile: BinnedMatrix.Tile, _ rows: UnsafeBufferPointer<Int32>,
        _ gradients: UnsafePointer<SIMD2<Int32>>,
        countShift: Int64, into cells: UnsafeMutablePointer<SIMD2<Int64>>
    ) {
        guard let first = rows.baseAddress else { return }
        UnsafeRawPointer(gradients).withMemoryRebound(to: Int32.self, capacity: 2) { gradients in
            mtlk_histogram_short(
                tile.bins.base, tile.byteWidth, tile.wordWidth, first, rows.count, gradients,
                1 &<< countShift, cells)
        }
    }

    static var countedAccumulation: CountedAccumulation? {
        { tile, rows, gradients, halves, cells in
            guard let first = rows.baseAddress else { return }
            UnsafeRawPointer(gradients).withMemoryRebound(to: Int32.self, capacity: 2) { gradients in
                mtlk_histogram_counted(
                    tile.bins.base, tile.byteWidth, tile.wordWidth, first, rows.count, gradients,
                    tile.cellCount, halves, cells)
            }
        }
    }

    @inline(__always)
    static func advanced(_ row: SIMD2<Int32>, by step: Int64, countShift: Int64) -> SIMD2<Int32> {
        SIMD2(row.x &- Int32(truncatingIfNeeded: Int64(row.y) &* step), row.y)
    }

    @inline(__always)
    static func halved(_ row: SIMD2<Int32>) -> SIMD2<Int32> { SIMD2((row.x &>> 1) &+ (row.x & 1), row.y) }

    @inline(__always)
    static func gradient(of row: SIMD2<Int32>) -> Int64 { Int64(row.x) }

    @inline(__always)
    static func stored(_ row: SIMD2<Int32>) -> Int64 { Int64(row.x) }
}
