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
    /// - Returns: also whether each number of the sample has a bin of its own.
    static func found(in sample: UnsafeMutableBufferPointer<Double>, maxBins: Int) -> (
        binning: NumericBinning, isExact: Bool
    ) {
        let values = RadixSort.sortedNumbers(sample)
        var distinct: [(value: Double, count: Int)] = []
        for value in values {
            if let last = distinct.last, last.value == value {
                distinct[distinct.count - 1].count += 1
            } else {
                distinct.append((value, 1))
            }
        }
        var edges: [Double] = []
        if distinct.count <= maxBins {
            for index in distinct.indices.dropFirst() {
                edges.append(edge(between: distinct[index - 1].value, and: distinct[index].value))
            }
        } else {
            edges = quantileEdges(distinct, total: values.count, maxBins: maxBins)
        }
        return (NumericBinning(edges: edges), distinct.count <= maxBins)
    }

    /// Closes a bin when it holds its share of what is left; numbers as frequent as a bin stand alone.
    private static func quantileEdges(
        _ distinct: [(value: Double, count: Int)], total: Int, maxBins: Int
    ) -> [Double] {
        let share = Double(total) / Double(maxBins)
        let isFrequent = { (count: Int) in Double(count) >= share }
        var binsLeft = maxBins
        var rowsLeft = total
        for entry in distinct where isFrequent(entry.count) {
            binsLeft -= 1
            rowsLeft -= entry.count
        }
        var edges: [Double] = []
        var held = 0
        for index in distinct.indices.dropLast() {
            let entry = distinct[index]
            let frequent = isFrequent(entry.count)
            if !frequent { held += entry.count }
            let isFull = Double(held) * Double(max(binsLeft, 1)) >= Double(rowsLeft)
            guard frequent || isFull || isFrequent(distinct[index + 1].count), edges.count < maxBins - 1
            else {
                continue
            }
            edges.append(edge(between: entry.value, and: distinct[index + 1].value))
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
