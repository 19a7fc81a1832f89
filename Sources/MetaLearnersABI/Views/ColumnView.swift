import CMetaLearners
import MetaLearnersCore

/// A column in the caller's memory.
struct ColumnView {
    let column: mtlr_column
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
            return Column(name, try numbers.values(copying: use.copies, place))
        }
        guard try !numbers.element(place).isFloatingPoint else {
            throw MetaLearnersError(
                .invalidArgument, at: place, "has levels, and its codes are floating-point numbers",
                remedy: "give codes of an integer type")
        }
        return Column(name, codes: try numbers.values(copying: use.copies, place), levels: levels)
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
