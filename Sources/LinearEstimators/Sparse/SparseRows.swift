import MetaLearnersCore

/// A design matrix of which only what is stored is used: z = scale·x − shift, column by column, x being 0 where nothing is
/// stored. Standardising never fills it in.
///
/// Columns of which more than half would be stored stand as they are, with scale 1 and shift 0: nothing cancels then.
struct SparseRows: Sendable {
    /// How many columns there are.
    let width: Int
    /// For each column, what stored numbers are multiplied by.
    let scales: [Double]
    /// For each column, what is subtracted everywhere.
    let shifts: [Double]
    /// For each row, where it begins in `columns` and `values`; at the end, where the last one ends.
    private let starts: [Int]
    private let columns: [Int32]
    private let values: [Double]
    /// Which of the rows these are.
    private let range: Range<Int>

    /// How many rows there are.
    var count: Int { range.count }

    /// How many numbers are stored.
    var storedCount: Int { starts[range.upperBound] - starts[range.lowerBound] }

    /// With more levels than this, indicators are stored as the one that each row has.
    static let fewLevels = 64

    /// Whether a linear model of `features` uses what is stored alone: where there is a sparse column or where there are
    /// many levels, and no expansion that would fill it in. Never where several processes hold the rows.
    static func serve(_ features: Table, _ expansion: FeatureExpansion) -> Bool {
        guard features.distribution == nil else { return false }
        if features.columns.contains(where: { $0.values.sparse != nil }) { return expansion == .none }
        return expansion != .splinesInteractions
            && features.columns.reduce(0) { $0 + ($1.levels?.count ?? 0) } > fewLevels
    }

    /// Encodes `rows`, in their order, each at most once.
    ///
    /// - Throws: `outOfMemory`, `cancelled`.
    /// - Complexity: O(stored values + rows × columns that are not sparse).
    init(_ encoder: DesignEncoder, _ features: Table, rows: [Int32], _ context: ExecutionContext)
        throws(MetaLearnersError)
    {
        var placeOfRow = [Int32](repeating: -1, count: features.rowCount)
        for (place, row) in rows.enumerated() { placeOfRow[Int(row)] = Int32(truncatingIfNeeded: place) }
        var scales: [Double] = []
        var shifts: [Double] = []
        var entries: [ColumnEntries] = []
        for (column, source) in zip(features.columns, encoder.sources) where source.width > 0 {
            if entries.count % 64 == 0 { try context.checkCancellation() }
            if case .numeric(let encoding) = source, let sparse = column.values.sparse,
                sparse.count <= column.count / 2
            {
                entries.append(ColumnEntries(sparse, placeOfRow))
                scales.append(encoding.factor / encoding.spread)
                shifts.append(encoding.center / encoding.spread)
            } else if case .categorical(let encoding) = source {
                // An indicator less its share: only the level that a row has is stored.
                entries.append(ColumnEntries(encoding, column.values.doubles(rows)))
                for (indicator, position) in encoding.positions.enumerated() where position >= 0 {
                    let share = encoding.shares[indicator]
                    scales.append(1 / encoding.unit(of: share))
                    shifts.append(share / encoding.unit(of: share))
                }
            } else {
                let dense = try DoubleBuffer(rows.count * source.width)
                let numbers = column.values.doubles(rows)
                numbers.withUnsafeBufferPointer { source.fill($0, to: dense.start, stride: rows.count) }
                for index in 0..<source.width {
                    entries.append(
                        ColumnEntries(
                            UnsafeBufferPointer(start: dense.start + index * rows.count, count: rows.count)))
                    scales.append(1)
                    shifts.append(0)
                }
            }
        }
        self.init(entries, scales: scales, shifts: shifts, count: rows.count)
    }

    /// What is stored of a column, or of several that are side by side.
    private struct ColumnEntries {
        var places: [Int32] = []
        var values: [Double] = []
        /// The column of each entry, ascending within a row; empty where there is one column.
        var columns: [Int32] = []
        var width = 1

        init() {}

        /// All of the numbers of a column.
        init(_ numbers: UnsafeBufferPointer<Double>) {
            places = (0..<Int32(clamping: numbers.count)).map { $0 }
            values = Array(numbers)
        }

        /// The indicators of a category, of which a row has one.
        init(_ encoding: CategoricalEncoding, _ codes: [Double]) {
            width = encoding.width
            for (place, code) in codes.enumerated() {
                let indicator = encoding.indicator(of: code)
                guard indicator >= 0 else {
                    // Neither a level seen nor a missing one: every indicator at its share.
                    for (index, position) in encoding.positions.enumerated() where position >= 0 {
                        append(place, encoding.shares[index])
                        columns.append(position)
                    }
                    continue
                }
                guard encoding.positions[indicator] >= 0 else { continue }
                append(place, 1)
                columns.append(encoding.positions[indicator])
            }
        }

        init(_ sparse: SparseEntries, _ placeOfRow: [Int32]) {
            sparse.withEntries { rows, numbers in
                for index in 0..<rows.count {
                    let place = placeOfRow[Int(rows[index])]
                    guard place >= 0 else { continue }
                    places.append(place)
                    values.append(numbers[index])
                }
            }
        }

        mutating func append(_ place: Int, _ value: Double) {
            places.append(Int32(truncatingIfNeeded: place))
            values.append(value)
        }
    }

    private init(_ entries: [ColumnEntries], scales: [Double], shifts: [Double], count: Int) {
        var starts = [Int](repeating: 0, count: count + 1)
        for column in entries { for place in column.places { starts[Int(place) + 1] += 1 } }
        for place in 0..<count { starts[place + 1] += starts[place] }
        var next = starts
        var columns = [Int32](repeating: 0, count: starts[count])
        var values = [Double](repeating: 0, count: starts[count])
        var first: Int32 = 0
        for part in entries {
            for (index, place) in part.places.enumerated() {
                let target = next[Int(place)]
                columns[target] = first + (part.columns.isEmpty ? 0 : part.columns[index])
                values[target] = part.values[index]
                next[Int(place)] += 1
            }
            first += Int32(truncatingIfNeeded: part.width)
        }
        width = Int(first)
        self.scales = scales
        self.shifts = shifts
        self.starts = starts
        self.columns = columns
        self.values = values
        range = 0..<count
    }

    private init(_ whole: SparseRows, _ range: Range<Int>) {
        width = whole.width
        scales = whole.scales
        shifts = whole.shifts
        starts = whole.starts
        columns = whole.columns
        values = whole.values
        self.range = range
    }

    /// Some of the rows, which must lie within 0..<`count`; nothing is copied.
    func restricted(to part: Range<Int>) -> SparseRows {
        SparseRows(self, range.lowerBound + part.lowerBound..<range.lowerBound + part.upperBound)
    }

    /// Some of the columns, ascending.
    func selecting(_ wanted: [Int]) -> SparseRows {
        var number = [Int32](repeating: -1, count: width)
        for (index, column) in wanted.enumerated() { number[column] = Int32(truncatingIfNeeded: index) }
        var parts = [ColumnEntries](repeating: ColumnEntries(), count: wanted.count)
        forEachRow { place, columns, values in
            for index in 0..<columns.count where number[Int(columns[index])] >= 0 {
                parts[Int(number[Int(columns[index])])].append(place, values[index])
            }
        }
        return SparseRows(
            parts, scales: wanted.map { scales[$0] }, shifts: wanted.map { shifts[$0] }, count: count)
    }

    /// Calls `body` for each row with its place, its columns, ascending, and what they store.
    @inline(__always)
    func forEachRow(_ body: (Int, UnsafeBufferPointer<Int32>, UnsafeBufferPointer<Double>) -> Void) {
        columns.withUnsafeBufferPointer { columns in
            values.withUnsafeBufferPointer { values in
                for row in range {
                    let stored = starts[row]..<starts[row + 1]
                    body(
                        row - range.lowerBound, UnsafeBufferPointer(rebasing: columns[stored]),
                        UnsafeBufferPointer(rebasing: values[stored]))
                }
            }
        }
    }
}
