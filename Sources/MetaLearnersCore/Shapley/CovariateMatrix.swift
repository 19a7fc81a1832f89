/// Covariates as numbers, column by column: NaN for missing numbers, and codes from 0 for levels, NaN for missing ones.
///
/// What formulas are explained on: `CompiledFormulas` reads rows in this form.
package final class CovariateMatrix: Sendable {
    package let rowCount: Int
    package let columnCount: Int
    private let values: AlignedBuffer<Double>

    /// Copies the columns of `table`.
    ///
    /// - Throws: `outOfMemory`.
    package init(_ table: Table) throws(MetaLearnersError) {
        rowCount = table.rowCount
        columnCount = table.columns.count
        let (count, overflow) = rowCount.multipliedReportingOverflow(by: columnCount)
        guard !overflow else { throw MetaLearnersError(.outOfMemory, "there are too many rows and columns") }
        values = try AlignedBuffer(uninitialized: count, remedy: "explain fewer rows at a time")
        for (index, column) in table.columns.enumerated() {
            let target = UnsafeMutableBufferPointer(start: values.start + index * rowCount, count: rowCount)
            column.values.copy(0..<rowCount, to: target)
            guard let levels = column.levels else { continue }
            for row in 0..<rowCount where !(target[row] >= 0 && target[row] < Double(levels.count)) {
                target[row] = .nan
            }
        }
    }

    /// The numbers of a column, one for each row.
    @inline(__always)
    package func column(_ index: Int) -> UnsafePointer<Double> {
        UnsafePointer(values.start + index * rowCount)
    }

    /// The number of a row in a column.
    @inline(__always)
    package func value(_ row: Int, _ column: Int) -> Double { values.start[column * rowCount + row] }

    /// Copies a row.
    func copyRow(_ row: Int, to target: UnsafeMutablePointer<Double>) {
        for column in 0..<columnCount { target[column] = value(row, column) }
    }
}

/// Memory that parts of a computation write to side by side, each its own elements: hence `@unchecked`.
struct SharedTarget<Element>: @unchecked Sendable {
    let start: UnsafeMutablePointer<Element>
}
