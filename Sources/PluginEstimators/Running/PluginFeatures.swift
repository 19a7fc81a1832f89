import CMetaLearners
import MetaLearnersCore

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// Features as plug-ins see them: numbers as they stand in memory, or copied where they are of a type, an alignment
/// or a code that plug-ins need not know.
final class PluginFeatures: @unchecked Sendable {  // Nothing is written after `init`.
    /// What marks a column of numbers in a list of level counts.
    static let numeric: Int32 = -1

    /// For each column how many levels it has, `numeric` for numbers.
    let levelCounts: [Int32]
    private let values: [StridedValues]
    private let names: [UnsafeMutablePointer<CChar>?]
    private let levels: [UnsafeMutableBufferPointer<UnsafePointer<CChar>?>]
    private let columns: UnsafeMutableBufferPointer<mtlr_plugin_column>
    private let rowCount: Int

    /// Prepares the columns of `table`.
    ///
    /// - Parameter trained: for each column how many levels it had in training, so that no code is beyond; nil for
    ///   training itself.
    init(_ table: Table, trained: [Int32]? = nil) {
        rowCount = table.rowCount
        levelCounts =
            trained ?? table.columns.map { $0.levels.map { Int32(clamping: $0.count) } ?? Self.numeric }
        var values: [StridedValues] = []
        var names: [UnsafeMutablePointer<CChar>?] = []
        var levels: [UnsafeMutableBufferPointer<UnsafePointer<CChar>?>] = []
        columns = .allocate(capacity: table.columns.count)
        columns.initialize(repeating: mtlr_plugin_column())
        for (index, column) in table.columns.enumerated() {
            let count = levelCounts[index]
            let isCategory = count != Self.numeric
            let numbers = isCategory ? Self.codes(column, below: count) : Self.numbers(column)
            let name = column.name.withCString { strdup($0) }
            var view = mtlr_plugin_column()
            view.data = numbers.start
            view.stride = Int64(numbers.stride)
            view.name = UnsafePointer(name)
            if isCategory {
                view.dtype = MTLR_PLUGIN_CODES
                view.level_count = count
                let texts = Self.texts(column.levels ?? [], count: Int(count))
                view.levels = UnsafePointer(texts.baseAddress)
                levels.append(texts)
            } else {
                view.dtype = numbers.element == .float32 ? MTLR_PLUGIN_FLOAT32 : MTLR_PLUGIN_FLOAT64
            }
            columns[index] = view
            values.append(numbers)
            names.append(name)
        }
        self.values = values
        self.names = names
        self.levels = levels
    }

    deinit {
        for name in names { free(name) }
        for list in levels {
            for text in list { free(UnsafeMutablePointer(mutating: text)) }
            list.deallocate()
        }
        columns.deallocate()
    }

    /// Hands the features to a call.
    func withView(_ body: (UnsafePointer<mtlr_plugin_table>) -> Int32) -> Int32 {
        var view = mtlr_plugin_table()
        view.struct_size = MemoryLayout<mtlr_plugin_table>.size
        view.row_count = Int64(rowCount)
        view.column_count = Int64(columns.count)
        view.columns = columns.isEmpty ? nil : UnsafePointer(columns.baseAddress)
        return withExtendedLifetime(self) { withUnsafePointer(to: &view) { body($0) } }
    }

    /// The bytes of the copy that a column needs, 0 where its memory serves.
    static func copiedBytes(_ column: Column) -> Int {
        let values = column.values
        if column.levels != nil {
            return values.element == .int32 && isAligned(values) ? 0 : 4 * values.count
        }
        return values.element.isFloatingPoint && isAligned(values) ? 0 : 8 * values.count
    }

    private static func numbers(_ column: Column) -> StridedValues {
        let values = column.values
        return copiedBytes(column) == 0 ? values : StridedValues(values.doubles())
    }

    private static func codes(_ column: Column, below count: Int32) -> StridedValues {
        let values = column.values
        if values.element == .int32, isAligned(values), let start = values.start {
            var isClean = true
            for row in 0..<values.count {
                let code = (start + row * values.stride).load(as: Int32.self)
                isClean = isClean && code >= -1 && code < count
            }
            if isClean { return values }
        }
        let limit = Double(count)
        return StridedValues(values.doubles().map { $0 >= 0 && $0 < limit ? Int32($0) : -1 })
    }

    private static func isAligned(_ values: StridedValues) -> Bool {
        let size = values.element.size
        guard values.isInMemory else { return false }
        return UInt(bitPattern: values.start).isMultiple(of: UInt(size)) && values.stride.isMultiple(of: size)
    }

    /// `count` texts: those of `levels`, and empty ones where there are fewer.
    private static func texts(_ levels: [String], count: Int) -> UnsafeMutableBufferPointer<
        UnsafePointer<CChar>?
    > {
        let texts = UnsafeMutableBufferPointer<UnsafePointer<CChar>?>.allocate(capacity: max(count, 1))
        texts.initialize(repeating: nil)
        for index in 0..<count {
            let level = index < levels.count ? levels[index] : ""
            texts[index] = UnsafePointer(level.withCString { strdup($0) })
        }
        return texts
    }
}

/// Views of features that are kept in a dataset's cache: one for each set of columns that base learners are fitted to,
/// as roles may have columns of their own.
final class PluginFeatureStore: Sendable {
    private struct ColumnKey: Equatable {
        let name: String
        let levels: [String]?
        let memory: ObjectIdentifier
        let element: StridedValues.Element
        let offset: Int
        let stride: Int

        init(_ column: Column) {
            name = column.name
            levels = column.levels
            memory = ObjectIdentifier(column.values.memory)
            element = column.values.element
            offset = column.values.offset
            stride = column.values.stride
        }
    }

    private struct Entry {
        let key: [ColumnKey]
        /// Keeps the columns' memory, so that its identity is not given to another.
        let table: Table
        let features: PluginFeatures
    }

    /// More sets of columns than this are the mark of columns made for a single fit.
    private static let limit = 8
    /// Last used last.
    private let entries = Lock<[Entry]>([]) { [] }

    /// The view of a table's columns, for training.
    func features(of table: Table) -> PluginFeatures {
        let key = table.columns.map(ColumnKey.init)
        return entries.withLock { entries in
            if let index = entries.firstIndex(where: { $0.table.rowCount == table.rowCount && $0.key == key })
            {
                let entry = entries.remove(at: index)
                entries.append(entry)
                return entry.features
            }
            let features = PluginFeatures(table)
            entries.append(Entry(key: key, table: table, features: features))
            if entries.count > Self.limit { entries.removeFirst() }
            return features
        }
    }
}
