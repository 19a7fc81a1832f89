import CTreeKernels
import MetaLearnersCore

// The cells of histograms: what is stored of a row, what a cell sums up, and on which grid.
//
// | cell       | row                           | bytes | cell of a histogram                | bytes | who chooses it, and when                          |
// |------------|-------------------------------|-------|------------------------------------|-------|---------------------------------------------------|
// | `Packed`   | residual of 32 bits           |     4 | gradient and count in one word     |     8 | `QuadraticBoosting`: the rows share one weight,   |
// |            |                               |       |                                    |       | the regressor is 1, a typical residual has 12 bits |
// |            |                               |       |                                    |       | (9 from 2^24 rows on)                             |
// | `Weighted` | residual and weight of 32     |     8 | gradient; Hessian and count        |    16 | `QuadraticBoosting`: regression with weights,     |
// |            |                               |       |                                    |       | a typical residual has 16 bits                    |
// | `Wide`     | gradient of 64, Hessian       |    16 | gradient; Hessian and count        |    16 | `QuadraticBoosting`: all others, so the residual  |
// |            |                               |       |                                    |       | loss, and grids that need more than 32 bits       |
// | `Short`    | gradient and Hessian of 32    |     8 | gradient; Hessian and count        |    16 | `ClassificationBoosting`, `RefreshedBoosting`:    |
// |            |                               |       |                                    |       | gradients are made anew for each tree             |
// | `Narrow`   | gradient of 16, Hessian of 12 |     4 | the same, summed in blocks of words |    16 | both, where there are so many rows that the grid  |
// |            |                               |       | of 8 bytes per cell                |       | is fine enough (`NarrowCell.serves`)              |
// | `SingleApart` | that of `Packed`           |     4 | gradient; count                    |    16 | `QuadraticBoosting`: from 2^24 rows on, where      |
// |            |                               |       |                                    |       | `Packed` has too few bits                         |
// | `WideApart`, | those of `Wide`, `Short`    | 16, 8 | gradient; Hessian; count           |    32 | `QuadraticBoosting`; the others: from 2^27 rows   |
// | `ShortApart` |                             |       |                                    |       | of all processes on                               |
//
// Cells of several values per leaf are lanes of 64 bits; their layout is `VectorLayout`.

/// The integer sums that a histogram keeps of the rows in a bin.
///
/// Gradients and Hessians are integers on a fixed grid, so that sums are exact: they do not depend on the order of
/// the rows nor on how many threads share the work, and subtracting a child from its parent loses nothing.
/// The count of rows shares a word with another sum, above `countShift` bits, unless there are too many rows for that (`CellsApart.swift`).
protocol HistogramCell {
    /// What is stored of a row.
    associatedtype Row: BitwiseCopyable
    /// The sums of some rows.
    associatedtype Sum: BitwiseCopyable

    static var zero: Sum { get }
    /// Whether rows are added up in words of their own before they are added to cells.
    static var usesBlocks: Bool { get }
    /// Whether Hessian sums are counts.
    static var hessiansAreCounts: Bool { get }
    static func add(_ left: Sum, _ right: Sum) -> Sum
    static func totals(_ sum: Sum, countShift: Int64) -> GradientTotals
    /// The totals of the first cells, of the first two and so on, as numbers; Hessians only where they are not counts.
    static func runningSums(
        _ cells: UnsafePointer<Sum>, count: Int, countShift: Int64, _ gradients: UnsafeMutablePointer<Double>,
        _ hessians: UnsafeMutablePointer<Double>, _ counts: UnsafeMutablePointer<Double>)
    /// Adds rows to the histograms of a tile's columns.
    ///
    /// - Parameter block: as many words as the tile has cells, all 0 before and after, where `usesBlocks`.
    static func accumulate(
        _ tile: BinnedMatrix.Tile, _ rows: UnsafeBufferPointer<Int32>, _ gradients: UnsafePointer<Row>,
        countShift: Int64, block: UnsafeMutablePointer<UInt64>, into cells: UnsafeMutablePointer<Sum>)
    /// Moves sums of rows on as `step` is added to the predictions of those among them that `leaf` sums up.
    static func advance(
        _ cells: UnsafeMutablePointer<Sum>, leaf: UnsafePointer<Sum>, count: Int, by step: Int64,
        countShift: Int64)
}

extension HistogramCell {
    static var usesBlocks: Bool { false }
    static var hessiansAreCounts: Bool { false }

    /// Calls a kernel that takes cells word by word.
    static func apply(
        _ kernel: (UnsafeMutablePointer<Int64>, UnsafePointer<Int64>, Int) -> Void,
        _ cells: UnsafeMutablePointer<Sum>, _ others: UnsafePointer<Sum>, _ count: Int
    ) {
        let words = count * MemoryLayout<Sum>.stride / MemoryLayout<Int64>.stride
        cells.withMemoryRebound(to: Int64.self, capacity: words) { cells in
            others.withMemoryRebound(to: Int64.self, capacity: words) { kernel(cells, $0, words) }
        }
    }
}

/// Cells whose Hessian sums differ from their counts: the gradient sum in one word, the Hessian sum and the count in
/// another.
extension HistogramCell where Sum == SIMD2<Int64> {
    static var zero: SIMD2<Int64> { SIMD2(0, 0) }

    @inline(__always)
    static func add(_ left: SIMD2<Int64>, _ right: SIMD2<Int64>) -> SIMD2<Int64> { left &+ right }

    @inline(__always)
    static func totals(_ sum: SIMD2<Int64>, countShift: Int64) -> GradientTotals {
        GradientTotals(
            gradient: sum.x, hessian: sum.y & ((1 &<< countShift) &- 1), count: sum.y &>> countShift)
    }

    static func runningSums(
        _ cells: UnsafePointer<SIMD2<Int64>>, count: Int, countShift: Int64,
        _ gradients: UnsafeMutablePointer<Double>, _ hessians: UnsafeMutablePointer<Double>,
        _ counts: UnsafeMutablePointer<Double>
    ) {
        mtlk_paired_sums(cells, count, countShift, gradients, hessians, counts)
    }

    static func advance(
        _ cells: UnsafeMutablePointer<SIMD2<Int64>>, leaf: UnsafePointer<SIMD2<Int64>>, count: Int,
        by step: Int64, countShift: Int64
    ) {
        mtlk_advance_paired(cells, leaf, count, countShift, step)
    }
}

/// The sums of some rows: of the descent gradient, of the Hessian and of ones.
struct GradientTotals: Sendable, Equatable {
    var gradient: Int64 = 0
    var hessian: Int64 = 0
    var count: Int64 = 0

    @inline(__always)
    static func + (left: GradientTotals, right: GradientTotals) -> GradientTotals {
        GradientTotals(
            gradient: left.gradient &+ right.gradient, hessian: left.hessian &+ right.hessian,
            count: left.count &+ right.count)
    }

    @inline(__always)
    static func - (left: GradientTotals, right: GradientTotals) -> GradientTotals {
        GradientTotals(
            gradient: left.gradient &- right.gradient, hessian: left.hessian &- right.hessian,
            count: left.count &- right.count)
    }
}

/// Cells of rows whose gradients a quadratic loss moves on from tree to tree.
protocol QuadraticCell: HistogramCell {
    static func sum(of row: Row, countShift: Int64) -> Sum
    /// The row once `step`, on the grid of leaf values, is added to its prediction by a quadratic loss.
    static func advanced(_ row: Row, by step: Int64, countShift: Int64) -> Row
    /// The row on a grid of gradients twice as coarse.
    static func halved(_ row: Row) -> Row
    static func gradient(of row: Row) -> Int64
    /// The word of a row that moves as trees are added.
    static func stored(_ row: Row) -> Int64
}

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

/// Cells of rows whose gradients and Hessians are made anew for each tree.
protocol RefreshedCell: HistogramCell {
    /// What a row's gradient and Hessian are multiplied by, so that no row and no sum of rows is too large for its place.
    static func scales(_ magnitudes: GradientMagnitudes, countShift: Int) -> GradientScales
    /// A row of scaled numbers.
    static func row(gradient: Double, hessian: Double, number: Int) -> Row
    /// `mtlk_logistic_gradients` for such rows.
    ///
    /// - Parameter number: that of row 0 among the rows of all processes.
    static func fillLogistic(
        _ rows: Range<Int>, _ scores: UnsafeMutablePointer<Double>, _ signedWeights: UnsafePointer<Double>,
        leaves: UnsafePointer<UInt8>?, steps: UnsafePointer<Double>?, _ scales: GradientScales, number: Int,
        into gradients: UnsafeMutablePointer<Row>)
}

/// What the gradients and Hessians of some rows come to without their signs, and the largest of them; or bounds of these.
struct GradientMagnitudes {
    var gradient = 0.0
    var hessian = 0.0
    var largestGradient = 0.0
    var largestHessian = 0.0

    /// Adds a row.
    @inline(__always)
    mutating func add(gradient: Double, hessian: Double) {
        self.gradient += gradient
        self.hessian += hessian
        largestGradient = max(largestGradient, gradient)
        largestHessian = max(largestHessian, hessian)
    }

    /// Adds other rows.
    mutating func add(_ other: GradientMagnitudes) {
        gradient += other.gradient
        hessian += other.hessian
        largestGradient = max(largestGradient, other.largestGradient)
        largestHessian = max(largestHessian, other.largestHessian)
    }
}

/// What gradients and Hessians are multiplied by to become integers.
struct GradientScales {
    var gradient: Double
    var hessian: Double
}

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

extension ShortCell: RefreshedCell {
    static func scales(_ magnitudes: GradientMagnitudes, countShift: Int) -> GradientScales {
        // Sums stay below 2^60, and below the count; the words of a row below 2^31.
        GradientScales(
            gradient: min(
                BoostingProblem.scale(magnitudes.gradient, bits: 60),
                BoostingProblem.scale(magnitudes.largestGradient, bits: 30)),
            hessian: min(
                BoostingProblem.scale(magnitudes.hessian, bits: countShift - 1),
                BoostingProblem.scale(magnitudes.largestHessian, bits: 30)))
    }

    @inline(__always)
    static func row(gradient: Double, hessian: Double, number: Int) -> SIMD2<Int32> {
        SIMD2(BoostingProblem.rounded(gradient), BoostingProblem.rounded(hessian))
    }

    static func fillLogistic(
        _ rows: Range<Int>, _ scores: UnsafeMutablePointer<Double>, _ signedWeights: UnsafePointer<Double>,
        leaves: UnsafePointer<UInt8>?, steps: UnsafePointer<Double>?, _ scales: GradientScales, number: Int,
        into gradients: UnsafeMutablePointer<SIMD2<Int32>>
    ) {
        gradients.withMemoryRebound(to: Int32.self, capacity: 2 * rows.upperBound) { pairs in
            mtlk_logistic_gradients(
                scores, signedWeights, leaves, steps, rows.lowerBound, rows.count, scales.gradient,
                scales.hessian, pairs)
        }
    }
}

/// Rows with a gradient of 16 bits and a Hessian of 12 at most, made anew for each tree: grids fine enough where there are many
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

extension NarrowCell: RefreshedCell {
    static func scales(_ magnitudes: GradientMagnitudes, countShift: Int) -> GradientScales {
        // (Less one, as rounding may go up.)
        func scale(_ places: Int32, _ largest: Double) -> Double {
            largest > 0 ? Double(places - 1) / largest : 1
        }
        return GradientScales(
            gradient: scale(MTLK_NARROW_GRADIENT, magnitudes.largestGradient),
            hessian: scale(
                min(MTLK_NARROW_HESSIAN, 1 << min(hessianBits(countShift), 30) - 1),
                magnitudes.largestHessian))
    }

    /// The bits of a row's Hessian for which a sum has room: 12 below 2²⁵ rows, and two fewer for each doubling above (the count takes
    /// one more as well), 8 below 2²⁷, from where on counts are words of their own. Of so many rows a coarse grid is fine enough.
    private static func hessianBits(_ countShift: Int) -> Int32 { Int32(clamping: 2 * countShift - 64) }

    /// Whether its grids serve so many rows with such sizes: there are many, of which no few outweigh all others, their
    /// Hessians have room in a sum, and sizes are within the range of single precision.
    ///
    /// - Parameters:
    ///   - total: the sum of what gradients and Hessians go by, weights say.
    ///   - largest: the largest of these.
    static func serves(rows: Int, total: Double, largest: Double, countShift: Int) -> Bool {
        rows >= leastRows && hessianBits(countShift) >= 8
            && total >= largest * Double(rows) / mostUneven && sizes.contains(largest)
    }

    private static let leastRows = 1 << 15
    private static let mostUneven = 256.0
    private static let sizes = 1e-30...1e30

    @inline(__always)
    static func row(gradient: Double, hessian: Double, number: Int) -> UInt32 {
        mtlk_narrow(gradient, hessian, number)
    }

    static func fillLogistic(
        _ rows: Range<Int>, _ scores: UnsafeMutablePointer<Double>, _ signedWeights: UnsafePointer<Double>,
        leaves: UnsafePointer<UInt8>?, steps: UnsafePointer<Double>?, _ scales: GradientScales, number: Int,
        into gradients: UnsafeMutablePointer<UInt32>
    ) {
        mtlk_logistic_narrow(
            scores, signedWeights, leaves, steps, rows.lowerBound, rows.count, scales.gradient,
            scales.hessian, number, gradients)
    }
}
