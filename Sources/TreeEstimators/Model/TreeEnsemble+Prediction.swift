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
        let count = rows?.count ?? features.rowCount
        let width = baseScores.count
        let columns = usedFeatures.map { features.columns[$0].values }
        var scores = [Double](repeating: 0, count: count * width)
        var first = 0
        while first < count {
            try context.checkCancellation()
            let slice = first..<min(count, first + Self.sliceRows)
            scores.withUnsafeMutableBufferPointer { buffer in
                let output = DisjointWrites(buffer)
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

    private func score(
        _ columns: [StridedValues], _ rows: [Int32]?, _ range: Range<Int>, _ output: DisjointWrites<Double>
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
                addTrees(bins, part, output)
                first = part.upperBound
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

    /// Adds every tree to the scores of a block, then the base scores.
    private func addTrees(_ bins: UnsafePointer<UInt8>, _ rows: Range<Int>, _ output: DisjointWrites<Double>)
    {
        let width = baseScores.count
        guard let scores = output.pointer(to: rows.lowerBound * width) else { return }
        splits.withUnsafeBufferPointer { splits in
            sets.withUnsafeBufferPointer { sets in
                values.withUnsafeBufferPointer { values in
                    guard let splits = splits.baseAddress, let values = values.baseAddress else { return }
                    let add = rows.count < Int(MTLK_FEW_ROWS) ? mtlk_walk_tree : mtlk_add_tree
                    for tree in trees {
                        add(
                            bins, splits + tree.firstSplit, tree.splitCount, sets.baseAddress,
                            values + tree.firstValue, scores + tree.output, width, rows.count)
                    }
                }
            }
        }
        for row in rows {
            for (place, score) in baseScores.enumerated() {
                output[row * width + place] = score + output[row * width + place] * valueScale
            }
        }
    }
}
