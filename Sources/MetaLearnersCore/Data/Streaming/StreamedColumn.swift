/// What the first reading of the rows keeps of one of their columns.
///
/// A class, so that columns can be read side by side.
final class StreamedColumn: @unchecked Sendable {  // One thread at a time has a column.
    /// What the column is for.
    enum Use {
        /// Treatment, outcome and the like: kept as it is.
        case role
        /// Numbers to learn from, of which nothing is kept.
        case numbers
        /// A category to learn from.
        case category
        /// Numbers that are read as a category.
        case numericCategory
        case unused
    }

    let name: String
    let use: Use
    let isText: Bool
    /// Of the numbers of a covariate that have an outcome, what they add to the fingerprint; of others what tells them from others.
    private(set) var hash: UInt64
    private(set) var levels: StreamedLevels
    private var parts: [StridedValues] = []
    private(set) var failure: MetaLearnersError?

    init(_ name: String, _ use: Use, isText: Bool) {
        self.name = name
        self.use = use
        self.isText = isText
        levels = StreamedLevels(limit: use == .role ? nil : StreamedLevels.mostLevels)
        hash = use == .numbers ? CausalDataset.hash(named: name, nil) : 0
    }

    private var place: String { "column '\(name)'" }

    /// Reads a batch.
    ///
    /// - Parameters:
    ///   - column: the numbers, missing ones marked as such; codes as they are.
    ///   - kept: which rows of the batch have an outcome; nil for all.
    func add(_ column: Column, keeping kept: [Int32]?, _ places: RowPlaces) {
        guard failure == nil else { return }
        do throws(MetaLearnersError) {
            switch use {
            case .unused: return
            case .numbers: try addNumbers(column.values, kept, places)
            case .role where !isText:
                hash = CausalDataset.hash(column.values, hash)
                parts.append(try column.values.compacted())
            case .role, .category, .numericCategory:
                try column.requireCodesWithinLevels(places)
                try addCodes(column.asCategorical(), kept)
            }
        } catch {
            failure = error
        }
    }

    private func addNumbers(_ values: StridedValues, _ kept: [Int32]?, _ places: RowPlaces)
        throws(MetaLearnersError)
    {
        let values = kept.map(values.selecting) ?? values
        hash = CausalDataset.hash(values, hash)
        guard values.element.isFloatingPoint, let row = values.firstInfinite() else { return }
        throw MetaLearnersError(
            .invalidData, at: place,
            "a value is infinite: that of \(places.name(kept.map { Int($0[row]) } ?? row))",
            remedy: "leave it empty (missing) or replace it")
    }

    private func addCodes(_ column: Column, _ kept: [Int32]?) throws(MetaLearnersError) {
        guard let own = column.levels, let codes = column.codes() else { return }
        let registered = try levels.register(own, of: name)
        var isKept = [Bool](repeating: kept == nil, count: codes.count)
        for row in kept ?? [] { isKept[Int(row)] = true }
        let all = codes.map { $0 < 0 ? -1 : registered[Int($0)] }
        for (row, code) in all.enumerated() where code >= 0 { levels.count(code, isKept: isKept[row]) }
        let values = StridedValues(all)
        hash = CausalDataset.hash(values, hash)
        if use == .role { parts.append(try values.compacted()) }
    }

    /// The column of all rows, of treatment, outcome and the like; nothing is left here then.
    ///
    /// - Throws: `outOfMemory`.
    func take() throws(MetaLearnersError) -> Column {
        defer { parts = [] }
        let values = try StridedValues.joined(compacted: parts)
        guard isText else { return Column(name, values) }
        let order = levels.order
        var codes = [Int32](repeating: -1, count: order.count)
        for (code, level) in order.enumerated() { codes[level] = Int32(code) }
        let isInOrder = codes.enumerated().allSatisfy { $0 == Int($1) }
        return Column(
            name,
            codes: isInOrder
                ? values : StridedValues(values.doubles().map { $0 < 0 ? -1 : codes[Int($0)] }),
            levels: order.map { levels.texts[$0] })
    }
}

extension StridedValues {
    /// The first row whose number is infinite; nil where there is none.
    fileprivate func firstInfinite() -> Int? {
        withUnsafeTemporaryAllocation(of: Double.self, capacity: 4096) { block in
            for first in Swift.stride(from: 0, to: count, by: block.count) {
                let rows = first..<min(first + block.count, count)
                copy(rows, to: block)
                for index in 0..<rows.count where block[index].isInfinite { return first + index }
            }
            return nil
        }
    }

    /// A copy in bytes where all numbers are integers that fit into one, else of the same type.
    ///
    /// - Throws: `outOfMemory`.
    fileprivate func compacted() throws(MetaLearnersError) -> StridedValues {
        // (Beside integers of 64 bits without a sign nothing else would hold them all.)
        guard element != .uint64 else { return try Self.joined([self], element) }
        let numbers = doubles()
        let memory = try ColumnMemory(count: count, of: Int8.self) { target in
            for (row, number) in numbers.enumerated() { target[row] = Int8(exactly: number) ?? 0 }
        }
        let isExact = numbers.allSatisfy { number in
            Int8(exactly: number) != nil && !(number == 0 && number.sign == .minus)
        }
        if isExact { return try StridedValues(memory, element: .int8, count: count, stride: 1) }
        return try Self.joined([self], element)
    }

    /// The numbers of several columns, one after another, of the type that holds them all.
    ///
    /// - Throws: `outOfMemory`.
    fileprivate static func joined(compacted parts: [StridedValues]) throws(MetaLearnersError)
        -> StridedValues
    {
        let elements = Set(parts.map(\.element))
        if parts.count == 1 { return parts[0] }
        if elements.count < 2 { return try joined(parts, elements.first ?? .float64) }
        // Bytes beside integers of 64 bits become such: a double would not tell all of them apart.
        if elements.subtracting([.int8]) == [.int64] {
            let count = parts.reduce(0) { $0 + $1.count }
            let memory = try ColumnMemory(count: count, of: Int64.self) { target in
                var next = 0
                for part in parts {
                    for integer in part.element == .int64
                        ? part.integers() ?? [] : part.doubles().map(Int128.init)
                    {
                        target[next] = Int64(truncatingIfNeeded: integer)
                        next += 1
                    }
                }
            }
            return try StridedValues(memory, element: .int64, count: count, stride: 8)
        }
        return try joined(parts, masks: parts.map { _ in { _ in true } }, "column")
    }
}
