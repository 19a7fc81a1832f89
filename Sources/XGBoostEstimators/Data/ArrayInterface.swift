import MetaLearnersCore

/// NumPy's description of an array in memory, as JSON, which is how XGBoost takes data without copying it.
struct ArrayInterface: Sendable {
    /// The description.
    let json: String

    /// Describes `rows` × `columns` floats, one column after another.
    init(columnMajor start: UnsafePointer<Float>, rows: Int, columns: Int) {
        self.init(start, type: "<f4", rows: rows, columns: columns, strides: (4, 4 * rows))
    }

    /// Describes `rows` × `columns` floats, one row after another.
    init(rowMajor start: UnsafePointer<Float>, rows: Int, columns: Int) {
        self.init(start, type: "<f4", rows: rows, columns: columns, strides: (4 * columns, 4))
    }

    /// Describes the rows `range` of all columns of `table` where they stand, nil where that takes a copy: where
    /// a column is a category (whose missing codes XGBoost does not know), or columns are of different types, of
    /// different memory, or not evenly spaced.
    init?(_ table: Table, rows range: Range<Int>) {
        guard let first = table.columns.first, let start = first.values.start, !range.isEmpty,
            range.lowerBound >= 0, range.upperBound <= table.rowCount
        else { return nil }
        let values = first.values
        let step =
            table.columns.count > 1 ? table.columns[1].values.offset - values.offset : values.element.size
        let size = values.element.size
        guard values.stride > 0, step > 0, values.stride % size == 0, step % size == 0,
            UInt(bitPattern: start) % UInt(size) == 0
        else { return nil }
        for (index, column) in table.columns.enumerated() {
            let other = column.values
            guard column.levels == nil, other.memory === values.memory, other.element == values.element,
                other.stride == values.stride, other.offset == values.offset + index * step
            else { return nil }
        }
        self.init(
            start + range.lowerBound * values.stride, type: Self.type(of: values.element), rows: range.count,
            columns: table.columns.count, strides: (values.stride, step))
    }

    private init(
        _ start: UnsafeRawPointer, type: String, rows: Int, columns: Int, strides: (rows: Int, columns: Int)
    ) {
        json =
            "{\"data\":[\(UInt(bitPattern: start)),true],\"typestr\":\"\(type)\","
            + "\"shape\":[\(rows),\(columns)],\"strides\":[\(strides.rows),\(strides.columns)],\"version\":3}"
    }

    private static func type(of element: StridedValues.Element) -> String {
        switch element {
        case .float64: "<f8"
        case .float32: "<f4"
        case .int64: "<i8"
        case .int32: "<i4"
        case .int16: "<i2"
        case .int8: "|i1"
        case .uint8: "|u1"
        }
    }
}
