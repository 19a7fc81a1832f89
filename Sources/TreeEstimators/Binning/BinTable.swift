import CTreeKernels
import MetaLearnersCore

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
        guard values.sparse == nil else {
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
        case .int64, .int32, .int16, .int8, .uint8:
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
