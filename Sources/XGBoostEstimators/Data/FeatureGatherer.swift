import MetaLearnersCore

/// Copies rows of a table as XGBoost takes them: floats, NaN for what is missing, codes for categories.
struct FeatureGatherer: Sendable {
    /// Numbers beyond this count as this: XGBoost computes in single precision and refuses infinities, also in
    /// the bounds that it puts around the largest value.
    static let largest = 1e38

    private let table: Table
    /// For each column the number of levels that a code may have, 0 for numbers.
    private let levels: [Int]

    /// Prepares to copy from `table`.
    ///
    /// - Parameter levels: for each column the levels trained on, 0 for numbers.
    init(_ table: Table, levels: [Int]) {
        self.table = table
        self.levels = levels
    }

    /// For each column of `table` how many levels it has, 0 for numbers.
    static func levels(of table: Table) -> [Int] { table.columns.map { $0.levels?.count ?? 0 } }

    /// Copies `rows`, one column after another, into `target`, which holds rows × columns floats.
    func copy(_ rows: RowSelection, to target: UnsafeMutablePointer<Float>) {
        let count = rows.count
        withUnsafeTemporaryAllocation(of: Double.self, capacity: max(count, 1)) { numbers in
            for (index, column) in table.columns.enumerated() {
                rows.copy(column.values, to: numbers)
                let destination = target + index * count
                let bound = Swift.min(levels[index], column.levels?.count ?? levels[index])
                if levels[index] > 0 || column.levels != nil {
                    Self.convertCodes(numbers, count, below: Double(bound), to: destination)
                } else {
                    Self.convertNumbers(numbers, count, to: destination)
                }
            }
        }
    }

    private static func convertNumbers(
        _ numbers: UnsafeMutableBufferPointer<Double>, _ count: Int, to target: UnsafeMutablePointer<Float>
    ) {
        guard let numbers = numbers.baseAddress else { return }
        for row in 0..<count {
            let number = numbers[row]
            // Comparisons with NaN are false, so that it stays what it is.
            target[row] = Float(number > largest ? largest : (number < -largest ? -largest : number))
        }
    }

    private static func convertCodes(
        _ numbers: UnsafeMutableBufferPointer<Double>, _ count: Int, below bound: Double,
        to target: UnsafeMutablePointer<Float>
    ) {
        guard let numbers = numbers.baseAddress else { return }
        for row in 0..<count {
            let code = numbers[row]
            let isKnown = code >= 0 && code < bound && code == code.rounded(.down)
            target[row] = isKnown ? Float(code) : .nan
        }
    }
}

/// Some rows of a table: a range of them, or a range of a list.
struct RowSelection {
    private let list: ArraySlice<Int32>?
    private let range: Range<Int>

    /// The positions `range` of `rows`; of all rows where there is no list.
    init(_ rows: [Int32]?, _ range: Range<Int>) {
        list = rows.map { $0[range] }
        self.range = range
    }

    /// How many rows there are.
    var count: Int { range.count }

    /// Copies the values of the rows; `target` holds at least as many.
    func copy(_ values: StridedValues, to target: UnsafeMutableBufferPointer<Double>) {
        guard let list else { return values.copy(range, to: target) }
        list.withUnsafeBufferPointer { values.gather($0, to: target) }
    }
}
