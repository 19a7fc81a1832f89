import CTreeKernels
import MetaLearnersCore

/// Rows grouped by the leaf they are in.
///
/// Leaves of few rows are stretches of one list that is reordered as they are split. Leaves of many rows may be known by
/// a byte a row instead: vectors pass over bytes and bins faster than a list is read, and only the smaller child's
/// rows, which its histogram needs, are written down.
final class RowList: @unchecked Sendable {  // Belongs to one part of the work at a time.
    private let rows: AlignedBuffer<Int32>
    private let scratch: AlignedBuffer<Int32>
    private var used = 0
    /// Where each leaf starts in the list, nil for leaves known by bytes.
    private var starts: [Int?] = [0]
    private var counts: [Int] = [0]
    private let bytes: LeafBytes?

    /// Leaves with fewer than this part of the rows are lists.
    private static let listedPart = 4

    /// Creates a list that can hold `capacity` rows.
    ///
    /// - Parameter bytes: a byte a row, where leaves of many rows are to be known by them.
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
            return
        }
        source.withUnsafeBufferPointer { buffer in
            if let start = buffer.baseAddress { rows.base.update(from: start, count: buffer.count) }
        }
        starts = [0]
        used = source.count
    }

    /// How many rows are in `leaf`.
    func count(of leaf: Int) -> Int { counts[leaf] }

    /// The rows in `leaf`: those of a list, or all rows where nothing has been split yet.
    func leaf(_ leaf: Int) -> UnsafeBufferPointer<Int32> {
        if let start = starts[leaf] {
            return UnsafeBufferPointer(start: rows.base + start, count: counts[leaf])
        }
        return bytes.map { UnsafeBufferPointer(start: $0.rows.base, count: counts[leaf]) }
            ?? UnsafeBufferPointer(start: nil, count: 0)
    }

    /// Calls `body` with each leaf that is a list and its rows.
    @inline(__always)
    func forEachList(_ body: (_ leaf: Int, _ rows: UnsafeBufferPointer<Int32>) -> Void) {
        for (leaf, start) in starts.enumerated() {
            if let start { body(leaf, UnsafeBufferPointer(start: rows.base + start, count: counts[leaf])) }
        }
    }

    /// Calls `body` with the leaf and the row of each row that is known by its byte only.
    @inline(__always)
    func forEachByte(_ body: (_ leaf: Int, _ row: Int) -> Void) {
        guard let bytes, starts.contains(nil) else { return }
        withUnsafeTemporaryAllocation(of: Bool.self, capacity: 256) { isByte in
            for leaf in 0..<256 {
                isByte.initializeElement(at: leaf, to: leaf < starts.count && starts[leaf] == nil)
            }
            for row in bytes.span {
                let leaf = Int(bytes.leaves.base[row])
                if isByte[leaf] { body(leaf, row) }
            }
        }
    }

    /// Splits `leaf`: rows that `rule` sends right become the leaf with the next number; the order of rows stays.
    ///
    /// The rows of the child with `smallIsRight` are a list afterwards.
    func split(
        _ leaf: Int, by rule: SplitCandidate.Rule, _ bins: UnsafePointer<UInt8>, smallIsRight: Bool
    ) {
        if let start = starts[leaf] {
            splitList(leaf, start, rule, bins)
        } else if let bytes {
            scan(leaf, rule, bins, bytes, smallIsRight)
        }
    }

    private func splitList(
        _ leaf: Int, _ start: Int, _ rule: SplitCandidate.Rule, _ bins: UnsafePointer<UInt8>
    ) {
        let first = rows.base + start
        let count = counts[leaf]
        let left: Int
        switch rule {
        case .ordered(let threshold, let missingRight):
            // Missing values are bin 0; less 1 they are 255 and lie above every threshold.
            let offset: UInt8 = missingRight ? 1 : 0
            left = mtlk_partition(first, count, bins, offset, threshold &- offset, scratch.base)
        case .categories(let set):
            left = set.withWords { mtlk_partition_set(first, count, bins, $0, scratch.base) }
        }
        counts[leaf] = left
        starts.append(start + left)
        counts.append(count - left)
    }

    private func scan(
        _ leaf: Int, _ rule: SplitCandidate.Rule, _ bins: UnsafePointer<UInt8>, _ bytes: LeafBytes,
        _ smallIsRight: Bool
    ) {
        let span = bytes.span
        let first = span.lowerBound
        let new = UInt8(truncatingIfNeeded: starts.count)
        let found: mtlk_counts
        var listsBoth = counts[leaf] * Self.listedPart < span.count
        switch rule {
        case .ordered(let threshold, let missingRight):
            let offset: UInt8 = missingRight ? 1 : 0
            found = mtlk_scan(
                bytes.leaves.base + first, bins + first, span.count, UInt8(truncatingIfNeeded: leaf), new,
                offset,
                threshold &- offset, Int32(truncatingIfNeeded: first),
                listsBoth || !smallIsRight ? rows.base + used : nil,
                listsBoth || smallIsRight ? scratch.base : nil)
        case .categories(let set):
            listsBoth = true
            found = set.withWords { words in
                mtlk_scan_set(
                    bytes.leaves.base + first, bins + first, span.count, UInt8(truncatingIfNeeded: leaf), new,
                    words, Int32(truncatingIfNeeded: first), rows.base + used, scratch.base)
            }
        }
        counts[leaf] = found.left
        counts.append(found.right)
        starts.append(nil)
        if listsBoth || !smallIsRight {
            starts[leaf] = used
            used += found.left
        }
        if listsBoth || smallIsRight {
            (rows.base + used).update(from: scratch.base, count: found.right)
            starts[starts.count - 1] = used
            used += found.right
        }
    }
}
