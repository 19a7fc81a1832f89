import CMetaLearners
import MetaLearnersCore

/// A sparse matrix in compressed rows in the caller's memory, as columns.
struct SparseMatrixView {
    let matrix: mtlr_sparse_matrix
    let names: UnsafePointer<UnsafePointer<CChar>?>?

    /// The columns of the matrix, checked.
    ///
    /// - Throws: `invalidArgument` for sizes, types and pointers that cannot be; `invalidData` for starts, columns and
    ///   numbers that make no sparse matrix.
    func columns(rows: Int) throws(MetaLearnersError) -> [Column] {
        guard matrix.rows == Int64(rows) else {
            throw refusal("has \(matrix.rows) rows where the table has \(rows)")
        }
        guard matrix.columns >= 0, matrix.columns <= Int64(TableView.columnLimit) else {
            throw refusal("has \(matrix.columns) columns, not 0 to \(TableView.columnLimit)")
        }
        guard matrix.index_dtype == MTLR_INT32 || matrix.index_dtype == MTLR_INT64 else {
            throw refusal(
                "index_dtype \(matrix.index_dtype) is none", "use MTLR_INT32 (4) or MTLR_INT64 (3)")
        }
        guard matrix.dtype == MTLR_FLOAT64 || matrix.dtype == MTLR_FLOAT32 else {
            throw refusal("dtype \(matrix.dtype) is none", "use MTLR_FLOAT64 (1) or MTLR_FLOAT32 (2)")
        }
        guard let count = Int(exactly: matrix.value_count), count >= 0 else {
            throw refusal("value_count is \(matrix.value_count)")
        }
        let starts = try integers(matrix.row_starts, rows + 1, "row_starts")
        guard starts.last == count else {
            throw refusal(
                "row_starts end with \(starts.last ?? 0), and value_count is \(count)",
                "the last of the rows + 1 starts is the number of values")
        }
        // Not before the starts are known to agree with it: a count alone says nothing about memory.
        let columns = try integers(matrix.column_indices, count, "column_indices")
        let sparse = try SparseColumns(
            rowStarts: starts, columns: columns, values: numbers(count), columnCount: Int(matrix.columns))
        guard let names else { return try sparse.columns() }
        var texts: [String] = []
        texts.reserveCapacity(sparse.columnCount)
        for index in 0..<sparse.columnCount {
            texts.append(try CText.read(StructView.element(names, index), "sparse_names[\(index)]"))
        }
        return try sparse.columns(names: texts)
    }

    private func integers(_ data: UnsafeRawPointer?, _ count: Int, _ member: String) throws(MetaLearnersError)
        -> [Int]
    {
        if matrix.index_dtype == MTLR_INT32 {
            return try read(data, count, member, as: Int32.self) { Int($0) }
        }
        return try read(data, count, member, as: Int64.self) { Int(clamping: $0) }
    }

    private func numbers(_ count: Int) throws(MetaLearnersError) -> [Double] {
        if matrix.dtype == MTLR_FLOAT32 {
            return try read(matrix.values, count, "values", as: Float.self) { Double($0) }
        }
        return try read(matrix.values, count, "values", as: Double.self) { $0 }
    }

    private func read<Stored: BitwiseCopyable, Value>(
        _ data: UnsafeRawPointer?, _ count: Int, _ member: String, as _: Stored.Type,
        _ convert: (Stored) -> Value
    ) throws(MetaLearnersError) -> [Value] {
        guard count > 0 else { return [] }
        guard let data else { throw refusal("\(member) is NULL") }
        let (size, overflow) = count.multipliedReportingOverflow(by: MemoryLayout<Stored>.size)
        let (end, wraps) = UInt(bitPattern: data).addingReportingOverflow(UInt(clamping: size))
        guard !overflow, !wraps, end <= AddressSpace.end else {
            throw refusal("\(count) \(member) are more than memory can hold")
        }
        return [Value](unsafeUninitializedCapacity: count) { buffer, initialized in
            for index in 0..<count {
                let stored = data.loadUnaligned(
                    fromByteOffset: index * MemoryLayout<Stored>.size, as: Stored.self)
                buffer.initializeElement(at: index, to: convert(stored))
            }
            initialized = count
        }
    }

    private func refusal(_ problem: String, _ remedy: String? = nil) -> MetaLearnersError {
        MetaLearnersError(.invalidArgument, at: "sparse matrix", problem, remedy: remedy)
    }
}
