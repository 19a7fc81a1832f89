import CMetaLearners
import MetaLearnersCore

/// A dense matrix in the caller's memory, as columns.
struct MatrixView {
    let matrix: mtlr_matrix
    let names: UnsafePointer<UnsafePointer<CChar>?>?

    /// The columns of the matrix, checked.
    ///
    /// - Throws: `invalidArgument` for sizes, strides, types and pointers that cannot be.
    func columns(rows: Int, for use: TableUse) throws(MetaLearnersError) -> [Column] {
        guard matrix.rows == Int64(rows) else {
            throw MetaLearnersError(
                .invalidArgument, at: "matrix", "has \(matrix.rows) rows where the table has \(rows)")
        }
        guard matrix.reserved == 0 else {
            throw MetaLearnersError(
                .invalidArgument, at: "matrix", "reserved is \(matrix.reserved), must be 0")
        }
        guard matrix.columns >= 0, matrix.columns <= Int64(TableView.columnLimit) else {
            throw MetaLearnersError(
                .invalidArgument, at: "matrix",
                "has \(matrix.columns) columns, not 0 to \(TableView.columnLimit)")
        }
        let count = Int(matrix.columns)
        let size = try NumbersView(data: nil, dtype: matrix.dtype, rows: 0, stride: 0).element("matrix").size
        let step = matrix.column_stride == 0 ? size : Int(matrix.column_stride)
        guard AddressSpace.holds(step) else { throw Self.tooFarApart(step) }
        let rowStride = matrix.row_stride == 0 ? Int64(size * count) : matrix.row_stride
        if count > 0, rows > 0, matrix.data == nil {
            throw MetaLearnersError(.invalidArgument, at: "matrix", "data is NULL")
        }

        var columns: [Column] = []
        columns.reserveCapacity(count)
        for index in 0..<count {
            let name: String
            if let names {
                name = try CText.read(StructView.element(names, index), "matrix_names[\(index)]")
            } else {
                name = "x\(index)"
            }
            let numbers = NumbersView(
                data: try address(ofColumn: index, step), dtype: matrix.dtype, rows: rows, stride: rowStride)
            columns.append(Column(name, try numbers.values(copying: use.copies, "column '\(name)'")))
        }
        return columns
    }

    private func address(ofColumn index: Int, _ step: Int) throws(MetaLearnersError) -> UnsafeRawPointer? {
        guard let data = matrix.data else { return nil }
        let (offset, overflow) = step.multipliedReportingOverflow(by: index)
        let start = UInt(bitPattern: data)
        let (end, wraps) =
            offset >= 0
            ? start.addingReportingOverflow(offset.magnitude)
            : start.subtractingReportingOverflow(offset.magnitude)
        guard !overflow, !wraps, end > 0, end <= AddressSpace.end else { throw Self.tooFarApart(step) }
        return UnsafeRawPointer(bitPattern: end)
    }

    private static func tooFarApart(_ step: Int) -> MetaLearnersError {
        MetaLearnersError(
            .invalidArgument, at: "matrix", "columns \(step) bytes apart are more than memory can hold",
            remedy: "strides are in bytes")
    }
}
