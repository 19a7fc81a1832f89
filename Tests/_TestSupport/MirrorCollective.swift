import MetaLearnersCore

/// A process whose rows count as very many copies of themselves, so that sums are those of more rows than there is memory for.
package struct MirrorCollective: Collective {
    package let rank = 0
    package let size = 1
    private let copies: Int

    /// Creates the collective of a process whose rows count `copies` times.
    package init(copies: Int) { self.copies = copies }

    package func sum(_ values: UnsafeMutableBufferPointer<Int64>) {
        for index in values.indices { values[index] &*= Int64(copies) }
    }

    package func sum(_ values: UnsafeMutableBufferPointer<Double>) {
        for index in values.indices { values[index] *= Double(copies) }
    }

    package func maximum(_ values: UnsafeMutableBufferPointer<Int64>) {}

    package func broadcast(_ bytes: UnsafeMutableRawBufferPointer, from root: Int) {}

    package func gather(
        _ bytes: UnsafeRawBufferPointer, sizes: [Int], into all: UnsafeMutableRawBufferPointer
    ) {
        guard !bytes.isEmpty else { return }
        for start in stride(from: 0, to: all.count, by: bytes.count) {
            all[start...].copyBytes(from: bytes)
        }
    }
}
