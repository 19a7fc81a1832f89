import CTreeKernels
import MetaLearnersCore

/// How the numbers of a column become bins: bin 0 for a missing number, else 1 + the edges below it.
///
/// So a number equal to an edge lies below it, and "bin > t" is "number > edge t": what holds of bins holds of
/// numbers, whichever type they are stored in.
struct NumericBinning: Sendable, Equatable {
    /// Numbers between bins, ascending.
    let edges: [Double]
    /// Nil where bins need 16 bits.
    private let table: BinTable?

    /// The most edges that bins of 8 bits serve for: 0 is taken.
    static let maximumNarrowEdges = 254
    /// The most edges there may be.
    static let maximumEdges = 65_534

    /// Uses `edges`, which are ascending and at most `maximumEdges`.
    init(edges: [Double]) {
        self.edges = edges
        table = edges.count <= Self.maximumNarrowEdges ? BinTable(edges: edges) : nil
    }

    static func == (left: NumericBinning, right: NumericBinning) -> Bool { left.edges == right.edges }

    /// The bins of the numbers of some rows.
    func map(_ values: StridedValues, _ rows: RowSelection, to bins: UnsafeMutablePointer<UInt8>) {
        table?.map(values, rows, to: bins)
    }

    /// The same in 16 bits, of any column.
    func map(_ values: StridedValues, _ rows: RowSelection, toWords bins: UnsafeMutablePointer<UInt16>) {
        guard table == nil else {
            return withUnsafeTemporaryAllocation(of: UInt8.self, capacity: max(rows.count, 1)) { bytes in
                guard let start = bytes.baseAddress else { return }
                map(values, rows, to: start)
                for row in 0..<rows.count { bins[row] = UInt16(start[row]) }
            }
        }
        edges.withUnsafeBufferPointer { edges in
            guard let first = edges.baseAddress else { return }
            BlockReader.read(values, rows) { numbers, position in
                guard let start = numbers.baseAddress else { return }
                mtlk_bin_words(first, edges.count, start, numbers.count, bins + position)
            }
        }
    }

    /// How many bins there are, with that for missing numbers.
    var binCount: Int { edges.count + 2 }

    /// Finds edges between the numbers of `sample`: all that differ where these are at most `maxBins`, else so
    /// that bins hold about equally many, and frequent numbers have a bin of their own.
    ///
    /// - Parameters:
    ///   - sample: what it holds afterwards is of no use.
    ///   - aside: room for as many numbers.
    /// - Returns: also whether each number of the sample has a bin of its own.
    static func found(
        in sample: UnsafeMutableBufferPointer<Double>, aside: UnsafeMutablePointer<Double>, maxBins: Int
    ) -> (binning: NumericBinning, isExact: Bool) {
        guard let numbers = sample.baseAddress else { return (NumericBinning(edges: []), true) }
        let count = mtlk_sort_numbers(numbers, sample.count, aside)
        // Room enough: an Int32 takes half of a Double.
        return aside.withMemoryRebound(to: Int32.self, capacity: max(count, 1)) { ends in
            var distinct = 0
            for index in 0..<count {
                ends[distinct] = Int32(truncatingIfNeeded: index + 1)
                distinct += index + 1 == count || numbers[index] != numbers[index + 1] ? 1 : 0
            }
            let runs = UnsafeBufferPointer(start: ends, count: distinct)
            guard distinct > maxBins else {
                let edges = runs.dropLast().map { edge(between: numbers[Int($0) - 1], and: numbers[Int($0)]) }
                return (NumericBinning(edges: edges), true)
            }
            return (NumericBinning(edges: quantileEdges(numbers, runs, maxBins: maxBins)), false)
        }
    }

    /// Closes a bin when it holds its share of what is left; numbers as frequent as a bin stand alone.
    ///
    /// - Parameter ends: where each run of equal numbers ends.
    private static func quantileEdges(
        _ numbers: UnsafePointer<Double>, _ ends: UnsafeBufferPointer<Int32>, maxBins: Int
    ) -> [Double] {
        let total = Int(ends.last ?? 0)
        func isFrequent(_ count: Int) -> Bool { count * maxBins >= total }
        var binsLeft = maxBins
        var rowsLeft = total
        var end = 0
        for next in ends {
            let count = Int(next) - end
            end = Int(next)
            if isFrequent(count) {
                binsLeft -= 1
                rowsLeft -= count
            }
        }
        var edges: [Double] = []
        var held = 0
        var first = 0
        for index in 0..<ends.count - 1 {
            let end = Int(ends[index])
            let count = end - first
            first = end
            let frequent = isFrequent(count)
            if !frequent { held += count }
            let isFull = held * max(binsLeft, 1) >= rowsLeft
            guard frequent || isFull || isFrequent(Int(ends[index + 1]) - end), edges.count < maxBins - 1
            else {
                continue
            }
            edges.append(edge(between: numbers[end - 1], and: numbers[end]))
            if held > 0 {
                rowsLeft -= held
                binsLeft -= 1
                held = 0
            }
        }
        return edges
    }

    /// A number e with low ≤ e < high: their middle where it can be had, with few bits where these suffice.
    private static func edge(between low: Double, and high: Double) -> Double {
        let middle = low / 2 + high / 2
        let short = Double(Float(middle))
        if short >= low, short < high { return short }
        return middle >= low && middle < high ? middle : low
    }
}
