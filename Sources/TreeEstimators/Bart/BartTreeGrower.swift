import CTreeKernels
import MetaLearnersCore

/// A tree of a posterior.
struct BartTree {
    /// Splits in the order they were made: the rows of `leaf` that go right become the leaf with the next number.
    var splits: [GrownTree.Split] = []
    /// The value of each leaf that was drawn, and what was expected of it.
    var values: [Double] = [0]
    var means: [Double] = [0]
    /// Of each leaf, in units of the grid.
    var hessians: [Int64] = [0]
}

/// Draws trees from the root, given the residuals of all others (He & Hahn 2021, arXiv 2002.03375): at each node each split has a weight, its
/// marginal likelihood times its prior, and so has to make none.
///
/// Sums are of integers on a grid, so that a tree depends neither on the order of rows nor on which process holds them.
final class BartTreeGrower {
    /// A cell of a histogram: the sum of w·a·r, and below the number of rows in one word that of w·a².
    typealias Cell = SIMD2<Int64>

    /// What a cell sums up.
    private struct Sum {
        let gradient: Int64
        let hessian: Int64
        let count: Int64

        init(_ cell: Cell, _ countShift: Int64) {
            gradient = cell.x
            hessian = cell.y & ((1 &<< countShift) &- 1)
            count = cell.y &>> countShift
        }
    }

    /// How probable splits are before any data are seen, and how small leaves may be.
    struct Prior {
        /// α and β of α(1 + depth)^−β.
        let splitProbability: Double
        let splitDecay: Double
        let leastLeaf: Int64
    }

    /// What the likelihood depends on.
    struct Scale {
        /// The variance of leaf values.
        let leafVariance: Double
        /// What one unit of a gradient and of a Hessian is, divided by the noise's variance.
        let gradient: Double
        let hessian: Double
    }

    /// A way to part the rows of a node.
    private struct Place {
        /// The number of the column among those of the tiles.
        let column: Int32
        let bin: UInt16
        let side: Side
    }

    private enum Side: UInt8 {
        /// Larger bins go right, and missing values with them, with the others, or with the majority where nothing is known of them.
        case missingRight, missingLeft, noneMissing
        /// This bin alone goes right.
        case alone
    }

    private let rows: BartRows
    private let prior: Prior
    private let distribution: DistributedRows?
    /// Gradient and Hessian of each row, by its position; set before a tree is drawn.
    let numbers: AlignedBuffer<SIMD2<Int32>>
    /// The columns that trees may split by.
    private var tiles: BartRows.Tiles
    /// The bits below the count.
    let countShift: Int
    /// The leaf of each row in the tree that was drawn last.
    let leafOfRow: AlignedBuffer<UInt8>
    /// The rows, by leaf.
    private let order: AlignedBuffer<Int32>
    private let spare: AlignedBuffer<Int32>
    /// A histogram for each depth.
    private var histograms: [AlignedBuffer<Cell>] = []
    /// Of each place: the sums of the rows that go left, what the likelihood is the exponential of, and its weight.
    private let gradients: AlignedBuffer<Int64>
    private let hessians: AlignedBuffer<Int64>
    private let exponents: AlignedBuffer<Double>
    private let weights: AlignedBuffer<Double>
    private let places: AlignedBuffer<Place>
    /// Sums of the weights of `MTLK_WEIGHT_BLOCK` places each.
    private let blocks: AlignedBuffer<Double>
    private let mostColumns: Int

    /// Nodes deeper are not split, and neither are trees of more leaves: bytes tell leaves.
    private static let mostDepth = 12
    private static let mostLeaves = 250
    private static let blockSize = Int(MTLK_WEIGHT_BLOCK)

    /// - Throws: `outOfMemory`.
    init(_ rows: BartRows, _ prior: Prior, mostColumns: Int, _ distribution: DistributedRows?)
        throws(MetaLearnersError)
    {
        self.rows = rows
        self.prior = prior
        self.distribution = distribution
        self.mostColumns = min(mostColumns, rows.columns.count)
        let total = try distribution?.sum(rows.count) ?? rows.count
        countShift = 63 - (Int.bitWidth - total.leadingZeroBitCount)
        numbers = try AlignedBuffer(uninitialized: rows.count)
        tiles = try rows.tiles([])
        leafOfRow = try AlignedBuffer(uninitialized: rows.count)
        order = try AlignedBuffer(uninitialized: rows.count)
        spare = try AlignedBuffer(uninitialized: rows.count)
        // Each bin is a place, twice where values are missing.
        let most = 2 * BartRows.cellStride * self.mostColumns
        gradients = try AlignedBuffer(uninitialized: most)
        hessians = try AlignedBuffer(uninitialized: most)
        exponents = try AlignedBuffer(uninitialized: most)
        weights = try AlignedBuffer(uninitialized: most)
        places = try AlignedBuffer(uninitialized: most)
        blocks = try AlignedBuffer(uninitialized: most / Self.blockSize + 1)
    }

    /// Chooses the columns that trees may split by, `mostColumns` at most.
    ///
    /// - Throws: `outOfMemory`.
    func choose(_ columns: [Int]) throws(MetaLearnersError) {
        if columns != tiles.columns { tiles = try rows.tiles(columns) }
    }

    /// Draws a tree of the rows of `numbers`; afterwards `leafOfRow` tells its leaves.
    func grow(_ scale: Scale, _ stream: inout RandomStream) throws(MetaLearnersError) -> BartTree {
        for position in 0..<rows.count { order.start[position] = Int32(position) }
        var tree = BartTree()
        let root = try histogram(0..<rows.count, depth: 0)
        var sum = Cell.zero
        if let first = tiles.columns.first {
            for bin in 0..<rows.columns[first].binCount { sum &+= root[bin] }
        } else {
            for position in 0..<rows.count {
                let row = numbers.start[position]
                sum &+= Cell(Int64(row.x), Int64(row.y) &+ 1 &<< Int64(countShift))
            }
            if let distribution {
                let words = try distribution.sum([sum.x, sum.y])
                sum = Cell(words[0], words[1])
            }
        }
        try grow(0, 0..<rows.count, sum, depth: 0, root, scale, &tree, &stream)
        // (Processors may round logarithms differently.)
        tree.values = try distribution.agreed(tree.values)
        return tree
    }

    /// Splits a leaf or draws its value.
    private func grow(
        _ leaf: Int, _ range: Range<Int>, _ cell: Cell, depth: Int, _ histogram: UnsafeMutablePointer<Cell>,
        _ scale: Scale, _ tree: inout BartTree, _ stream: inout RandomStream
    ) throws(MetaLearnersError) {
        let sum = Sum(cell, Int64(countShift))
        guard depth < Self.mostDepth, tree.values.count < Self.mostLeaves, sum.count / 2 >= prior.leastLeaf,
            let chosen = try draw(cell, depth, histogram, scale, &stream)
        else {
            let precision = 1 / scale.leafVariance + Double(sum.hessian) * scale.hessian
            let mean = Double(sum.gradient) * scale.gradient / precision
            tree.means[leaf] = mean
            tree.values[leaf] = mean + stream.standardNormal() / precision.squareRoot()
            tree.hessians[leaf] = sum.hessian
            for place in range { leafOfRow.start[Int(order.start[place])] = UInt8(leaf) }
            return
        }
        let column = tiles.columns[Int(chosen.place.column)]
        let (left, rule) = outcome(chosen.place, cell, histogram)
        let right = cell &- left
        tree.splits.append(
            GrownTree.Split(
                leaf: leaf,
                candidate: SplitCandidate(
                    gain: chosen.gain, feature: rows.columns[column].feature, rule: rule,
                    left: GradientTotals())))
        let new = tree.values.count
        tree.values.append(0)
        tree.means.append(0)
        tree.hessians.append(0)
        let middle = part(range, by: rule, column: column)
        let sides = [range.lowerBound..<middle, middle..<range.upperBound]
        let smallIsRight = right.y &>> Int64(countShift) < left.y &>> Int64(countShift)
        let small = try self.histogram(sides[smallIsRight ? 1 : 0], depth: depth + 1)
        eachCell { histogram[$0] &-= small[$0] }
        // The parent's histogram is what is left of it: that of the large child.
        try grow(
            leaf, sides[0], left, depth: depth + 1, smallIsRight ? histogram : small, scale, &tree, &stream)
        try grow(
            new, sides[1], right, depth: depth + 1, smallIsRight ? small : histogram, scale, &tree, &stream)
    }

    /// Calls `body` with the place of each cell of a histogram that is used.
    @inline(__always)
    private func eachCell(_ body: (Int) -> Void) {
        for (index, column) in tiles.columns.enumerated() {
            let first = index * BartRows.cellStride
            for cell in first..<first + rows.columns[column].binCount { body(cell) }
        }
    }

    /// The histogram of some rows, in all processes.
    private func histogram(_ range: Range<Int>, depth: Int) throws(MetaLearnersError)
        -> UnsafeMutablePointer<Cell>
    {
        while histograms.count <= depth {
            histograms.append(try AlignedBuffer(uninitialized: mostColumns * BartRows.cellStride))
        }
        let target = histograms[depth].start
        eachCell { target[$0] = .zero }
        rows.count(
            UnsafeBufferPointer(start: order.start + range.lowerBound, count: range.count), tiles,
            UnsafeRawPointer(numbers.start).assumingMemoryBound(to: Int32.self),
            one: 1 &<< Int64(countShift), into: target)
        guard let distribution else { return target }
        var words: [Int64] = []
        eachCell { words += [target[$0].x, target[$0].y] }
        words = try distribution.sum(words)
        var next = 0
        eachCell { cell in
            target[cell] = Cell(words[next], words[next + 1])
            next += 2
        }
        return target
    }

    /// Draws a split, nil for none.
    private func draw(
        _ cell: Cell, _ depth: Int, _ histogram: UnsafeMutablePointer<Cell>, _ scale: Scale,
        _ stream: inout RandomStream
    ) throws(MetaLearnersError) -> (place: Place, gain: Double)? {
        let total = Sum(cell, Int64(countShift))
        let variance = scale.leafVariance
        var node = mtlk_posterior(
            gradient: total.gradient, hessian: total.hessian,
            gradient_unit: (0.5 * variance).squareRoot() * scale.gradient,
            hessian_unit: variance * scale.hessian)
        let wholeDeterminant = 1 + node.hessian_unit * Double(total.hessian)
        let wholeGradient = node.gradient_unit * Double(total.gradient)
        let none = wholeGradient * wholeGradient / wholeDeterminant
        var count = 0
        var columns = 0
        var largest = none
        for index in tiles.columns.indices {
            let first = count
            count = places(ofColumn: index, from: first, cell, histogram)
            guard count > first else { continue }
            // Each column is as probable as any other, and so is each of its places.
            let places = Double(count - first)
            columns += 1
            largest = max(
                largest,
                mtlk_split_exponents(
                    gradients.start + first, hessians.start + first, count - first, &node, places * places,
                    exponents.start + first, weights.start + first))
        }
        guard count > 0 else { return nil }
        // In C: exponents, exponentials and roots of all splits were the largest part of a fit of `bart` in plain Swift. By vectors a fit takes
        // about 0.6 of the time.
        mtlk_split_weights(exponents.start, weights.start, count, largest, blocks.start)
        // (1 + d)^β / α − 1: how much more probable no split is than any.
        let odds = Double.exp(prior.splitDecay * Double.log(Double(1 + depth))) / prior.splitProbability - 1
        let ofNone = odds * Double(columns) * Double.exp(none - largest) / wholeDeterminant.squareRoot()
        var sum = ofNone
        let blockCount = (count + Self.blockSize - 1) / Self.blockSize
        for block in 0..<blockCount { sum += blocks.start[block] }
        var chosen = chosenPlace(stream.uniform() * sum - ofNone, count)
        // (Processors may round exponentials differently.)
        if let distribution { chosen = Int(try distribution.agreed([Double(chosen)])[0]) }
        return chosen < 0 ? nil : (places.start[chosen], max(exponents.start[chosen] - none, 0))
    }

    /// Lists the ways to part a node by a column: sums of the rows that go left, from place `first` on.
    ///
    /// - Returns: the number of the place behind them.
    private func places(
        ofColumn index: Int, from first: Int, _ cell: Cell, _ histogram: UnsafeMutablePointer<Cell>
    ) -> Int {
        let (gradients, hessians, places) = (gradients.start, hessians.start, places.start)
        let shift = Int64(countShift)
        let mask: Int64 = (1 &<< shift) &- 1
        let total = cell.y &>> shift
        let least = prior.leastLeaf
        let own = histogram + index * BartRows.cellStride
        let column = rows.columns[tiles.columns[index]]
        let binCount = column.binCount
        var count = first
        @inline(__always) func consider(_ left: Cell, _ bin: Int, _ side: Side) {
            let rows = left.y &>> shift
            guard rows >= least, total &- rows >= least else { return }
            gradients[count] = left.x
            hessians[count] = left.y & mask
            places[count] = Place(column: Int32(truncatingIfNeeded: index), bin: UInt16(bin), side: side)
            count += 1
        }
        if column.isCategorical {
            for bin in 0..<binCount where own[bin].y &>> shift >= least {
                consider(cell &- own[bin], bin, .alone)
            }
            return count
        }
        let missing = own[0]
        var below = Cell.zero
        if missing.y == 0 {
            // The last bin has nothing to be parted from.
            for bin in 1..<max(binCount - 1, 1) where own[bin].y > 0 {
                below &+= own[bin]
                consider(below, bin, .noneMissing)
            }
            return count
        }
        for bin in 1..<max(binCount, 1) where own[bin].y > 0 {
            below &+= own[bin]
            consider(below, bin, .missingRight)
            if (below &+ missing).y &>> shift < total { consider(below &+ missing, bin, .missingLeft) }
        }
        return count
    }

    /// The place at which weights, added up, exceed a number; −1 for one below 0.
    private func chosenPlace(_ number: Double, _ count: Int) -> Int {
        guard number >= 0 else { return -1 }
        var left = number
        var block = 0
        let last = (count - 1) / Self.blockSize
        while block < last, left >= blocks.start[block] {
            left -= blocks.start[block]
            block += 1
        }
        // What rounding leaves over goes to the last place that has a weight.
        var chosen = -1
        for place in block * Self.blockSize..<count where weights.start[place] > 0 {
            chosen = place
            left -= weights.start[place]
            if left < 0 { return place }
        }
        if chosen < 0 { chosen = (0..<count).last { weights.start[$0] > 0 } ?? -1 }
        return chosen
    }

    /// The sums of the rows that go left, and what decides the side of a row.
    private func outcome(_ place: Place, _ sum: Cell, _ histogram: UnsafeMutablePointer<Cell>) -> (
        left: Cell, rule: SplitCandidate.Rule
    ) {
        let own = histogram + Int(place.column) * BartRows.cellStride
        let bin = Int(place.bin)
        if place.side == .alone {
            var set = CategorySet()
            set.insert(bin)
            return (sum &- own[bin], .categories(set))
        }
        var left = Cell.zero
        for bin in 1...bin { left &+= own[bin] }
        let missingRight: Bool
        switch place.side {
        case .missingLeft:
            left &+= own[0]
            missingRight = false
        // Where nothing is known of missing values, they follow the majority.
        case .noneMissing: missingRight = 2 * (left.y &>> Int64(countShift)) < sum.y &>> Int64(countShift)
        case .missingRight, .alone: missingRight = true
        }
        return (left, .ordered(threshold: place.bin, missingRight: missingRight))
    }

    /// Puts the rows that go right behind the others, each side in the order that it was in.
    ///
    /// - Returns: where they begin.
    private func part(_ range: Range<Int>, by rule: SplitCandidate.Rule, column: Int) -> Int {
        let bins = rows.bins(ofColumn: column)
        let order = order.start
        let spare = spare.start
        var kept = range.lowerBound
        var moved = 0
        @inline(__always) func put(_ position: Int32, right: Bool) {
            // Without a branch: both are written, and one counts.
            order[kept] = position
            spare[moved] = position
            kept += right ? 0 : 1
            moved += right ? 1 : 0
        }
        switch rule {
        case .ordered(let threshold, let missingRight):
            for place in range {
                let position = order[place]
                let bin = bins[Int(position)]
                put(position, right: bin == 0 ? missingRight : bin > threshold)
            }
        case .categories(let set):
            for place in range {
                let position = order[place]
                put(position, right: set.contains(Int(bins[Int(position)])))
            }
        }
        (order + kept).update(from: spare, count: moved)
        return kept
    }
}
