/// Exact Shapley values of the columns of sums of trees, for many rows (TreeSHAP).
///
/// Work goes tree by tree: tables of what its leaves give for each mask serve every row, so that a row costs a step for each node
/// and one for each leaf and column on the way to it. Where a table would be larger than it is worth, what a leaf gives is
/// computed for each row.
struct TreeShapley: Sendable {
    /// The trees.
    let trees: [ShapleyTree]
    /// How many sums there are.
    let channelCount: Int
    let columnCount: Int
    private let rules: [GaussLegendre]

    /// The longest masks that have tables.
    private static let tableBits = 12
    /// The numbers of tables that are held at a time.
    private static let tableRoom = 1 << 22

    init(_ trees: [ShapleyTree], channels: Int, columns: Int) {
        self.trees = trees
        channelCount = channels
        columnCount = columns
        rules = GaussLegendre.rules(upTo: ShapleyTree.columnLimit / 2)
    }

    /// The expected value of each channel.
    var expectations: [Double] {
        var sums = [Double](repeating: 0, count: channelCount)
        for tree in trees {
            let sum = tree.leaves.reduce(0) { $0 + $1.expectation }
            for channel in sums.indices { sums[channel] += tree.factors[channel] * sum }
        }
        return sums
    }

    /// Adds to `target`, for each row, channel and column, its Shapley value.
    ///
    /// - Throws: `cancelled`, `outOfMemory`.
    func add(
        of matrix: CovariateMatrix, to target: UnsafeMutablePointer<Double>, _ context: ExecutionContext
    ) throws(MetaLearnersError) {
        let target = SharedTarget(start: target)
        let bits = min(
            Self.tableBits, Int.bitWidth - max(matrix.rowCount, 64).leadingZeroBitCount)
        var first = 0
        while first < trees.count {
            var sizes: [Int] = []
            var total = 0
            while first + sizes.count < trees.count {
                let size = LeafTables.size(trees[first + sizes.count], bits: bits)
                if !sizes.isEmpty, total + size > Self.tableRoom { break }
                sizes.append(size)
                total += size
            }
            let group = first..<first + sizes.count
            let offsets = sizes.reduce(into: [0]) { $0.append($0[$0.count - 1] + $1) }
            let room = try AlignedBuffer<Double>(uninitialized: total)
            let start = SharedTarget(start: room.start)
            context.concurrently(group.count) { index in
                LeafTables(trees[group.lowerBound + index], bits: bits, start.start + offsets[index]).fill(
                    rules)
            }
            try context.checkCancellation()
            let blocks = (matrix.rowCount + ShapleyTree.blockRows - 1) / ShapleyTree.blockRows
            context.concurrently(blocks) { block in
                if context.isCancelled { return }
                add(group, offsets, bits, start.start, matrix, block, target.start)
            }
            try context.checkCancellation()
            withExtendedLifetime(room) {}
            first = group.upperBound
        }
    }

    /// Adds what a group of trees gives the rows of a block.
    private func add(
        _ group: Range<Int>, _ offsets: [Int], _ bits: Int, _ room: UnsafeMutablePointer<Double>,
        _ matrix: CovariateMatrix, _ block: Int, _ target: UnsafeMutablePointer<Double>
    ) {
        let size = ShapleyTree.blockRows
        let first = block * size
        let rows = min(size, matrix.rowCount - first)
        let width = channelCount * columnCount
        let nodeCount = trees[group].reduce(1) { max($0, $1.nodeCount) }
        withUnsafeTemporaryAllocation(of: UInt64.self, capacity: nodeCount * size) { masks in
            withUnsafeTemporaryAllocation(of: Double.self, capacity: max(width, 1) * size) { sums in
                withUnsafeTemporaryAllocation(of: Double.self, capacity: ShapleyTree.columnLimit) { own in
                    guard let masks = masks.baseAddress, let sums = sums.baseAddress,
                        let own = own.baseAddress
                    else { return }
                    for index in 0..<width * size { sums[index] = 0 }
                    for (index, place) in group.enumerated() {
                        let tree = trees[place]
                        tree.findMasks(matrix, first, rows, masks)
                        LeafTables(tree, bits: bits, room + offsets[index]).add(
                            masks, rows, to: sums, columnCount: columnCount, rules, own)
                    }
                    for row in 0..<rows {
                        let results = target + (first + row) * width
                        for place in 0..<width { results[place] += sums[place * size + row] }
                    }
                }
            }
        }
    }
}

/// For the leaves of a tree, what each mask gives its columns.
private struct LeafTables {
    private let tree: ShapleyTree
    private let bits: Int
    private let start: UnsafeMutablePointer<Double>

    init(_ tree: ShapleyTree, bits: Int, _ start: UnsafeMutablePointer<Double>) {
        self.tree = tree
        self.bits = bits
        self.start = start
    }

    /// How many numbers the tables of a tree are.
    static func size(_ tree: ShapleyTree, bits: Int) -> Int {
        tree.leaves.reduce(0) { $0 + size($1, bits) }
    }

    private static func size(_ leaf: LeafGame, _ bits: Int) -> Int {
        leaf.columns.count > bits ? 0 : leaf.columns.count << leaf.columns.count
    }

    func fill(_ rules: [GaussLegendre]) {
        var table = start
        for leaf in tree.leaves {
            let size = Self.size(leaf, bits)
            let width = leaf.columns.count
            if size > 0 {
                for mask in 0..<1 << width { leaf.shapley(UInt64(mask), rules, to: table + mask * width) }
            }
            table += size
        }
    }

    /// Adds what the rows get to `sums`: for each channel and column a block of rows.
    func add(
        _ masks: UnsafeMutablePointer<UInt64>, _ rows: Int, to sums: UnsafeMutablePointer<Double>,
        columnCount: Int, _ rules: [GaussLegendre], _ own: UnsafeMutablePointer<Double>
    ) {
        let size = ShapleyTree.blockRows
        var table = start
        tree.forEachLeaf(masks) { index, masks in
            let leaf = tree.leaves[index]
            let width = leaf.columns.count
            let full = leaf.full
            let isTable = width <= bits
            leaf.columns.withUnsafeBufferPointer { columns in
                tree.factors.withUnsafeBufferPointer { factors in
                    for channel in 0..<factors.count where factors[channel] != 0 {
                        let factor = factors[channel]
                        let sums = sums + channel * columnCount * size
                        for row in 0..<rows {
                            let mask = masks[row] & full
                            let values: UnsafeMutablePointer<Double>
                            if isTable {
                                values = table + Int(mask) * width
                            } else {
                                leaf.shapley(mask, rules, to: own)
                                values = own
                            }
                            for place in 0..<width {
                                sums[columns[place] * size + row] += factor * values[place]
                            }
                        }
                    }
                }
            }
            table += Self.size(leaf, bits)
        }
    }
}
