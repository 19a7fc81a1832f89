import CTreeKernels

/// The integer sums that a histogram keeps of the rows in a bin.
///
/// Gradients and Hessians are integers on a fixed grid, so that sums are exact: they do not depend on the order of
/// the rows nor on how many threads share the work, and subtracting a child from its parent loses nothing.
/// The count of rows shares a word with another sum, above `countShift` bits.
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
