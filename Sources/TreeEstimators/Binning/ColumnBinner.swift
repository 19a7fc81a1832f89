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
        return columns.indices.map { index in
            BinnedColumn(
                BinnedColumn.Key(columns[index], limits), binnings[index], targets[index],
                wideBins: wideTargets[index], occupied: occupied[index],
                memory: columns[index].values.memory)
        }
    }

    private func findBinnings(_ columns: [Column], _ limits: BinLimits) throws(MetaLearnersError)
        -> [ColumnBinning]
    {
        let rowCount = columns.first?.count ?? 0
        let sampleSize = Self.sampleSize(limits)
        let isSampled = rowCount > sampleSize
        let weighted = WeightedSample.rows(
            rowWeights, of: rowCount, size: min(sampleSize, Self.drawsPerRow * rowCount))
        let sampled = isSampled ? weighted ?? Self.sampleRows(sampleSize, of: rowCount) : nil
        let numeric = columns.indices.filter { columns[$0].levels == nil }
        var binnings = [ColumnBinning?](repeating: nil, count: columns.count)
        let found = try findEdges(
            numeric.map { columns[$0].values }, sampled, rowCount, maxBins: limits.numbers)
        for (index, found) in zip(numeric, found) { binnings[index] = .numeric(found.binning) }
        if !isSampled, let weighted {
            // All rows are known, and those columns that have more numbers than bins get quantiles by weight.
            let crowded = zip(numeric, found).filter { !$1.isExact }.map(\.0)
            let edges = try findEdges(
                crowded.map { columns[$0].values }, weighted, rowCount, maxBins: limits.numbers)
            for (index, found) in zip(crowded, edges) { binnings[index] = .numeric(found.binning) }
        }
        binnings.withUnsafeMutableBufferPointer { buffer in
            let binnings = DisjointWrites(buffer)
            context.concurrently(columns.count) { index in
                guard let levels = columns[index].levels else { return }
                let counts = Self.countLevels(columns[index].values, levels: levels.count)
                binnings[index] = .categorical(
                    CategoricalBinning(counts: counts, maxLevels: limits.categories))
            }
        }
        return binnings.compactMap(\.self)
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
        let size = sampled?.count ?? rowCount
        let samples = try AlignedBuffer<Double>(
            uninitialized: min(columns.count, Self.columnsAtATime) * size)
        var found = [(binning: NumericBinning, isExact: Bool)?](repeating: nil, count: columns.count)
        for first in stride(from: 0, to: columns.count, by: Self.columnsAtATime) {
            try context.checkCancellation()
            let group = first..<min(columns.count, first + Self.columnsAtATime)
            gather(columns[group], sampled, size, to: samples)
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

    /// One row of each of `size` equal stretches, the same for every column.
    private static func sampleRows(_ size: Int, of count: Int) -> [Int32] {
        var stream = RandomStream(seed: 0x4249_4E53)
        return (0..<size).map { part in
            let first = part * count / size
            let end = (part + 1) * count / size
            return Int32(first + stream.integer(below: end - first))
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
    private static func occupied<Bin: FixedWidthInteger>(
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
    /// `size` rows, ascending, some of them several times: those that equal steps along the running weight, from a
    /// start that is drawn, come to (systematic sampling). O(rows).
    ///
    /// - Returns: nil where all weights are the same or there are none to go by.
    static func rows(_ weights: [Double]?, of count: Int, size: Int) -> [Int32]? {
        guard let weights, weights.count == count, let first = weights.first,
            weights.contains(where: { $0 != first })
        else { return nil }
        let heaviest = weights.reduce(0) { max($0, usable($1)) }
        guard heaviest > 0 else { return nil }
        // As shares of the heaviest, so that they can be added whatever their magnitude is.
        let total = weights.reduce(0) { $0 + usable($1) / heaviest }
        var stream = RandomStream(seed: 0x4249_4E57)
        let step = total / Double(size)
        var next = stream.uniform() * step
        var running = 0.0
        var rows: [Int32] = []
        rows.reserveCapacity(size)
        for row in 0..<count {
            running += usable(weights[row]) / heaviest
            while next < running, rows.count < size {
                rows.append(Int32(row))
                next += step
            }
        }
        return rows.isEmpty ? nil : rows
    }

    /// Rows that no fit may use can have any weight.
    private static func usable(_ weight: Double) -> Double { weight > 0 && weight.isFinite ? weight : 0 }
}
