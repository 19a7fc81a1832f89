import CTreeKernels
import MetaLearnersCore

/// Rows grouped by the leaf they are in.
///
/// Leaves of few rows are stretches of one list that is reordered as they are split. Leaves of many rows may be known by
/// one byte per row instead: vectors pass over bytes and bins faster than a list is read, and only the smaller child's
/// rows, which its histogram needs, are written down.
final class RowList: @unchecked Sendable {  // Belongs to one part of the work at a time.
    private let rows: AlignedBuffer<Int32>
    private let scratch: AlignedBuffer<Int32>
    private var used = 0
    /// Where each leaf starts in the list, nil for leaves known by bytes.
    private var starts: [Int?] = [0]
    private var counts: [Int] = [0]
    /// One byte per row, where leaves of many rows are known by them.
    let bytes: LeafBytes?
    /// All rows, where bytes tell their leaves: the list of leaf 0 before it is split.
    private var whole: ArraySlice<Int32> = []

    /// Leaves with fewer than this part of the rows are lists.
    private static let listedPart = 4

    /// Creates a list that can hold `capacity` rows.
    ///
    /// - Parameter bytes: one byte per row, where leaves of many rows are to be known by them.
    /// - Throws: `outOfMemory`.
    init(capacity: Int, bytes: LeafBytes? = nil) throws(MetaLearnersError) {
        rows = try AlignedBuffer(uninitialized: capacity + 64)
        scratch = try AlignedBuffer(uninitialized: capacity + 64)
        self.bytes = bytes
    }

    /// Puts all of `source`, which must not exceed the capacity, into leaf 0.
    func reset(_ source: ArraySlice<Int32>) {
        counts = [source.count]
        if let bytes {
            bytes.reset()
            starts = [nil]
            used = 0
            whole = source
            return
        }
        source.withUnsafeBufferPointer { buffer in
            if let start = buffer.baseAddress { rows.start.update(from: start, count: buffer.count) }
        }
        starts = [0]
        used = source.count
    }

    /// Whether bytes can tell the leaf of every row.
    var hasBytes: Bool { bytes != nil }

    /// How many rows are in `leaf`.
    func count(of leaf: Int) -> Int { counts[leaf] }

    /// Calls `body` with the rows in `leaf`: those of a list, or all rows where nothing has been split yet.
    func withLeaf(_ leaf: Int, _ body: (UnsafeBufferPointer<Int32>) -> Void) {
        if let start = starts[leaf] {
            body(UnsafeBufferPointer(start: rows.start + start, count: counts[leaf]))
        } else if counts.count == 1 {
            whole.withUnsafeBufferPointer(body)
        }
    }

    /// Calls `body` with each leaf that is a list and its rows.
    @inline(__always)
    func forEachList(_ body: (_ leaf: Int, _ rows: UnsafeBufferPointer<Int32>) -> Void) {
        for (leaf, start) in starts.enumerated() {
            if let start { body(leaf, UnsafeBufferPointer(start: rows.start + start, count: counts[leaf])) }
        }
    }

    /// Lets bytes tell the leaf of every row, those of lists too; nil where there are none.
    func markLeaves() -> LeafBytes? {
        guard let bytes else { return nil }
        forEachList { leaf, rows in
            let byte = UInt8(truncatingIfNeeded: leaf)
            for row in rows { bytes.leaves.start[Int(row)] = byte }
        }
        return bytes
    }

    /// Calls `body` with each row and the leaf it is in.
    @inline(__always)
    func forEachRow(_ body: (_ leaf: Int, _ row: Int) -> Void) {
        guard let bytes = markLeaves() else {
            return forEachList { leaf, rows in for row in rows { body(leaf, Int(row)) } }
        }
        for row in bytes.span {
            let leaf = bytes.leaves.start[row]
            if leaf != LeafBytes.outside { body(Int(leaf), row) }
        }
    }

    /// Splits `leaf`: rows that `rule` sends right become the leaf with the next number; the order of rows stays.
    ///
    /// The rows of the child with `smallIsRight` are a list afterwards.
    func split(
        _ leaf: Int, by rule: SplitCandidate.Rule, _ column: BinnedColumn, smallIsRight: Bool
    ) {
        if let start = starts[leaf] {
            splitList(leaf, start, rule, column)
        } else if let bytes {
            scan(leaf, rule, column, bytes, smallIsRight)
        }
    }

    private func splitList(
        _ leaf: Int, _ start: Int, _ rule: SplitCandidate.Rule, _ column: BinnedColumn
    ) {
        let first = rows.start + start
        let count = counts[leaf]
        let aside = scratch.start
        let bins = column.bins.start
        let left: Int
        switch (rule, column.wideBins) {
        // Missing values are bin 0; less 1 they are the highest bin of all and lie above every threshold.
        case (.ordered(let threshold, let missingRight), nil):
            let (offset, limit) = Self.bytes(threshold, missingRight)
            left = mtlk_partition(first, count, bins, offset, limit, aside)
        case (.ordered(let threshold, let missingRight), let wide?):
            let offset: UInt16 = missingRight ? 1 : 0
            left = mtlk_partition_wide(first, count, wide.start, offset, threshold &- offset, nil, aside)
        case (.categories(let set), nil):
            left = set.withWords { mtlk_partition_set(first, count, bins, $0, aside) }
        case (.categories(let set), let wide?):
            left =
                set.withFlags(column.binning.binCount) {
                    mtlk_partition_wide(first, count, wide.start, 0, 0, $0, aside)
                } ?? count
        }
        counts[leaf] = left
        starts.append(start + left)
        counts.append(count - left)
    }

    private static func bytes(_ threshold: UInt16, _ missingRight: Bool) -> (offset: UInt8, limit: UInt8) {
        let offset: UInt8 = missingRight ? 1 : 0
        return (offset, UInt8(truncatingIfNeeded: threshold) &- offset)
    }

    private func scan(
        _ leaf: Int, _ rule: SplitCandidate.Rule, _ column: BinnedColumn, _ bytes: LeafBytes,
        _ smallIsRight: Bool
    ) {
        let span = bytes.span
        let first = span.lowerBound
        let firstRow = Int32(truncatingIfNeeded: first)
        let leaves = bytes.leaves.start + first
        let bins = column.bins.start + (column.wideBins == nil ? first : 0)
        let old = UInt8(truncatingIfNeeded: leaf)
        let new = UInt8(truncatingIfNeeded: starts.count)
        let left = rows.start + used
        var right = scratch.start
        let found: mtlk_counts
        var listsBoth = counts[leaf] * Self.listedPart < span.count
        switch (rule, column.wideBins) {
        case (.ordered(let threshold, let missingRight), nil):
            let (offset, limit) = Self.bytes(threshold, missingRight)
            // Of large leaves, whose rows are many, those that go right are written where they stay.
            if !listsBoth { right = left }
            found = mtlk_scan(
                leaves, bins, span.count, old, new, offset, limit, firstRow,
                listsBoth || !smallIsRight ? left : nil, listsBoth || smallIsRight ? right : nil)
        case (.ordered(let threshold, let missingRight), let wide?):
            listsBoth = true
            let offset: UInt16 = missingRight ? 1 : 0
            found = mtlk_scan_wide(
                leaves, wide.start + first, span.count, old, new, offset, threshold &- offset, nil, firstRow,
                left, right)
        case (.categories(let set), nil):
            listsBoth = true
            found = set.withWords { words in
                mtlk_scan_set(leaves, bins, span.count, old, new, words, firstRow, left, right)
            }
        case (.categories(let set), let wide?):
            listsBoth = true
            found =
                set.withFlags(column.binning.binCount) { flags in
                    mtlk_scan_wide(
                        leaves, wide.start + first, span.count, old, new, 0, 0, flags, firstRow, left, right)
                } ?? mtlk_counts(left: counts[leaf], right: 0)
        }
        counts[leaf] = found.left
        counts.append(found.right)
        starts.append(nil)
        if listsBoth || !smallIsRight {
            starts[leaf] = used
            used += found.left
        }
        if listsBoth || smallIsRight {
            if right == scratch.start { (rows.start + used).update(from: right, count: found.right) }
            starts[starts.count - 1] = used
            used += found.right
        }
    }
}

/// A byte for each of a stretch of rows: the leaf it is in.
final class LeafBytes: @unchecked Sendable {  // Belongs to one part of the work at a time.
    /// The leaf of each row, by its number in the dataset; shared with other parts, which own other rows.
    let leaves: AlignedBuffer<UInt8>
    /// The rows from the first to the last.
    let span: Range<Int>
    /// Whether every row of the span counts.
    let countsAll: Bool
    /// The byte of rows that do not count.
    static let outside: UInt8 = 255
    /// Leaves that bytes can tell apart from that.
    static let maximumLeaves = 255
    private static let leastRows = 4096

    /// Whether the processor has instructions that make bytes worth their while.
    static var isFast: Bool { mtlk_scan_is_fast() != 0 }

    /// Whether bytes serve for rows as dense as these.
    static func serve(_ rows: ArraySlice<Int32>) -> Bool {
        guard let first = rows.first, let last = rows.last, isFast else { return false }
        return rows.count >= leastRows && Int(last - first) < 3 * rows.count
    }

    /// What `values`, one per leaf, are by a row's byte: zero for rows that do not count.
    static func table<Value: AdditiveArithmetic>(_ values: [Value]) -> [Value] {
        values + [Value](repeating: .zero, count: max(0, Int(outside) + 1 - values.count))
    }

    /// Prepares the bytes of `rows`, which are ascending.
    init(_ source: ArraySlice<Int32>, leaves: AlignedBuffer<UInt8>) {
        self.leaves = leaves
        span = Int(source.first ?? 0)..<Int(source.last ?? -1) + 1
        countsAll = span.count == source.count
        let bytes = leaves.start
        (bytes + span.lowerBound).update(repeating: countsAll ? 0 : Self.outside, count: span.count)
        if !countsAll { for row in source { bytes[Int(row)] = 0 } }
    }

    /// Puts every row that counts into leaf 0; no leaf has the byte of the others, who keep it.
    func reset() {
        let target = leaves.start + span.lowerBound
        guard !countsAll else {
            target.update(repeating: 0, count: span.count)
            return
        }
        for row in 0..<span.count { target[row] = target[row] == Self.outside ? Self.outside : 0 }
    }
}

/// The rows that one part of the work looks after.
final class RowShard: Sendable {
    /// Rows that the tree is grown from.
    let active: RowList
    /// Rows of the training set that this tree does not see, and that it must predict.
    let idle: RowList
    /// Rows held out for early stopping.
    let heldOut: RowList

    /// How many rows there are to learn from, active or idle.
    let trainingRows: Int

    /// Creates lists for so many rows.
    ///
    /// - Parameter bytes: one byte per row, where leaves of many rows are to be known by them.
    /// - Throws: `outOfMemory`.
    init(trainingRows: Int, samplesRows: Bool, heldOutRows: Int, bytes: LeafBytes?) throws(MetaLearnersError)
    {
        self.trainingRows = trainingRows
        active = try RowList(capacity: trainingRows, bytes: bytes)
        idle = try RowList(capacity: samplesRows ? trainingRows : 0)
        heldOut = try RowList(capacity: heldOutRows)
    }

    /// Splits a leaf of each list.
    func split(
        _ leaf: Int, by rule: SplitCandidate.Rule, _ column: BinnedColumn, smallIsRight: Bool
    ) {
        for list in [active, idle, heldOut] { list.split(leaf, by: rule, column, smallIsRight: smallIsRight) }
    }
}
