import MetaLearnersCore

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// Memory of fixed size for the inner loops: aligned to cache lines, on huge pages where it is large.
///
/// Whoever holds it sees to it that no two threads write the same elements at once.
final class AlignedBuffer<Element: BitwiseCopyable>: @unchecked Sendable {  // Writers own disjoint parts.
    /// The first element.
    let base: UnsafeMutablePointer<Element>
    /// How many elements there are.
    let count: Int

    /// Allocates `count` elements of unknown content.
    ///
    /// - Throws: `outOfMemory`.
    init(uninitialized count: Int) throws(MetaLearnersError) {
        let size = MemoryLayout<Element>.stride
        let (bytes, overflow) = max(count, 1).multipliedReportingOverflow(by: size)
        let alignment = bytes >= 4 << 20 ? 2 << 20 : 64
        var memory: UnsafeMutableRawPointer?
        guard !overflow, posix_memalign(&memory, alignment, bytes) == 0, let memory else {
            throw MetaLearnersError(
                .outOfMemory, "\(bytes >> 20) MiB for the tree engine cannot be had",
                remedy: "use fewer threads, rows or columns")
        }
        #if os(Linux)
            if alignment > 64 { _ = madvise(memory, bytes, 14) }  // MADV_HUGEPAGE: fewer TLB misses.
        #endif
        base = memory.bindMemory(to: Element.self, capacity: max(count, 1))
        self.count = count
    }

    /// Allocates `count` elements, all their bytes 0.
    ///
    /// - Throws: `outOfMemory`.
    convenience init(zeroed count: Int) throws(MetaLearnersError) {
        try self.init(uninitialized: count)
        memset(base, 0, count * MemoryLayout<Element>.stride)
    }

    deinit { free(base) }
}
