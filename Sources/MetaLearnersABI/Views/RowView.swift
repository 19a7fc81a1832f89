import CMetaLearners
import MetaLearners
import MetaLearnersCore

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// A model prepared for tables of one row, so that serving them allocates nothing.
///
/// Only the plainest calls are answered: a row of just the model's columns, in its order, numbers all of them, without
/// progress and cancellation. All others, wrong ones too, are left to the general path.
struct RowView: Sendable {
    private let predictor: RowPredictor
    private let names: [CText]
    /// Whether the names are those of a matrix without names.
    private let hasMatrixNames: Bool

    /// Columns that there is room for without allocating memory.
    private static let columnLimit = 128

    /// Prepares `model`; nil where it cannot be.
    init?(_ model: CATEModel) throws(MetaLearnersError) {
        guard let predictor = try model.exactRowPredictor(),
            predictor.columnNames.count <= Self.columnLimit
        else {
            return nil
        }
        self.predictor = predictor
        names = try CText.list(predictor.columnNames)
        hasMatrixNames = predictor.columnNames.enumerated().allSatisfy { $1 == "x\($0)" }
    }

    /// Predicts a table of one row; false where the call is not so plain.
    func predict(
        _ effects: UnsafeMutablePointer<Double>?, _ length: Int64, _ table: UnsafePointer<mtlr_table>?,
        _ execution: UnsafePointer<mtlr_execution>?
    ) -> Bool {
        guard let effects, length == Int64(predictor.outputNames.count), let table, isPlain(execution) else {
            return false
        }
        return withUnsafeTemporaryAllocation(of: Double.self, capacity: Self.columnLimit) { row in
            guard let row = row.baseAddress, read(table, to: row) else { return false }
            return withUnsafeTemporaryAllocation(of: Double.self, capacity: predictor.outputNames.count) {
                results in
                guard let results = results.baseAddress else { return false }
                guard predictor.compute(row, to: results) else { return false }
                for arm in 0..<predictor.outputNames.count { Boundary.store(results[arm], at: effects + arm) }
                return true
            }
        }
    }

    private func isPlain(_ pointer: UnsafePointer<mtlr_execution>?) -> Bool {
        guard let pointer else { return true }
        guard UnsafeRawPointer(pointer).loadUnaligned(as: UInt.self) == MemoryLayout<mtlr_execution>.size
        else {
            return false
        }
        let view = UnsafeRawPointer(pointer).loadUnaligned(as: mtlr_execution.self)
        return (0...1024).contains(view.threads) && view.reserved == 0 && view.progress == nil
            && view.cancel_token == nil && view.poll == nil
    }

    /// Reads the numbers of the row; false where the table is any other.
    private func read(_ pointer: UnsafePointer<mtlr_table>, to row: UnsafeMutablePointer<Double>) -> Bool {
        guard UnsafeRawPointer(pointer).loadUnaligned(as: UInt.self) == MemoryLayout<mtlr_table>.size else {
            return false
        }
        let table = UnsafeRawPointer(pointer).loadUnaligned(as: mtlr_table.self)
        guard table.rows == 1, table.sparse == nil, table.arrow == nil, table.validity == nil else {
            return false
        }
        if let matrix = table.matrix {
            guard table.column_count == 0 else { return false }
            return read(StructView.element(matrix, 0), table.matrix_names, to: row)
        }
        guard table.column_count == Int64(names.count), let columns = table.columns else { return false }
        for index in names.indices {
            let column = StructView.element(columns, index)
            guard let name = column.name, strcmp(name, names[index].pointer) == 0, column.levels == nil,
                column.level_count == 0, column.reserved == 0,
                let number = Self.number(column.data, column.dtype)
            else { return false }
            row[index] = number
        }
        return true
    }

    private func read(
        _ matrix: mtlr_matrix, _ matrixNames: UnsafePointer<UnsafePointer<CChar>?>?,
        to row: UnsafeMutablePointer<Double>
    ) -> Bool {
        guard matrix.rows == 1, matrix.columns == Int64(names.count), matrix.reserved == 0,
            let data = matrix.data, let element = StridedValues.Element(rawValue: matrix.dtype),
            matrixNames != nil || hasMatrixNames,
            // Other strides, which might go beyond all memory, are looked at elsewhere.
            (0...(1 << 32)).contains(matrix.column_stride)
        else { return false }
        let step = matrix.column_stride == 0 ? element.size : Int(matrix.column_stride)
        for index in names.indices {
            if let matrixNames {
                guard let name = StructView.element(matrixNames, index),
                    strcmp(name, names[index].pointer) == 0
                else { return false }
            }
            guard let number = Self.number(data + index * step, matrix.dtype) else { return false }
            row[index] = number
        }
        return true
    }

    /// The number at an address, which need not be aligned; nil for NULL and unknown types.
    private static func number(_ address: UnsafeRawPointer?, _ dtype: mtlr_dtype) -> Double? {
        guard let address, let element = StridedValues.Element(rawValue: dtype) else { return nil }
        switch element {
        case .float64: return address.loadUnaligned(as: Double.self)
        case .float32: return Double(address.loadUnaligned(as: Float.self))
        case .int64: return Double(address.loadUnaligned(as: Int64.self))
        case .int32: return Double(address.loadUnaligned(as: Int32.self))
        case .int16: return Double(address.loadUnaligned(as: Int16.self))
        case .int8: return Double(address.loadUnaligned(as: Int8.self))
        case .uint8: return Double(address.loadUnaligned(as: UInt8.self))
        case .uint16: return Double(address.loadUnaligned(as: UInt16.self))
        case .uint32: return Double(address.loadUnaligned(as: UInt32.self))
        case .uint64: return Double(address.loadUnaligned(as: UInt64.self))
        }
    }
}
