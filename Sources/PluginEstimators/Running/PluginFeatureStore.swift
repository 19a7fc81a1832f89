import MetaLearnersCore

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
