import CTreeKernels
import MetaLearnersCore

/// A byte for each of a stretch of rows: the leaf it is in.
final class LeafBytes: @unchecked Sendable {  // Belongs to one part of the work at a time.
    /// The leaf of each row, by its number in the dataset; shared with other parts, which own other rows.
    let leaves: AlignedBuffer<UInt8>
    /// The rows from the first to the last.
    let span: Range<Int>
    /// The rows within it that count.
    let rows: AlignedBuffer<Int32>
    private let initial: AlignedBuffer<UInt8>?

    /// The byte of rows that do not count.
    static let outside: UInt8 = 255
    /// Leaves that bytes can tell apart from that.
    static let maximumLeaves = 255
    private static let leastRows = 4096

    /// Whether bytes serve for rows as dense as these.
    static func serve(_ rows: ArraySlice<Int32>) -> Bool {
        guard let first = rows.first, let last = rows.last, mtlk_scan_is_fast() != 0 else { return false }
        return rows.count >= leastRows && Int(last - first) < 3 * rows.count
    }

    /// What `values`, one a leaf, are by a row's byte: zero for rows that do not count.
    static func table<Value: AdditiveArithmetic>(_ values: [Value]) -> [Value] {
        values + [Value](repeating: .zero, count: max(0, Int(outside) + 1 - values.count))
    }

    /// Prepares the bytes of `rows`, which are ascending.
    ///
    /// - Throws: `outOfMemory`.
    init(_ source: ArraySlice<Int32>, leaves: AlignedBuffer<UInt8>) throws(MetaLearnersError) {
        self.leaves = leaves
        span = Int(source.first ?? 0)..<Int(source.last ?? -1) + 1
        rows = try AlignedBuffer(uninitialized: source.count + 64)
        for (position, row) in source.enumerated() { rows.start[position] = row }
        guard span.count > source.count else {
            initial = nil
            return
        }
        let bytes = try AlignedBuffer<UInt8>(uninitialized: span.count)
        bytes.start.update(repeating: Self.outside, count: span.count)
        for row in source { bytes.start[Int(row) - span.lowerBound] = 0 }
        initial = bytes
    }

    /// Puts every row that counts into leaf 0.
    func reset() {
        let target = leaves.start + span.lowerBound
        if let initial {
            target.update(from: initial.start, count: span.count)
        } else {
            target.update(repeating: 0, count: span.count)
        }
    }
}
