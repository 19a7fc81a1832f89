import CMetaLearners
import MetaLearnersCore

/// Memory of the caller that columns of numbers are written to.
struct NumbersTarget {
    private let start: UnsafeMutableRawPointer?
    private let rows: Int
    private let columns: Int
    private let isSingle: Bool
    private let rowStep: Int
    private let columnStep: Int

    /// Checks that the memory is that of rows × columns numbers, as far as can be told.
    ///
    /// - Throws: `invalidArgument` for another length, a NULL, or strides that no memory could have.
    init(
        _ start: UnsafeMutableRawPointer?, _ length: Int64, rows: Int, columns: Int, _ view: PredictionView,
        _ argument: String
    ) throws(MetaLearnersError) {
        try Boundary.requireLength(length, rows: rows, columns: columns, "length")
        guard start != nil || length == 0 else { throw Boundary.missing(argument) }
        isSingle = view.dtype == MTLR_FLOAT32
        let size = isSingle ? MemoryLayout<Float>.size : MemoryLayout<Double>.size
        guard let ofColumns = Int(exactly: view.columnStride), let ofRows = Int(exactly: view.rowStride)
        else {
            throw Self.unusable
        }
        columnStep = ofColumns == 0 ? size : ofColumns
        let dense = (ofColumns == 0 ? columns : 1).multipliedReportingOverflow(by: size)
        rowStep = ofRows == 0 ? dense.partialValue : ofRows
        // The farthest number lies within the address space: every other one does.
        let acrossRows = rowStep.multipliedReportingOverflow(by: max(rows - 1, 0))
        let acrossColumns = columnStep.multipliedReportingOverflow(by: max(columns - 1, 0))
        let (farthest, overflow) = acrossRows.partialValue.addingReportingOverflow(
            acrossColumns.partialValue)
        let address = Int(bitPattern: start)
        guard !dense.overflow, AddressSpace.holds(rowStep), AddressSpace.holds(columnStep),
            !acrossRows.overflow, !acrossColumns.overflow, !overflow,
            Self.isWithin(address, farthest), Self.isWithin(address, acrossRows.partialValue),
            Self.isWithin(address, acrossColumns.partialValue)
        else { throw Self.unusable }
        self.start = start
        self.rows = rows
        self.columns = columns
    }

    private static let unusable = MetaLearnersError(
        .invalidArgument, at: "prediction", "its strides are more than memory can hold",
        remedy: "strides are in bytes")

    private static func isWithin(_ address: Int, _ offset: Int) -> Bool {
        let (sum, overflow) = address.addingReportingOverflow(offset)
        return !overflow && UInt(bitPattern: sum) <= AddressSpace.end
    }

    /// Writes the columns.
    ///
    /// - Throws: `internalFault` where they are not as many, or not as long, as was said.
    func store(_ values: [[Double]]) throws(MetaLearnersError) {
        guard values.count == columns, values.allSatisfy({ $0.count == rows }) else {
            throw MetaLearnersError(.internalFault, at: "values", "there are not as many as rows and columns")
        }
        guard let start else { return }
        for (column, numbers) in values.enumerated() {
            let first = start + column * columnStep
            for (row, number) in numbers.enumerated() {
                // Memory of a caller need not be aligned.
                if isSingle {
                    (first + row * rowStep).storeBytes(of: Float(number), as: Float.self)
                } else {
                    (first + row * rowStep).storeBytes(of: number, as: Double.self)
                }
            }
        }
    }
}
