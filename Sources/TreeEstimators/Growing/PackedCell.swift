import CTreeKernels
import MetaLearnersCore

/// Rows whose Hessians are all the same: the gradient sum and the count in one word.
enum PackedCell: QuadraticCell {
    typealias Row = Int32
    typealias Sum = Int64

    static var zero: Int64 { 0 }
    static var hessiansAreCounts: Bool { true }

    @inline(__always)
    static func sum(of row: Int32, countShift: Int64) -> Int64 { Int64(row) &+ (1 &<< countShift) }

    @inline(__always)
    static func add(_ left: Int64, _ right: Int64) -> Int64 { left &+ right }

    @inline(__always)
    static func totals(_ sum: Int64, countShift: Int64) -> GradientTotals {
        let shift = 64 &- countShift
        let gradient = (sum &<< shift) &>> shift
        let count = (sum &- gradient) &>> countShift
        return GradientTotals(gradient: gradient, hessian: count, count: count)
    }

    static func runningSums(
        _ cells: UnsafePointer<Int64>, count: Int, countShift: Int64,
        _ gradients: UnsafeMutablePointer<Double>, _ hessians: UnsafeMutablePointer<Double>,
        _ counts: UnsafeMutablePointer<Double>
    ) {
        mtlk_packed_sums(cells, count, countShift, gradients, counts)
    }

    static func accumulate(
        _ tile: BinnedMatrix.Tile, _ rows: UnsafeBufferPointer<Int32>, _ gradients: UnsafePointer<Int32>,
        countShift: Int64, block: UnsafeMutablePointer<UInt64>, into cells: UnsafeMutablePointer<Int64>
    ) {
        guard let first = rows.baseAddress else { return }
        mtlk_histogram_packed(
            tile.bins.start, tile.byteWidth, tile.wordWidth, first, rows.count, gradients, 1 &<< countShift,
            cells)
    }

    static func advance(
        _ cells: UnsafeMutablePointer<Int64>, leaf: UnsafePointer<Int64>, count: Int, by step: Int64,
        countShift: Int64
    ) {
        mtlk_advance_packed(cells, leaf, count, countShift, step)
    }

    @inline(__always)
    static func advanced(_ row: Int32, by step: Int64, countShift: Int64) -> Int32 {
        row &- Int32(truncatingIfNeeded: step)
    }

    @inline(__always)
    static func halved(_ row: Int32) -> Int32 { (row &>> 1) &+ (row & 1) }

    @inline(__always)
    static func gradient(of row: Int32) -> Int64 { Int64(row) }

    @inline(__always)
    static func stored(_ row: Int32) -> Int64 { Int64(row) }
}
