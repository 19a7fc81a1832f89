import MetaLearnersCore

/// Finds the best split of a node by one column at a time.
///
/// The sums of the column's bins are gathered, put side by side without the empty bins, and walked along; the bins
/// are left empty for the next column. O(rows + bins) a column, O(rows) where rows are few.
final class ForestSplitSearch<Sum: ForestSum> {
    private let rules: ForestRules
    /// All zero between two columns.
    private let cells: AlignedBuffer<Sum>
    private let sums: AlignedBuffer<Sum>
    private let bins: AlignedBuffer<UInt8>
    private let order: AlignedBuffer<Int>
    private let keys: AlignedBuffer<Double>
    private var total = Sum.none
    private var parentScore = 0.0
    /// The rows that each side must keep.
    private var leastCount = 0.0
    /// What was found since `start`.
    private(set) var best: ForestSplit?

    /// Gains below this share of the scores they are differences of are rounding errors.
    private static var relativePrecision: Double { 1e-12 }
    /// With so many categories or fewer each is tried against all others.
    private static var oneAgainstRest: Int { 4 }

    init(_ rules: ForestRules) throws(MetaLearnersError) {
        self.rules = rules
        cells = try AlignedBuffer(zeroed: 256)
        sums = try AlignedBuffer(uninitialized: 256)
        bins = try AlignedBuffer(uninitialized: 256)
        order = try AlignedBuffer(uninitialized: 256)
        keys = try AlignedBuffer(uninitialized: 256)
    }

    /// Begins a node whose rows have the sums `total`.
    func start(_ total: Sum) {
        self.total = total
        parentScore = total.score
        leastCount = max(rules.minLeafSize, (rules.minChildShare * total.count).rounded(.up))
        best = nil
    }

    /// Tries the splits by `column`.
    func consider(
        _ column: ForestColumns.Column, feature: Int, _ rows: UnsafeBufferPointer<Int32>,
        _ targets: UnsafePointer<SIMD2<Double>>, _ stream: inout RandomStream
    ) {
        let present = gather(column.bins, column.binCount, rows, targets)
        guard present > 1 else { return }
        switch (column.isCategorical, rules.isExtraRandom) {
        case (false, false): considerOrdered(present, feature)
        case (false, true): considerOneThreshold(present, feature, &stream)
        case (true, false): considerCategories(present, feature)
        case (true, true): considerOneSet(present, feature, &stream)
        }
    }

    /// Puts the bins that hold rows, and their sums, side by side.
    private func gather(
        _ columnBins: UnsafePointer<UInt8>, _ binCount: Int, _ rows: UnsafeBufferPointer<Int32>,
        _ targets: UnsafePointer<SIMD2<Double>>
    ) -> Int {
        let cells = cells.start
        var present = 0
        func take(_ bin: Int) {
            sums.start[present] = cells[bin]
            bins.start[present] = UInt8(truncatingIfNeeded: bin)
            cells[bin] = Sum.none
            present += 1
        }
        if rows.count >= 256 {
            for row in rows { Sum.add(targets[Int(row)], to: cells + Int(columnBins[Int(row)])) }
            for bin in 0..<binCount where cells[bin].count > 0 { take(bin) }
        } else {
            var occupied = CategorySet()
            for row in rows {
                let bin = Int(columnBins[Int(row)])
                Sum.add(targets[Int(row)], to: cells + bin)
                occupied.insert(bin)
            }
            for word in 0..<4 {
                var bits = occupied.words[word]
                while bits != 0 {
                    take(word * 64 + bits.trailingZeroBitCount)
                    bits &= bits &- 1
                }
            }
        }
        return present
    }

    @inline(__always)
    private func consider(_ left: Sum, feature: Int, _ rule: () -> SplitCandidate.Rule) {
        let right = total - left
        guard left.count >= leastCount, right.count >= leastCount, left.hessian > 0,
            right.hessian > 0
        else { return }
        let sum = left.score + right.score
        let gain = sum - parentScore
        // Of gains that rounding alone tells apart the first stays: else the unit of the target would choose.
        guard gain > (best?.gain ?? 0) + sum * Self.relativePrecision else { return }
        best = ForestSplit(gain: gain, feature: feature, rule: rule())
    }

    private func considerOrdered(_ present: Int, _ feature: Int) {
        let hasMissing = bins.start[0] == 0
        let missing = hasMissing ? sums.start[0] : Sum.none
        var left = Sum.none
        for index in (hasMissing ? 1 : 0)..<present {
            left = left + sums.start[index]
            let isLast = index == present - 1
            if isLast && !hasMissing { return }
            considerThreshold(
                threshold(after: index, of: present), left, hasMissing ? missing : nil, isLast: isLast,
                feature)
        }
    }

    /// Halfway between the bins on both sides of a split.
    private func threshold(after index: Int, of present: Int) -> UInt16 {
        let low = Int(bins.start[index])
        return index + 1 < present ? UInt16((low + Int(bins.start[index + 1])) / 2) : UInt16(low)
    }

    private func considerThreshold(
        _ threshold: UInt16, _ left: Sum, _ missing: Sum?, isLast: Bool, _ feature: Int
    ) {
        guard let missing else {
            // Nothing is known of missing values: they follow the majority.
            let missingRight = 2 * left.count < total.count
            return consider(left, feature: feature) {
                .ordered(threshold: threshold, missingRight: missingRight)
            }
        }
        consider(left, feature: feature) { .ordered(threshold: threshold, missingRight: true) }
        if !isLast {
            consider(left + missing, feature: feature) {
                .ordered(threshold: threshold, missingRight: false)
            }
        }
    }

    /// One threshold, each between the lowest and the highest bin of the node equally likely.
    private func considerOneThreshold(_ present: Int, _ feature: Int, _ stream: inout RandomStream) {
        let hasMissing = bins.start[0] == 0
        let first = hasMissing ? 1 : 0
        let low = Int(bins.start[first])
        let high = Int(bins.start[present - 1])
        let threshold = low == high ? low : low + stream.integer(below: high - low)
        var left = Sum.none
        for index in first..<present where Int(bins.start[index]) <= threshold {
            left = left + sums.start[index]
        }
        considerThreshold(
            UInt16(threshold), left, hasMissing ? sums.start[0] : nil, isLast: low == high, feature)
    }

    private func considerCategories(_ present: Int, _ feature: Int) {
        if present <= Self.oneAgainstRest {
            for index in 0..<present {
                let right = sums.start[index]
                consider(total - right, feature: feature) { set([Int(bins.start[index])], right) }
            }
            return
        }
        // With one gradient, sorting by the mean finds the best of all sets (Fisher 1958); with one per class,
        // sorting by the share of each class in turn is the usual substitute.
        var order = UnsafeMutableBufferPointer(start: self.order.start, count: present)
        for lane in 0..<Sum.gradientCount where Sum.gradientCount == 1 || total.gradient(lane) > 0 {
            for index in 0..<present {
                order[index] = index
                let sum = sums.start[index]
                keys.start[index] = sum.hessian > 0 ? sum.gradient(lane) / sum.hessian : 0
            }
            let keys = keys.start
            order.sort { (keys[$0], $0) < (keys[$1], $1) }
            var right = Sum.none
            for length in 1..<present {
                right = right + sums.start[order[length - 1]]
                consider(total - right, feature: feature) {
                    set(order.prefix(length).map { Int(bins.start[$0]) }, right)
                }
            }
        }
    }

    /// One set, each category being in it or not with the same probability.
    private func considerOneSet(_ present: Int, _ feature: Int, _ stream: inout RandomStream) {
        var chosen: [Int] = []
        var right = Sum.none
        for index in 0..<present where stream.next() >> 63 == 1 {
            chosen.append(Int(bins.start[index]))
            right = right + sums.start[index]
        }
        guard !chosen.isEmpty, chosen.count < present else { return }
        consider(total - right, feature: feature) { set(chosen, right) }
    }

    /// The set of `members`; where no missing value was seen, its side is drawn.
    private func set(_ members: [Int], _ right: Sum) -> SplitCandidate.Rule {
        var set = CategorySet()
        for bin in members { set.insert(bin) }
        let salt = right.gradient(0).bitPattern
        // Counts are of rows, and exact.
        if bins.start[0] != 0,
            UnknownCategory.goesRight(Int64(right.count), of: Int64(total.count), salt: salt)
        {
            set.insert(0)
        }
        return .categories(set)
    }
}

/// The best split of a node that was found so far.
struct ForestSplit: Sendable {
    /// Σ_k G_k²/H of the left rows and of the right ones, less that of all.
    var gain: Double
    var feature: Int
    var rule: SplitCandidate.Rule
}

/// The sums of some rows, in lanes: their number, the Hessian, then one gradient or one per class.
///
/// The score of rows that get one value is Σ_k G_k² / H: what the weighted squared error (or the Gini impurity,
/// with the classes' weights as gradients) falls by when they get their best value. Sums are taken in a fixed order
/// by one thread, so that they are the same on every run.
protocol ForestSum: BitwiseCopyable, Sendable {
    /// How many gradients there is room for.
    static var gradientCount: Int { get }
    static var none: Self { get }
    static func + (left: Self, right: Self) -> Self
    static func - (left: Self, right: Self) -> Self
    /// Adds a row to the sums at `cell`.
    static func add(_ row: SIMD2<Double>, to cell: UnsafeMutablePointer<Self>)
    /// Whether two rows would get the same value.
    static func isSameTarget(_ left: SIMD2<Double>, _ right: SIMD2<Double>) -> Bool
    var squares: Double { get }
    subscript(lane: Int) -> Double { get set }
}

extension ForestSum {
    @inline(__always) var count: Double { self[0] }
    @inline(__always) var hessian: Double { self[1] }
    @inline(__always) func gradient(_ index: Int) -> Double { self[2 + index] }

    /// Σ_k G_k² / H.
    @inline(__always) var score: Double {
        let hessian = hessian
        return hessian > 0 ? squares / hessian : 0
    }
}

/// One gradient: rows are (gradient, Hessian). Regression, the residual loss and two classes.
extension SIMD4: ForestSum where Scalar == Double {
    static var gradientCount: Int { 1 }
    static var none: Self { .zero }

    @inline(__always)
    static func add(_ row: SIMD2<Double>, to cell: UnsafeMutablePointer<Self>) {
        cell.pointee += SIMD4(1, row.y, row.x, 0)
    }

    @inline(__always)
    static func isSameTarget(_ left: SIMD2<Double>, _ right: SIMD2<Double>) -> Bool {
        left.x * right.y == right.x * left.y
    }

    @inline(__always) var squares: Double { z * z }
}

/// A gradient a class: rows are (class, weight).
protocol ClassSum: ForestSum, SIMD where Scalar == Double {}

extension ClassSum {
    static var gradientCount: Int { scalarCount - 2 }
    static var none: Self { Self() }

    @inline(__always)
    static func add(_ row: SIMD2<Double>, to cell: UnsafeMutablePointer<Self>) {
        cell.withMemoryRebound(to: Double.self, capacity: scalarCount) { lanes in
            lanes[0] += 1
            lanes[1] += row.y
            lanes[2 + Int(row.x)] += row.y
        }
    }

    @inline(__always)
    static func isSameTarget(_ left: SIMD2<Double>, _ right: SIMD2<Double>) -> Bool { left.x == right.x }
}

extension SIMD8: ClassSum, ForestSum where Scalar == Double {
    @inline(__always) var squares: Double {
        var gradients = self
        gradients[0] = 0
        gradients[1] = 0
        return (gradients * gradients).sum()
    }
}

extension SIMD16: ClassSum, ForestSum where Scalar == Double {
    @inline(__always) var squares: Double {
        var gradients = self
        gradients[0] = 0
        gradients[1] = 0
        return (gradients * gradients).sum()
    }
}

extension SIMD64: ClassSum, ForestSum where Scalar == Double {
    @inline(__always) var squares: Double {
        var gradients = self
        gradients[0] = 0
        gradients[1] = 0
        return (gradients * gradients).sum()
    }
}
