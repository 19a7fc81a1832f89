import CTreeKernels
import MetaLearnersCore

/// Rows grouped by the leaf they are in, in one piece of memory that is reordered as leaves are split.
final class RowList: @unchecked Sendable {  // Belongs to one part of the work at a time.
    private let rows: AlignedBuffer<Int32>
    private let scratch: AlignedBuffer<Int32>
    private var starts: [Int] = [0]
    private var counts: [Int] = [0]

    /// Creates a list that can hold `capacity` rows.
    init(capacity: Int) throws(MetaLearnersError) {
        rows = try AlignedBuffer(uninitialized: capacity + 64)
        scratch = try AlignedBuffer(uninitialized: capacity + 64)
    }

    /// Puts all of `source`, which must not exceed the capacity, into leaf 0.
    func reset(_ source: ArraySlice<Int32>) {
        source.withUnsafeBufferPointer { buffer in
            if let start = buffer.baseAddress { rows.base.update(from: start, count: buffer.count) }
        }
        starts = [0]
        counts = [source.count]
    }

    /// The rows in `leaf`.
    func leaf(_ leaf: Int) -> UnsafeBufferPointer<Int32> {
        UnsafeBufferPointer(start: rows.base + starts[leaf], count: counts[leaf])
    }

    /// Splits `leaf`: rows that `rule` sends right become the leaf with the next number; the order of rows stays.
    func split(_ leaf: Int, by rule: SplitCandidate.Rule, _ bins: UnsafePointer<UInt8>) {
        let first = rows.base + starts[leaf]
        let count = counts[leaf]
        let left: Int
        switch rule {
        case .ordered(let threshold, let missingRight):
            // Missing values are bin 0; less 1 they are 255 and lie above every threshold.
            let offset: UInt8 = missingRight ? 1 : 0
            left = mtlk_partition(first, count, bins, offset, threshold &- offset, scratch.base)
        case .categories(let set):
            left = withUnsafeBytes(of: set.words) { words in
                words.withMemoryRebound(to: UInt64.self) { words in
                    words.baseAddress.map { mtlk_partition_set(first, count, bins, $0, scratch.base) } ?? count
                }
            }
        }
        counts[leaf] = left
        starts.append(starts[leaf] + left)
        counts.append(count - left)
    }
}
