import MetaLearnersCore

/// Makes the bins of columns, straight from the caller's memory.
///
/// Rows are read in blocks, all columns of a block before the next block, so that a row-major matrix goes through
/// the cache once.
struct ColumnBinner {
    /// Rows that are looked at to find the edges of a column, for each bin: by so many, the rows of a bin are known
    /// to 6 %.
    private static let rowsPerBin = 256
    /// At least and at most so many of them.
    private static let sampleSizes = 65_536...262_144
    /// Draws by weight for each row where there are few: they count to an eighth of the mean weight.
    private static let drawsPerRow = 8
    private static let blockRows = 256
    private static let chunkRows = 16_384

    let context: ExecutionContext
    /// How much each row counts in the quantiles between bins; nil where all count alike.
    var rowWeights: [Double]?
    /// Where the rows stand among those of other processes; nil where there are none.
    var distribution: DistributedRows?

    /// The bins of `columns`, in order, within `limits`.
    ///
    /// O(rows · columns · log bins) and 1 byte per cell, 2 where there are more than 256 bins.
    ///
    /// - Throws: `outOfMemory`, `cancelled`.
    func bin(_ columns: [Column], _ limits: BinLimits) throws(MetaLearnersError) -> [BinnedColumn] {
        let rowCount = columns.first?.count ?? 0
        let binnings = try findBinnings(columns, limits)
        var buffers: [AlignedBuffer<UInt8>] = []
        var wideBuffers: [AlignedBuffer<UInt16>?] = []
        for binning in binnings {
            buffers.append(try AlignedBuffer(uninitialized: binning.isWide ? 0 : rowCount + 64))
            wideBuffers.append(binning.isWide ? try AlignedBuffer(uninitialized: rowCount + 64) : nil)
        }
        let targets = buffers
        let wideTargets = wideBuffers
        try context.checkCancellation()
        let chunks = (rowCount + Self.chunkRows - 1) / Self.chunkRows
        context.concurrently(chunks) { chunk in
            let end = min(rowCount, (chunk + 1) * Self.chunkRows)
            var first = chunk * Self.chunkRows
            while first < end {
                let rows = first..<min(end, first + Self.blockRows)
                for index in columns.indices {
                    let values = columns[index].values
                    if let wide = wideTargets[index] {
                        binnings[index].map(values, .range(rows), toWords: wide.start + rows.lowerBound)
                    } else {
                        binnings[index].map(values, .range(rows), to: targets[index].start + rows.lowerBound)
                    }
                }
                first += Self.blockRows
            }
        }
        var occupied = [[Bool]](repeating: [], count: columns.count)
        occupied.withUnsafeMutableBufferPointer { buffer in
            let occupied = DisjointWrites(buffer)
            context.concurrently(columns.count) { index in
                let binCount = binnings[index].binCount
                occupied[index] =
                    wideTargets[index].map { Self.occupied($0, count: rowCount, binCount) }
                    ?? Self.occupied(targets[index], count: rowCount, binCount)
            }
        }
        if let distribution {
            // A bin is occupied where any process has a row in it.
            let all = try distribution.any(occupied.flatMap(\.self))
            var first = 0
            for index in occupied.indices {
                let end = first + occupied[index].count
                occupied[index] = Array(all[first..<end])
                first = end
            }
        }
        return columns.indices.map { index in
            BinnedColumn(
                BinnedColumn.Key(columns[index], limits, isPart: distribution != nil), binnings[index],
                targets[index],
                wideBins: wideTargets[index], occupied: occupied[index],
                memory: columns[index].values.memory)
        }
    }

    /// The rows that decide the edges of columns of numbers.
    struct EdgeRows {
        /// Those that are looked at; nil for all.
        var looked: [Int32]?
        /// Where all are looked at: those of columns with more numbers than bins, where rows do not count alike.
        var weighted: [Int32]?
    }

    /// The rows that decide the edges: a sample where there are many, in which rows come as often as they count.
    func edgeRows(of rowCount: Int, _ limits: BinLimits) throws(MetaLearnersError) -> EdgeRows {
        let totalRows = distribution?.rowCount ?? rowCount
        let sampleSize = Self.sampleSize(limits)
        let weighted = try WeightedSample.rows(
            rowWeights, of: rowCount, size: min(sampleSize, Self.drawsPerRow * totalRows), distribution)
        guard totalRows > sampleSize else { return EdgeRows(looked: nil, weighted: weighted) }
        return EdgeRows(looked: weighted ?? sampleRows(sampleSize, rowCount), weighted: nil)
    }

    /// The edges of columns of numbers.
    func numericBinnings(_ columns: [StridedValues], _ rows: EdgeRows, _ rowCount: Int, maxBins: Int)
        throws(MetaLearnersError) -> [NumericBinning]
    {
        var found = try findEdges(columns, rows.looked, rowCount, maxBins: maxBins)
        if rows.looked == nil, let weighted = rows.weighted {
            // All rows are known, and those columns that have more numbers than bins get quantiles by weight.
            let crowded = found.indices.filter { !found[$0].isExact }
            let edges = try findEdges(crowded.map { columns[$0] }, weighted, rowCount, maxBins: maxBins)
            for (index, edges) in zip(crowded, edges) { found[index] = edges }
        }
        return found.map(\.binning)
    }

    private func findBinnings(_ columns: [Column], _ limits: BinLimits) throws(MetaLearnersError)
        -> [ColumnBinning]
    {
        let rowCount = columns.first?.count ?? 0
        let numeric = columns.indices.filter { columns[$0].levels == nil }
        var binnings = [ColumnBinning?](repeating: nil, count: columns.count)
        let found = try numericBinnings(
            numeric.map { columns[$0].values }, edgeRows(of: rowCount, limits), rowCount,
            maxBins: limits.numbers)
        for (index, found) in zip(numeric, found) { binnings[index] = .numeric(found) }
        let categorical = columns.indices.filter { columns[$0].levels != nil }
        for (index, counts) in zip(categorical, try levelCounts(categorical.map { columns[$0] })) {
            binnings[index] = .categorical(CategoricalBinning(counts: counts, maxLevels: limits.categories))
        }
        return binnings.compactMap(\.self)
    }

    /// How often each level of some categories occurs, in the rows of all processes.
    private func levelCounts(_ columns: [Column]) throws(MetaLearnersError) -> [[Int]] {
        var counts = [[Int]](repeating: [], count: columns.count)
        counts.withUnsafeMutableBufferPointer { buffer in
            let counts = DisjointWrites(buffer)
            context.concurrently(columns.count) { index in
                counts[index] = Self.countLevels(
                    columns[index].values, levels: columns[index].levels?.count ?? 0)
            }
        }
        guard let distribution, !columns.isEmpty else { return counts }
        var all = try distribution.sum(counts.flatMap(\.self))[...]
        return counts.map { own in
            defer { all = all.dropFirst(own.count) }
            return Array(all.prefix(own.count))
        }
    }

    /// How many rows are looked at where there are more.
    private static func sampleSize(_ limits: BinLimits) -> Int {
        let wanted = limits.numbers.multipliedReportingOverflow(by: rowsPerBin)
        return min(
            max(wanted.overflow ? .max : wanted.partialValue, sampleSizes.lowerBound), sampleSizes.upperBound)
    }

    /// The bytes that the numbers of the rows looked at take, with room to sort them, while edges are found.
    static func sampleBytes(_ features: Table, _ limits: BinLimits) -> Int {
        let columns = min(features.columns.count(where: { $0.levels == nil }), columnsAtATime)
        return 2 * 8 * columns * min(features.rowCount, sampleSize(limits))
    }

    /// Some columns at a time bound the memory of their samples.
    private static let columnsAtATime = 16

    /// The edges of some columns, from the sampled rows or, nil, from all.
    private func findEdges(
        _ columns: [StridedValues], _ sampled: [Int32]?, _ rowCount: Int, maxBins: Int
    ) throws(MetaLearnersError) -> [(binning: NumericBinning, isExact: Bool)] {
        let ownSize = sampled?.count ?? rowCount
        let own = try AlignedBuffer<Double>(
            uninitialized: min(columns.count, Self.columnsAtATime) * ownSize)
        var found = [(binning: NumericBinning, isExact: Bool)?](repeating: nil, count: columns.count)
        for first in stride(from: 0, to: columns.count, by: Self.columnsAtATime) {
            try context.checkCancellation()
            let group = first..<min(columns.count, first + Self.columnsAtATime)
            gather(columns[group], sampled, ownSize, to: own)
            let (samples, size) = try ofAllProcesses(own, columns: group.count, size: ownSize)
            found.withUnsafeMutableBufferPointer { buffer in
                let found = DisjointWrites(buffer)
                context.concurrently(group.count) { position in
                    let sample = UnsafeMutableBufferPointer(
                        start: samples.start + position * size, count: size)
                    withUnsafeTemporaryAllocation(of: Double.self, capacity: max(size, 1)) { aside in
                        guard let aside = aside.baseAddress else { return }
                        found[first + position] = NumericBinning.found(
                            in: sample, aside: aside, maxBins: maxBins)
                    }
                }
            }
        }
        return found.compactMap(\.self)
    }

    /// The samples of all processes, one column after another.
    private func ofAllProcesses(_ own: AlignedBuffer<Double>, columns: Int, size: Int)
        throws(MetaLearnersError) -> (samples: AlignedBuffer<Double>, size: Int)
    {
        guard let distribution else { return (own, size) }
        let bytes = UnsafeRawBufferPointer(UnsafeBufferPointer(start: own.start, count: columns * size))
        let parts = try distribution.gather(Array(bytes))
        let sizes = parts.map { $0.count / (columns * MemoryLayout<Double>.stride) }
        let total = sizes.reduce(0, +)
        let all = try AlignedBuffer<Double>(uninitialized: columns * total)
        var first = 0
        for (part, size) in zip(parts, sizes) {
            part.withUnsafeBytes { bytes in
                let numbers = bytes.bindMemory(to: Double.self)
                guard let start = numbers.baseAddress else { return }
                for column in 0..<columns {
                    (all.start + column * total + first).update(from: start + column * size, count: size)
                }
            }
            first += size
        }
        return (all, total)
    }

    /// Copies `size` rows of some columns, one column after another.
    private func gather(
        _ columns: ArraySlice<StridedValues>, _ sampled: [Int32]?, _ size: Int,
        to samples: AlignedBuffer<Double>
    ) {
        let chunkRows = 4096
        // Side by side for each few rows: a row-major matrix is read once, not once a column.
        context.concurrently((size + chunkRows - 1) / chunkRows) { chunk in
            let end = min(size, (chunk + 1) * chunkRows)
            for first in stride(from: chunk * chunkRows, to: end, by: 64) {
                let part = first..<min(end, first + 64)
                for (position, column) in columns.enumerated() {
                    let target = UnsafeMutableBufferPointer(
                        start: samples.start + position * size + first, count: part.count)
                    if let sampled {
                        sampled.withUnsafeBufferPointer {
                            column.gather(.init(rebasing: $0[part]), to: target)
                        }
                    } else {
                        column.copy(part, to: target)
                    }
                }
            }
        }
    }

    /// One row of each of `size` equal stretches of the rows of all processes, the same for every column: those that are here.
    private func sampleRows(_ size: Int, _ rowCount: Int) -> [Int32] {
        let total = distribution?.rowCount ?? rowCount
        let firstRow = distribution?.firstRow ?? 0
        var stream = RandomStream(seed: 0x4249_4E53)
        return (0..<size).compactMap { part in
            let first = part * total / size
            let end = (part + 1) * total / size
            let row = first + stream.integer(below: end - first) - firstRow
            return (0..<rowCount).contains(row) ? Int32(row) : nil
        }
    }

    private static func countLevels(_ codes: StridedValues, levels: Int) -> [Int] {
        var counts = [Int](repeating: 0, count: levels)
        BlockReader.read(codes, .range(0..<codes.count)) { block, _ in
            for code in block where code >= 0 && code < Double(levels) { counts[Int(code)] += 1 }
        }
        return counts
    }

    /// Which bins some row is in.
    static func occupied<Bin: FixedWidthInteger>(
        _ bins: AlignedBuffer<Bin>, count: Int, _ binCount: Int
    ) -> [Bool] {
        var seen = [Bool](repeating: false, count: max(binCount, ColumnBinning.maximumNarrowBins))
        seen.withUnsafeMutableBufferPointer { seen in
            for row in 0..<count { seen[Int(bins.start[row])] = true }
        }
        return seen
    }
}

/// A sample of rows in which each comes about as often as its weight says, so that quantiles of the sample are those
/// by weight.
enum WeightedSample {
    /// Weights count in shares of the heaviest, of which there are so many: whole numbers add up to the same in any order, and
    /// those of all rows to less than 2⁶².
    private static func shares(_ rowCount: Int) -> Double {
        let bits = Int.bitWidth - rowCount.leadingZeroBitCount
        return Double(1 << max(0, min(28, 62 - bits)))
    }

    /// About `size` rows, ascending, some of them several times: those that equal steps along the running weight, from a
    /// start that is drawn, come to (systematic sampling). Of rows that several processes hold, those of this one. O(rows).
    ///
    /// - Returns: nil where all weights are the same or there are none to go by.
    static func rows(
        _ weights: [Double]?, of count: Int, size: Int, _ distribution: DistributedRows? = nil
    ) throws(MetaLearnersError) -> [Int32]? {
        guard let weights, weights.count == count else { return nil }
        var range = [-Double.infinity, -Double.infinity]
        for weight in weights where usable(weight) >= 0 {
            range = [max(range[0], -usable(weight)), max(range[1], usable(weight))]
        }
        if let distribution { range = try distribution.maximum(range) }
        let heaviest = range[1]
        guard heaviest > 0, -range[0] != heaviest else { return nil }
        let shares = shares(distribution?.rowCount ?? count)
        func share(_ row: Int) -> Int { Int((usable(weights[row]) / heaviest * shares).rounded()) }
        let own = (0..<count).reduce(0) { $0 + share($1) }
        let (before, total) = try distribution?.offsets([own]) ?? ([0], [own])
        var stream = RandomStream(seed: 0x4249_4E57)
        let start = stream.uniform()
        let step = Double(total[0]) / Double(size)
        var running = before[0]
        var next = max(0, Int(Double(running) / step) - 1)
        func place(_ draw: Int) -> Int { Int((Double(draw) + start) * step) }
        while place(next) < running { next += 1 }
        var rows: [Int32] = []
        for row in 0..<count {
            running += share(row)
            while next < size, place(next) < running {
                rows.append(Int32(row))
                next += 1
            }
        }
        return rows
    }

    /// Rows that no fit may use can have any weight.
    private static func usable(_ weight: Double) -> Double { weight > 0 && weight.isFinite ? weight : 0 }
}
