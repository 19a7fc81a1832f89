import CMetaLearners
import MetaLearnersCore

/// A table in the caller's memory.
enum TableView {
    /// The most columns of a table: a size beyond it is taken for a mistake.
    static let columnLimit = 1 << 20

    /// The table, checked.
    ///
    /// - Throws: `invalidArgument` or `invalidData`, naming the column.
    static func read(_ pointer: UnsafePointer<mtlr_table>?, for use: TableUse) throws(MetaLearnersError)
        -> Table
    {
        let view = try StructView.readGrowable(pointer, "table")
        guard view.rows >= 0, view.rows <= Int64(Int32.max) else {
            throw MetaLearnersError(
                .invalidArgument, at: "table", "rows is \(view.rows), not 0 to 2147483647")
        }
        guard view.column_count >= 0, view.column_count <= Int64(columnLimit) else {
            throw MetaLearnersError(
                .invalidArgument, at: "table", "column_count is \(view.column_count), not 0 to \(columnLimit)"
            )
        }
        let rows = Int(view.rows)
        var columns: [Column] = []
        if let matrix = view.matrix {
            columns = try MatrixView(matrix: StructView.element(matrix, 0), names: view.matrix_names)
                .columns(rows: rows, for: use)
        }
        let count = Int(view.column_count)
        if count > 0 {
            guard let pointer = view.columns else { throw Boundary.missing("table.columns") }
            columns.reserveCapacity(columns.count + count)
            for index in 0..<count {
                let validity = view.validity.flatMap { StructView.element($0, index) }
                columns.append(
                    try ColumnView(
                        column: StructView.element(pointer, index), validity: validity, position: index,
                        rows: rows
                    ).read(for: use))
            }
        }
        if let sparse = view.sparse {
            columns += try SparseMatrixView(matrix: StructView.element(sparse, 0), names: view.sparse_names)
                .columns(rows: rows)
        }
        if let handle = view.arrow {
            let arrow = try Handle.required(ArrowTableObject.self, handle, "table.arrow")
            guard arrow.rowCount == rows else {
                throw MetaLearnersError(
                    .invalidArgument, at: "table.arrow",
                    "has \(arrow.rowCount) rows where the table has \(rows)")
            }
            columns += arrow.columns
        }
        guard columns.count <= columnLimit else {
            throw MetaLearnersError(.invalidArgument, at: "table", "has more than \(columnLimit) columns")
        }
        return try Table(columns, rowCount: rows)
    }
}
