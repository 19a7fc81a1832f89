import MetaLearnersCore

/// How the levels of a category become bins: bin 0 for a missing code or a level that training never saw, a bin
/// for each of the most frequent levels, and one bin for all others where there are more levels than bins.
struct CategoricalBinning: Sendable, Equatable {
    /// The bin of each level.
    let levelBins: [UInt16]
    /// How many bins there are, with bin 0.
    let binCount: Int

    /// Of levels beyond those that bytes tell apart, only these so frequent get a bin of their own: nothing is
    /// learnt from a level of fewer rows that would be worth a longer histogram.
    static let leastRows = 10

    /// Uses bins found elsewhere.
    init(levelBins: [UInt16]) {
        self.levelBins = levelBins
        binCount = Int(levelBins.max() ?? 0) + 1
    }

    /// Gives bins to levels that occur `counts` times, at most `maxLevels` of them.
    init(counts: [Int], maxLevels: Int) {
        let seen = counts.indices.filter { counts[$0] > 0 }
            .sorted { (counts[$0], $1) > (counts[$1], $0) }
        let frequent = seen.count(where: { counts[$0] >= Self.leastRows })
        let alone = min(max(frequent, ColumnBinning.maximumNarrowBins - 2), maxLevels - 1)
        var bins = [UInt16](repeating: 0, count: counts.count)
        for (rank, level) in seen.enumerated() { bins[level] = UInt16(min(rank, alone) + 1) }
        self.init(levelBins: bins)
    }

    /// The bins of the codes of some rows.
    func map<Bin: FixedWidthInteger>(
        _ codes: StridedValues, _ rows: RowSelection, to bins: UnsafeMutablePointer<Bin>
    ) {
        let levels = Double(levelBins.count)
        levelBins.withUnsafeBufferPointer { levelBins in
            BlockReader.read(codes, rows) { block, position in
                for (index, code) in block.enumerated() {
                    let bin = code >= 0 && code < levels ? levelBins[Int(code)] : 0
                    bins[position + index] = Bin(truncatingIfNeeded: bin)
                }
            }
        }
    }
}
