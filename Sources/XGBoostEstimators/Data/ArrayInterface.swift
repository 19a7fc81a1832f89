import MetaLearnersCore

/// NumPy's description of an array in memory, as JSON, which is how XGBoost takes data without copying it.
struct ArrayInterface: Sendable {
    /// The description.
    let json: String

    /// Describes `rows` × `columns` floats, one column after another.
    init(columnMajor start: UnsafePointer<Float>, rows: Int, columns: Int) {
        self.init(start, type: "<f4", rows: rows, columns: columns, strides: (4, 4 * max(rows, 1)))
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
        case .uint16: "<u2"
        case .uint32: "<u4"
        case .uint64: "<u8"
        }
    }
}

/// Which columns are categories, as XGBoost is told.
struct FeatureTypes: Sendable {
    private let names: [String]

    /// The types of columns with so many levels each, 0 for numbers; nil where all are numbers, which is what
    /// XGBoost takes them for.
    init?(levels: [Int]) {
        guard levels.contains(where: { $0 > 0 }) else { return nil }
        names = levels.map { $0 > 0 ? "c" : "float" }
    }

    /// Tells a matrix.
    ///
    /// - Throws: `numericalFailure` where XGBoost refuses.
    func set(on matrix: XGBoostHandle, _ library: XGBoostLibrary) throws(MetaLearnersError) {
        try set(on: matrix, by: library.functions.setTexts, library)
    }

    /// Tells trees, which they need to know only to be written as text.
    ///
    /// - Throws: `numericalFailure` where XGBoost refuses.
    func set(onBooster booster: XGBoostHandle, _ library: XGBoostLibrary) throws(MetaLearnersError) {
        try set(on: booster, by: library.functions.setBoosterTexts, library)
    }

    private func set(
        on handle: XGBoostHandle, by function: XGBoostFunctions.SetTexts, _ library: XGBoostLibrary
    ) throws(MetaLearnersError) {
        // One byte array of all names, each ended by a NUL, keeps the pointers valid without nesting closures.
        var bytes: [CChar] = []
        var offsets: [Int] = []
        for name in names {
            offsets.append(bytes.count)
            bytes += name.utf8.map { CChar(bitPattern: $0) } + [0]
        }
        let status = bytes.withUnsafeBufferPointer { bytes in
            var pointers = offsets.map { offset in bytes.baseAddress.map { $0 + offset } }
            return function(handle, "feature_type", &pointers, UInt64(pointers.count))
        }
        try library.check(status, "take the types of the columns")
    }
}
