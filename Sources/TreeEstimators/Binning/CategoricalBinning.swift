import MetaLearnersCore

/// How the levels of a category become bins: bin 0 for a missing code or a level that training never saw, a bin
/// for each of the most frequent levels, and one bin for all others where there are more levels than bins.
struct CategoricalBinning: Sendable, Equatable {
    /// The bin of each level.
    let levelBins: [UInt8]
    /// How many bins there are, with bin 0.
    let binCount: Int

    /// Uses bins found elsewhere.
    init(levelBins: [UInt8]) {
        self.levelBins = levelBins
        binCount = Int(levelBins.max() ?? 0) + 1
    }

    /// Gives bins to levels that occur `counts` times.
    init(counts: [Int], maxBins: Int) {
        let seen = counts.indices.filter { counts[$0] > 0 }
            .sorted { (counts[$0], $1) > (counts[$1], $0) }
        var bins = [UInt8](repeating: 0, count: counts.count)
        for (rank, level) in seen.enumerated() { bins[level] = UInt8(min(rank, maxBins - 1) + 1) }
        self.init(levelBins: bins)
    }

    /// The bins of the codes of some rows.
    func map(_ codes: StridedValues, _ rows: RowSelection, to bins: UnsafeMutablePointer<UInt8>) {
        let levels = Double(levelBins.count)
        levelBins.withUnsafeBufferPointer { levelBins in
            BlockReader.read(codes, rows) { block, position in
                for (index, code) in block.enumerated() {
                    bins[position + index] = code >= 0 && code < levels ? levelBins[Int(code)] : 0
                }
            }
        }
    }
}
