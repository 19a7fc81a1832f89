import CTreeKernels
import MetaLearnersCore

/// Rows with a residual and a weight, whose product is the gradient: a row of weight 2 is to the bit two rows.
enum WeightedCell: QuadraticCell {
    typealias Row = SIMD2<Int32>
    typealias Sum = SIMD2<Int64>

    @inline(__always)
    static func sum(of row: SIMD2<Int32>, countShift: Int64) -> SIMD2<Int64> {
        SIMD2(Int64(row.x) &* Int64(row.y), Int64(row.y) &+ (1 &<< countShift))
    }

    static func accumulate(
        _ tile: BinnedMatrix.Tile, _ rows: UnsafeBufferPointer<Int32>,
        _ gradients: UnsafePointer<SIMD2<Int32>>,
        countShift: Int64, block: UnsafeMutablePointer<UInt64>,
        into cells: UnsafeMutablePointer<SIMD2<Int64>>
    ) {
        guard let first = rows.baseAddress else { return }
        UnsafeRawPointer(gradients).withMemoryRebound(to: Int32.self, capacity: 2) { gradients in
            mtlk_histogram_product(
                tile.bins.start, tile.byteWidth, tile.wordWidth, first, rows.count, gradients,
                1 &<< countShift, cells)
        }
    }

    @inline(__always)
    static func advanced(_ row: SIMD2<Int32>, by step: Int64, countShift: Int64) -> SIMD2<Int32> {
        SIMD2(row.x &- Int32(truncatingIfNeeded: step), row.y)
    }

    @inline(__always)
    static func halved(_ row: SIMD2<Int32>) -> SIMD2<Int32> { SIMD2((row.x &>> 1) &+ (row.x & 1), row.y) }

    @inline(__always)
    static func gradient(of row: SIMD2<Int32>) -> Int64 { Int64(row.x) &* Int64(row.y) }

    @inline(__always)
    static func stored(_ row: SIMD2<Int32>) -> Int64 { Int64(row.x) }
}
