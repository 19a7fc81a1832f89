import CTreeKernels
import MetaLearnersCore

// Cells for so many rows that a count leaves too few bits of its word to another sum.

/// Rows whose Hessians are all the same: the gradient sum and the count, each in a word of its own.
enum SingleApartCell: QuadraticCell {
    typealias Row = Int32
    typealias Sum = SIMD2<Int64>

    static var hessiansAreCounts: Bool { true }

    @inline(__always)
    static func sum(of row: Int32, countShift: Int64) -> SIMD2<Int64> { SIMD2(Int64(row), 1) }

    @inline(__always)
    static func totals(_ sum: SIMD2<Int64>, countShift: Int64) -> GradientTotals {
        GradientTotals(gradient: sum.x, hessian: sum.y, count: sum.y)
    }

    static func runningSums(
        _ cells: UnsafePointer<SIMD2<Int64>>, count: Int, countShift: Int64,
        _ gradients: UnsafeMutablePointer<Double>, _ hessians: UnsafeMutablePointer<Double>,
        _ counts: UnsafeMutablePointer<Double>
    ) {
        var sum = SIMD2<Int64>.zero
        for index in 0..<count {
            sum &+= cells[index]
            gradients[index] = Double(sum.x)
            counts[index] = Double(sum.y)
        }
    }

    static func accumulate(
        _ tile: BinnedMatrix.Tile, _ rows: UnsafeBufferPointer<Int32>, _ gradients: UnsafePointer<Int32>,
        countShift: Int64, block: UnsafeMutablePointer<UInt64>,
        into cells: UnsafeMutablePointer<SIMD2<Int64>>
    ) {
        guard let first = rows.baseAddress else { return }
        mtlk_histogram_single_apart(
            tile.bins.start, tile.byteWidth, tile.wordWidth, first, rows.count, gradients, cells)
    }

    static func advance(
        _ cells: UnsafeMutablePointer<SIMD2<Int64>>, leaf: UnsafePointer<SIMD2<Int64>>, count: Int,
        by step: Int64, countShift: Int64
    ) {
        // (All bits below the sign are those of the count.)
        mtlk_advance_paired(cells, leaf, count, 63, step)
    }

    @inline(__always)
    static func advanced(_ row: Int32, by step: Int64, countShift: Int64) -> Int32 {
        PackedCell.advanced(row, by: step, countShift: countShift)
    }

    @inline(__always)
    static func halved(_ row: Int32) -> Int32 { PackedCell.halved(row) }

    @inline(__always)
    static func gradient(of row: Int32) -> Int64 { Int64(row) }

    @inline(__always)
    static func stored(_ row: Int32) -> Int64 { Int64(row) }
}

/// Cells whose gradient sum, Hessian sum and count are words of their own; the fourth word is 0.
extension HistogramCell where Sum == SIMD4<Int64> {
    static var zero: SIMD4<Int64> { .zero }

    @inline(__always)
    static func add(_ left: SIMD4<Int64>, _ right: SIMD4<Int64>) -> SIMD4<Int64> { left &+ right }

    @inline(__always)
    static func totals(_ sum: SIMD4<Int64>, countShift: Int64) -> GradientTotals {
        GradientTotals(gradient: sum.x, hessian: sum.y, count: sum.z)
    }

    static func runningSums(
        _ cells: UnsafePointer<SIMD4<Int64>>, count: Int, countShift: Int64,
        _ gradients: UnsafeMutablePointer<Double>, _ hessians: UnsafeMutablePointer<Double>,
        _ counts: UnsafeMutablePointer<Double>
    ) {
        var sum = SIMD4<Int64>.zero
        for index in 0..<count {
            sum &+= cells[index]
            gradients[index] = Double(sum.x)
            hessians[index] = Double(sum.y)
            counts[index] = Double(sum.z)
        }
    }

    static func advance(
        _ cells: UnsafeMutablePointer<SIMD4<Int64>>, leaf: UnsafePointer<SIMD4<Int64>>, count: Int,
        by step: Int64, countShift: Int64
    ) {
        for index in 0..<count { cells[index].x &-= leaf[index].y &* step }
    }
}

/// Rows with a gradient and a Hessian of 64 bits each, for quadratic losses.
enum WideApartCell: QuadraticCell {
    typealias Row = SIMD2<Int64>
    typealias Sum = SIMD4<Int64>

    @inline(__always)
    static func sum(of row: SIMD2<Int64>, countShift: Int64) -> SIMD4<Int64> { SIMD4(row.x, row.y, 1, 0) }

    static func accumulate(
        _ tile: BinnedMatrix.Tile, _ rows: UnsafeBufferPointer<Int32>,
        _ gradients: UnsafePointer<SIMD2<Int64>>, countShift: Int64, block: UnsafeMutablePointer<UInt64>,
        into cells: UnsafeMutablePointer<SIMD4<Int64>>
    ) {
        guard let first = rows.baseAddress else { return }
        mtlk_histogram_paired_apart(
            tile.bins.start, tile.byteWidth, tile.wordWidth, first, rows.count, gradients, cells)
    }

    @inline(__always)
    static func advanced(_ row: SIMD2<Int64>, by step: Int64, countShift: Int64) -> SIMD2<Int64> {
        SIMD2(row.x &- row.y &* step, row.y)
    }

    @inline(__always)
    static func halved(_ row: SIMD2<Int64>) -> SIMD2<Int64> { SIMD2((row.x &>> 1) &+ (row.x & 1), row.y) }

    @inline(__always)
    static func gradient(of row: SIMD2<Int64>) -> Int64 { row.x }

    @inline(__always)
    static func stored(_ row: SIMD2<Int64>) -> Int64 { row.x }
}

/// Rows with a gradient and a Hessian of 32 bits each, made anew for each tree.
enum ShortApartCell: RefreshedCell {
    typealias Row = SIMD2<Int32>
    typealias Sum = SIMD4<Int64>

    static func accumulate(
        _ tile: BinnedMatrix.Tile, _ rows: UnsafeBufferPointer<Int32>,
        _ gradients: UnsafePointer<SIMD2<Int32>>, countShift: Int64, block: UnsafeMutablePointer<UInt64>,
        into cells: UnsafeMutablePointer<SIMD4<Int64>>
    ) {
        guard let first = rows.baseAddress else { return }
        UnsafeRawPointer(gradients).withMemoryRebound(to: Int32.self, capacity: 2) { gradients in
            mtlk_histogram_short_apart(
                tile.bins.start, tile.byteWidth, tile.wordWidth, first, rows.count, gradients, cells)
        }
    }

    static func scales(_ magnitudes: GradientMagnitudes, countShift: Int) -> GradientScales {
        // (Sums of Hessians have as much room as those of gradients.)
        ShortCell.scales(magnitudes, countShift: 61)
    }

    @inline(__always)
    static func row(gradient: Double, hessian: Double, number: Int) -> SIMD2<Int32> {
        ShortCell.row(gradient: gradient, hessian: hessian, number: number)
    }

    static func fillLogistic(
        _ rows: Range<Int>, _ scores: UnsafeMutablePointer<Double>, _ signedWeights: UnsafePointer<Double>,
        leaves: UnsafePointer<UInt8>?, steps: UnsafePointer<Double>?, _ scales: GradientScales, number: Int,
        into gradients: UnsafeMutablePointer<SIMD2<Int32>>
    ) {
        ShortCell.fillLogistic(
            rows, scores, signedWeights, leaves: leaves, steps: steps, scales, number: number,
            into: gradients)
    }
}
