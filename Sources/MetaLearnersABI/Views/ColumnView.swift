import CMetaLearners
import MetaLearnersCore

/// A column in the caller's memory.
struct ColumnView {
    let column: mtlr_column
    /// A bit for each value that is there; nil where all are.
    let validity: UnsafePointer<UInt8>?
    let position: Int
    let rows: Int

    /// The column, checked.
    ///
    /// - Throws: `invalidArgument`, naming the column, for anything that is no column.
    func read(for use: TableUse) throws(MetaLearnersError) -> Column {
        let name = try CText.read(column.name, "columns[\(position)].name")
        let place = "column '\(name)'"
        guard column.reserved == 0 else {
            throw MetaLearnersError(.invalidArgument, at: place, "reserved is \(column.reserved), must be 0")
        }
        let numbers = NumbersView(data: column.data, dtype: column.dtype, rows: rows, stride: column.stride)
        guard let levels = try levels(place, use) else {
            return Column(name, try values(numbers, place, use))
        }
        guard try !numbers.element(place).isFloatingPoint else {
            throw MetaLearnersError(
                .invalidArgument, at: place, "has levels, and its codes are floating-point numbers",
                remedy: "give codes of an integer type")
        }
        guard let validity = missing else {
            return Column(name, codes: try numbers.values(copying: use.copies, place), levels: levels)
        }
        let codes = try numbers.values(copying: false, place).doubles().enumerated().map { row, code in
            ArrowChunk.bit(validity, row) && code >= 0 ? Int32(exactly: code) ?? .max : -1
        }
        return Column(name, codes: StridedValues(codes), levels: levels)
    }

    /// The validity of a column that has missing values.
    private var missing: UnsafePointer<UInt8>? {
        validity.flatMap { bits in (0..<rows).allSatisfy { ArrowChunk.bit(bits, $0) } ? nil : bits }
    }

    /// The numbers; doubles where some are missing.
    private func values(_ numbers: NumbersView, _ place: String, _ use: TableUse) throws(MetaLearnersError)
        -> StridedValues
    {
        guard let validity = missing else { return try numbers.values(copying: use.copies, place) }
        let all = try numbers.values(copying: false, place)
        return try StridedValues.joined([all], masks: [{ ArrowChunk.bit(validity, $0) }], place)
    }

    private func levels(_ place: String, _ use: TableUse) throws(MetaLearnersError) -> [String]? {
        let count = column.level_count
        guard let pointers = column.levels else {
            guard count == 0 else {
                throw MetaLearnersError(
                    .invalidArgument, at: place, "level_count is \(count) and levels is NULL")
            }
            return nil
        }
        guard count >= 0, count <= Int64(Int32.max) else {
            throw MetaLearnersError(.invalidArgument, at: place, "level_count is \(count)")
        }
        var levels: [String] = []
        for index in 0..<Int(count) {
            levels.append(try CText.read(StructView.element(pointers, index), "\(place), levels[\(index)]"))
        }
        if use.refusesRepeatedLevels, Set(levels).count < levels.count {
            throw MetaLearnersError(
                .invalidArgument, at: place, "has a level that occurs twice", remedy: "merge the two")
        }
        return levels
    }
}
