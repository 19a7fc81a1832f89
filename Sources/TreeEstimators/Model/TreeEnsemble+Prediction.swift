import MetaLearnersCore

extension TreeEnsemble {
    /// Rows that go through the trees together.
    private static let blockRows = 256
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
        withUnsafeTemporaryAllocation(of: Double.self, capacity: block) { numbers in
            withUnsafeTemporaryAllocation(of: UInt8.self, capacity: block * (columns.count + 1)) { bytes in
                guard let numbersStart = numbers.baseAddress, let leaves = bytes.baseAddress else { return }
                let bins = leaves + block
                var first = range.lowerBound
                while first < range.upperBound {
                    let part = first..<min(range.upperBound, first + block)
                    for (place, column) in columns.enumerated() {
                        if let rows {
                            rows.withUnsafeBufferPointer {
                                column.gather(.init(rebasing: $0[part]), to: numbers)
                            }
                        } else {
                            column.copy(part, to: numbers)
                        }
                        binnings[place].map(numbersStart, count: part.count, to: bins + place * block)
                    }
                    add(bins, leaves, part, output)
                    first = part.upperBound
                }
            }
        }
    }

    /// Adds the base scores and every tree to the scores of a block.
    private func add(
        _ bins: UnsafePointer<UInt8>, _ leaves: UnsafeMutablePointer<UInt8>, _ rows: Range<Int>,
        _ output: DisjointWrites<Double>
    ) {
        let width = baseScores.count
        for tree in trees {
            leaves.update(repeating: 0, count: rows.count)
            for index in 0..<tree.splitCount {
                let split = splits[tree.firstSplit + index]
                Self.apply(
                    split, to: leaves, bins + Int(split.feature) * Self.blockRows, count: rows.count,
                    newLeaf: UInt8(index + 1))
            }
            for (position, row) in rows.enumerated() {
                output[row * width + tree.output] += Double(values[tree.firstValue + Int(leaves[position])])
            }
        }
        for row in rows {
            for (place, score) in baseScores.enumerated() {
                output[row * width + place] = score + output[row * width + place] * valueScale
            }
        }
    }

    private static func apply(
        _ split: Split, to leaves: UnsafeMutablePointer<UInt8>, _ bins: UnsafePointer<UInt8>, count: Int,
        newLeaf: UInt8
    ) {
        switch split.rule {
        case .ordered(let threshold, let missingRight):
            let offset: UInt8 = missingRight ? 1 : 0
            let limit = threshold &- offset
            for index in 0..<count {
                let goesRight = leaves[index] == split.leaf && bins[index] &- offset > limit
                leaves[index] = goesRight ? newLeaf : leaves[index]
            }
        case .categories(let set):
            for index in 0..<count where leaves[index] == split.leaf && set.contains(bins[index]) {
                leaves[index] = newLeaf
            }
        }
    }
}
