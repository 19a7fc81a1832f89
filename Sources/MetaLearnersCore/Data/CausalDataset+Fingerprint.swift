extension CausalDataset {
    /// A number that tells this dataset from others: it depends on every value of every column, on their names,
    /// and on the order of the rows.
    ///
    /// - Complexity: O(rows · columns), columns side by side.
    public func fingerprint(_ context: ExecutionContext) -> UInt64 {
        fingerprint(covariates.columns, context)
    }

    /// What the fingerprint would be with the covariates in this order; nil where they are others.
    package func fingerprint(orderedAs names: [String], _ context: ExecutionContext) -> UInt64? {
        let columns = Dictionary(covariates.columns.map { ($0.name, $0) }) { first, _ in first }
        let ordered = names.compactMap { columns[$0] }
        guard ordered.count == names.count, names.count == covariates.columns.count else { return nil }
        return fingerprint(ordered, context)
    }

    private func fingerprint(_ columns: [Column], _ context: ExecutionContext) -> UInt64 {
        let hashes = Lock([UInt64](repeating: 0, count: columns.count))
        context.concurrently(columns.count) { index in
            let hash = Self.hash(columns[index])
            hashes.withLock { $0[index] = hash }
        }
        var hash = UInt64(rowCount)
        for value in hashes.withLock({ $0 }) { hash = Self.mix(hash, value) }
        for row in 0..<rowCount { hash = Self.mix(hash, outcome.numbers[row].bitPattern) }
        for arm in treatment.arms { hash = Self.mix(hash, UInt64(bitPattern: Int64(arm))) }
        for label in treatment.labels { hash = Self.hash(label, hash) }
        for value in weights ?? [] { hash = Self.mix(hash, value.bitPattern) }
        for value in clusters ?? [] { hash = Self.mix(hash, UInt64(bitPattern: Int64(value))) }
        for values in knownPropensities ?? [] {
            for value in values { hash = Self.mix(hash, value.bitPattern) }
        }
        return hash
    }

    /// The fingerprint; of rows that several processes hold, one of them all, which is the same in each.
    package func fingerprintOfAllRows(_ context: ExecutionContext) throws(MetaLearnersError) -> UInt64 {
        let own = fingerprint(context)
        guard let distribution else { return own }
        var writer = BinaryWriter()
        writer.write(own)
        var hash = UInt64(distribution.rowCount)
        for bytes in try distribution.gather(writer.bytes) {
            var reader = BinaryReader(bytes[...])
            hash = Self.mix(hash, try reader.read(UInt64.self))
        }
        return hash
    }

    private static func hash(_ column: Column) -> UInt64 {
        if let coded = column.values.coded { return coded.fingerprint }
        var hash = hash(named: column.name, column.levels)
        if let sparse = column.values.sparse {
            hash = mix(hash, UInt64(column.count))
            sparse.forEach(in: 0..<column.count) { row, value in
                hash = mix(mix(hash, UInt64(row)), value.bitPattern)
            }
            return hash
        }
        return self.hash(column.values, hash)
    }

    /// What a column begins with.
    package static func hash(named name: String, _ levels: [String]?) -> UInt64 {
        (levels ?? []).reduce(hash(name, 0)) { hash($1, $0) }
    }

    /// Goes on with numbers.
    package static func hash(_ values: StridedValues, _ start: UInt64) -> UInt64 {
        var hash = start
        withUnsafeTemporaryAllocation(of: Double.self, capacity: 4096) { block in
            for first in stride(from: 0, to: values.count, by: block.count) {
                let rows = first..<min(first + block.count, values.count)
                values.copy(rows, to: block)
                for index in 0..<rows.count {
                    // All NaNs are the same missing value.
                    let value = block[index]
                    hash = mix(hash, value.isNaN ? Double.nan.bitPattern : value.bitPattern)
                }
            }
        }
        return hash
    }

    private static func hash(_ text: String, _ start: UInt64) -> UInt64 {
        text.utf8.reduce(mix(start, UInt64(text.utf8.count))) { mix($0, UInt64($1)) }
    }

    private static func mix(_ hash: UInt64, _ value: UInt64) -> UInt64 {
        let mixed = (hash ^ value) &* 0x9E37_79B9_7F4A_7C15
        return mixed ^ (mixed >> 29)
    }
}
