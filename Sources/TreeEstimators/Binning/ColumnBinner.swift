import MetaLearnersCore

/// Makes the bins of columns, straight from the caller's memory.
///
/// Rows are read in blocks, all columns of a block before the next block, so that a row-major matrix goes through
/// the cache once.
struct ColumnBinner {
    /// Rows that are looked at to find the edges of a column.
    static let sampleSize = 200_000
    private static let blockRows = 512
    private static let chunkRows = 16_384

    let context: ExecutionContext

    /// The bins of `columns`, in order, with at most `maxBins` of them a column.
    ///
    /// O(rows · columns · log bins) and 1 byte a cell.
    ///
    /// - Throws: `outOfMemory`, `cancelled`.
    func bin(_ columns: [Column], maxBins: Int) throws(MetaLearnersError) -> [BinnedColumn] {
        let rowCount = columns.first?.count ?? 0
        let binnings = try findBinnings(columns, maxBins: maxBins)
        var buffers: [AlignedBuffer<UInt8>] = []
        for _ in columns { buffers.append(try AlignedBuffer(uninitialized: rowCount + 64)) }
        let targets = buffers
        try context.checkCancellation()
        let chunks = (rowCount + Self.chunkRows - 1) / Self.chunkRows
        context.concurrently(chunks) { chunk in
            let end = min(rowCount, (chunk + 1) * Self.chunkRows)
            var first = chunk * Self.chunkRows
            withUnsafeTemporaryAllocation(of: Double.self, capacity: Self.blockRows) { block in
                guard let start = block.baseAddress else { return }
                while first < end {
                    let rows = first..<min(end, first + Self.blockRows)
                    for index in columns.indices {
                        columns[index].values.copy(rows, to: block)
                        binnings[index].map(
                            start, count: rows.count, to: targets[index].base + rows.lowerBound)
                    }
                    first += Self.blockRows
                }
            }
        }
        var occupied = [Int](repeating: 0, count: columns.count)
        occupied.withUnsafeMutableBufferPointer { buffer in
            let occupied = DisjointWrites(buffer)
            context.concurrently(columns.count) { index in
                occupied[index] = Self.occupiedBins(targets[index], count: rowCount)
            }
        }
        return columns.indices.map { index in
            BinnedColumn(
                BinnedColumn.Key(columns[index], maxBins: maxBins), binnings[index], targets[index],
                occupiedBins: occupied[index], memory: columns[index].values.memory)
        }
    }

    private func findBinnings(_ columns: [Column], maxBins: Int) throws(MetaLearnersError) -> [ColumnBinning]
    {
        let sampled = Self.sampleRows(columns.first?.count ?? 0)
        var found = [ColumnBinning?](repeating: nil, count: columns.count)
        found.withUnsafeMutableBufferPointer { buffer in
            let found = DisjointWrites(buffer)
            context.concurrently(columns.count) { index in
                let column = columns[index]
                if let levels = column.levels {
                    let counts = Self.countLevels(column.values, levels: levels.count)
                    found[index] = .categorical(CategoricalBinning(counts: counts, maxBins: maxBins))
                } else {
                    let sample = sampled.map { column.values.doubles($0) } ?? column.values.doubles()
                    found[index] = .numeric(NumericBinning(sample: sample, maxBins: maxBins))
                }
            }
        }
        return found.compactMap(\.self)
    }

    /// One row of each of `sampleSize` equal stretches, the same for every column; nil for all rows.
    private static func sampleRows(_ count: Int) -> [Int32]? {
        guard count > sampleSize else { return nil }
        var stream = RandomStream(seed: 0x4249_4E53)
        return (0..<sampleSize).map { part in
            let first = part * count / sampleSize
            let end = (part + 1) * count / sampleSize
            return Int32(first + stream.integer(below: end - first))
        }
    }

    private static func countLevels(_ codes: StridedValues, levels: Int) -> [Int] {
        var counts = [Int](repeating: 0, count: levels)
        withUnsafeTemporaryAllocation(of: Double.self, capacity: blockRows) { block in
            var first = 0
            while first < codes.count {
                let rows = first..<min(codes.count, first + blockRows)
                codes.copy(rows, to: block)
                for code in block.prefix(rows.count) where code >= 0 && code < Double(levels) {
                    counts[Int(code)] += 1
                }
                first += blockRows
            }
        }
        return counts
    }

    private static func occupiedBins(_ bins: AlignedBuffer<UInt8>, count: Int) -> Int {
        var seen = [Bool](repeating: false, count: 256)
        for row in 0..<count { seen[Int(bins.base[row])] = true }
        return seen.reduce(0) { $0 + ($1 ? 1 : 0) }
    }
}
