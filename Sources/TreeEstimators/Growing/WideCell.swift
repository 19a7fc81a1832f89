import CTreeKernels
import MetaLearnersCore

/// Rows with a gradient of 64 bits and a Hessian: for losses whose gradients have more bits than 32 on the grid that
/// keeps them exact.
enum WideCell: QuadraticCell {
    typealias Row = SIMD2<Int64>
    typealias Sum = SIMD2<Int64>

    @inline(__always)
    static func sum(of row: SIMD2<Int64>, countShift: Int64) -> SIMD2<Int64> { row }

    /// A row with its count of one.
    @inline(__always)
    static func row(gradient: Int64, hessian: Int64, countShift: Int64) -> SIMD2<Int64> {
        SIMD2(gradient, hessian &+ (1 &<< countShift))
    }

    static func accumulate(
        _ tile: BinnedMatrix.Tile, _ rows: UnsafeBufferPointer<Int32>,
        _ gradients: UnsafePointer<SIMD2<Int64>>,
        countShift: Int64, block: UnsafeMutablePointer<UInt64>,
        into cells: UnsafeMutablePointer<SIMD2<Int64>>
    ) {
        guard let first = rows.baseAddress else { return }
        mtlk_histogram_paired(
            tile.bins.start, tile.byteWidth, tile.wordWidth, first, rows.count, gradients, cells)
    }

    @inline(__always)
    static func advanced(_ row: SIMD2<Int64>, by step: Int64, countShift: Int64) -> SIMD2<Int64> {
        let hessian = row.y & ((1 &<< countShift) &- 1)
        return SIMD2(row.x &- hessian &* step, row.y)
    }

    @inline(__always)
    static func halved(_ row: SIMD2<Int64>) -> SIMD2<Int64> { SIMD2((row.x &>> 1) &+ (row.x & 1), row.y) }

    @inline(__always)
    static func gradient(of row: SIMD2<Int64>) -> Int64 { row.x }

    @inline(__always)
    static func stored(_ row: SIMD2<Int64>) -> Int64 { row.x }
}
