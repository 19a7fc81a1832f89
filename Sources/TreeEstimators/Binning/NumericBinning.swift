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

/// The edges of a column as the kernels read them: as float32 and float64, with a grid that says how many edges lie
/// before each of its cells.
struct BinTable: Sendable {
    private let short: [Float]
    private let shortGrid: Grid<Float>
    private let long: [Double]
    private let longGrid: Grid<Double>

    private struct Grid<Number: BinaryFloatingPoint & Sendable>: Sendable {
        var cells: [UInt8] = [0]
        var low: Number = 0
        var scale: Number = 0
        var steps: Int32 = 0

        /// The most comparisons within a cell; where edges are denser, a search takes less time.
        private static var maximumSteps: Int { 3 }

        init(_ edges: [Number], cell: (Number, Number, Number) -> Int) {
            guard let first = edges.first, let last = edges.last else { return }
            let scale = Number(MTLK_GRID_CELLS - 2) / (last - first)
            guard first.isFinite, last.isFinite, scale.isFinite, scale > 0 else { return }
            var counts = [Int](repeating: 0, count: Int(MTLK_GRID_CELLS))
            for edge in edges { counts[cell(edge, first, scale)] += 1 }
            guard let most = counts.max(), most <= Self.maximumSteps else { return }
            low = first
            self.scale = scale
            steps = Int32(most)
            var before = 0
            cells = counts.map { count in
                defer { before += count }
                return UInt8(truncatingIfNeeded: before)
            }
        }
    }

    /// Makes the table of at most `NumericBinning.maximumNarrowEdges` edges.
    init(edges: [Double]) {
        // "number > edge" has the same answer for a float32 number when the edge is rounded down to one.
        let short = edges.map { edge in
            let rounded = Float(edge)
            return Double(rounded) > edge ? rounded.nextDown : rounded
        }
        shortGrid = Grid(short) { mtlk_float_cell($0, $1, $2) }
        longGrid = Grid(edges) { mtlk_double_cell($0, $1, $2) }
        let padding = max(0, Int(MTLK_EDGES) - edges.count)
        self.short = short + [Float](repeating: .infinity, count: padding)
        long = edges + [Double](repeating: .infinity, count: padding)
    }

    /// The bins of the numbers of some rows.
    func map(_ values: StridedValues, _ rows: RowSelection, to bins: UnsafeMutablePointer<UInt8>) {
        guard values.isInMemory else {
            BlockReader.read(values, rows) { numbers, position in
                guard let start = numbers.baseAddress else { return }
                mapDoubles(UnsafeRawPointer(start), 8, nil, numbers.count, bins + position)
            }
            return
        }
        guard let start = values.start, rows.count > 0 else { return }
        let first: UnsafeRawPointer
        let list: UnsafePointer<Int32>?
        switch rows {
        case .range(let range): (first, list) = (start + range.lowerBound * values.stride, nil)
        case .list(let buffer): (first, list) = (start, buffer.baseAddress)
        }
        switch values.element {
        case .float32: mapFloats(first, values.stride, list, rows.count, bins)
        case .float64: mapDoubles(first, values.stride, list, rows.count, bins)
        case .int64, .int32, .int16, .int8, .uint8, .uint16, .uint32, .uint64:
            BlockReader.read(values, rows) { numbers, position in
                guard let start = numbers.baseAddress else { return }
                mapDoubles(UnsafeRawPointer(start), 8, nil, numbers.count, bins + position)
            }
        }
    }

    private func mapFloats(
        _ first: UnsafeRawPointer, _ stride: Int, _ rows: UnsafePointer<Int32>?, _ count: Int,
        _ bins: UnsafeMutablePointer<UInt8>
    ) {
        short.withUnsafeBufferPointer { edges in
            shortGrid.cells.withUnsafeBufferPointer { cells in
                guard let edges = edges.baseAddress, let cells = cells.baseAddress else { return }
                var table = mtlk_float_bins(
                    edges: edges, cells: cells, low: shortGrid.low, scale: shortGrid.scale,
                    steps: shortGrid.steps)
                mtlk_bin_floats(&table, first, stride, rows, count, bins)
            }
        }
    }

    private func mapDoubles(
        _ first: UnsafeRawPointer, _ stride: Int, _ rows: UnsafePointer<Int32>?, _ count: Int,
        _ bins: UnsafeMutablePointer<UInt8>
    ) {
        long.withUnsafeBufferPointer { edges in
            longGrid.cells.withUnsafeBufferPointer { cells in
                guard let edges = edges.baseAddress, let cells = cells.baseAddress else { return }
                var table = mtlk_double_bins(
                    edges: edges, cells: cells, low: longGrid.low, scale: longGrid.scale,
                    steps: longGrid.steps)
                mtlk_bin_doubles(&table, first, stride, rows, count, bins)
            }
        }
    }
}
