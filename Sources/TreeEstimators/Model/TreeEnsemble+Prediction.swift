import CTreeKernels
import MetaLearnersCore

extension TreeEnsemble {
    /// Rows that go through the trees together.
    private static let blockRows = Int(MTLK_BLOCK)
    /// Rows between two looks at whether to stop.
    private static let sliceRows = 1 << 20

    /// The scores of the named rows (nil for all), those of a row side by side.
    ///
    /// Rows are binned in blocks; a byte a row then names its leaf, and each split moves the rows that go right.
    /// O(rows · splits) operations on bytes.
    ///
    /// - Throws: `cancelled`.
    func scores(_ features: Table, rows: [Int32]?, _ context: ExecutionContext)
        throws(MetaLearnersError) -> [Double]
    {
        try scores(features, rows: rows, afterTrees: [trees.count], context)
    }

    /// The scores by the first so many trees, for each of `counts`, which ascend: all rows' for the first of them,
    /// then all rows' for the next.
    ///
    /// - Throws: `cancelled`, `outOfMemory`.
    func scores(_ features: Table, rows: [Int32]?, afterTrees counts: [Int], _ context: ExecutionContext)
        throws(MetaLearnersError) -> [Double]
    {
        let count = rows?.count ?? features.rowCount
        let width = baseScores.count
        let (total, overflow) = (count * width).multipliedReportingOverflow(by: counts.count)
        guard !overflow else { throw MetaLearnersError(.outOfMemory, "there are too many predictions") }
        let columns = usedFeatures.map { features.columns[$0].values }
        var scores = [Double](repeating: 0, count: total)
        var first = 0
        while first < count {
            try context.checkCancellation()
            let slice = first..<min(count, first + Self.sliceRows)
            scores.withUnsafeMutableBufferPointer { buffer in
                let output = StageScores(
                    counts: counts, size: count * width, values: DisjointWrites(buffer))
                let chunkRows = Self.blockRows * 8
                context.concurrently((slice.count + chunkRows - 1) / chunkRows) { chunk in
                    let start = slice.lowerBound + chunk * chunkRows
                    score(columns, rows, start..<min(slice.upperBound, start + chunkRows), output)
                }
            }
            first = slice.upperBound
        }
        return scores
    }

    /// Where the scores of several stages go.
    private struct StageScores {
        /// How many trees each stage has.
        let counts: [Int]
        /// How many numbers each stage has.
        let size: Int
        let values: DisjointWrites<Double>
    }

    private func score(
        _ columns: [StridedValues], _ rows: [Int32]?, _ range: Range<Int>, _ output: StageScores
    ) {
        let block = Self.blockRows
        withUnsafeTemporaryAllocation(of: UInt8.self, capacity: block * max(planeCount, 1)) { bytes in
            bytes.initialize(repeating: 0)
            guard let bins = bytes.baseAddress else { return }
            var first = range.lowerBound
            while first < range.upperBound {
                let part = first..<min(range.upperBound, first + block)
                for (place, column) in columns.enumerated() {
                    let target = bins + planes[place] * block
                    if let rows {
                        rows.withUnsafeBufferPointer { list in
                            bin(column, place, .list(.init(rebasing: list[part])), to: target)
                        }
                    } else {
                        bin(column, place, .range(part), to: target)
                    }
                }
                addStages(bins, part, output)
                first = part.upperBound
            }
        }
    }

    /// Writes the scores of a block after each stage; sums of trees are formed where those of the last stage go.
    private func addStages(_ bins: UnsafePointer<UInt8>, _ rows: Range<Int>, _ output: StageScores) {
        let width = baseScores.count
        let place = rows.lowerBound * width
        guard let sums = output.values.pointer(to: (output.counts.count - 1) * output.size + place) else {
            return
        }
        var added = 0
        for (stage, count) in output.counts.enumerated() {
            addTrees(added..<count, bins, to: sums, rows.count)
            added = count
            guard let scores = output.values.pointer(to: stage * output.size + place) else { return }
            for row in 0..<rows.count {
                for (index, base) in baseScores.enumerated() {
                    scores[row * width + index] = base + sums[row * width + index] * valueScale
                }
            }
        }
    }

    /// Fills the plane of a column, or its two.
    private func bin(
        _ values: StridedValues, _ place: Int, _ rows: RowSelection, to target: UnsafeMutablePointer<UInt8>
    ) {
        guard binnings[place].isWide else { return binnings[place].map(values, rows, to: target) }
        withUnsafeTemporaryAllocation(of: UInt16.self, capacity: Self.blockRows) { words in
            guard let words = words.baseAddress else { return }
            binnings[place].map(values, rows, toWords: words)
            for row in 0..<rows.count {
                target[row] = UInt8(truncatingIfNeeded: words[row])
                target[Self.blockRows + row] = UInt8(truncatingIfNeeded: words[row] >> 8)
            }
        }
    }

    /// Adds the trees of `range` to the scores of a block.
    private func addTrees(
        _ range: Range<Int>, _ bins: UnsafePointer<UInt8>, to scores: UnsafeMutablePointer<Double>,
        _ rowCount: Int
    ) {
        let width = baseScores.count
        splits.withUnsafeBufferPointer { splits in
            sets.withUnsafeBufferPointer { sets in
                values.withUnsafeBufferPointer { values in
                    guard let splits = splits.baseAddress, let values = values.baseAddress else { return }
                    let add = rowCount < Int(MTLK_FEW_ROWS) ? mtlk_walk_tree : mtlk_add_tree
                    for tree in trees[range] {
                        add(
                            bins, splits + tree.firstSplit, tree.splitCount, sets.baseAddress,
                            values + tree.firstValue, scores + tree.output, width, rowCount)
                    }
                }
            }
        }
    }
}
