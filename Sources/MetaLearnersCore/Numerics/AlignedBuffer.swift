#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// Memory of fixed size for inner loops: aligned to cache lines, on huge pages where it is large.
///
/// Whoever holds it sees to it that no two threads write the same elements at once: hence `@unchecked`.
package final class AlignedBuffer<Element: BitwiseCopyable>: @unchecked Sendable {
    /// The first element.
    package let start: UnsafeMutablePointer<Element>
    /// How many elements there are.
    package let count: Int

    /// Allocates `count` elements of unknown content.
    ///
    /// - Parameter remedy: what a user can do where there is no memory.
    /// - Throws: `outOfMemory`.
    @inlinable
    package init(
        uninitialized count: Int, remedy: String = "use fewer threads, rows or columns"
    ) throws(MetaLearnersError) {
        let memory = try Self.memory(
            of: max(count, 1).multipliedReportingOverflow(by: MemoryLayout<Element>.stride), remedy)
        start = memory.bindMemory(to: Element.self, capacity: max(count, 1))
        self.count = count
    }

    /// Allocates `count` elements, all their bytes 0.
    ///
    /// - Throws: `outOfMemory`.
    @inlinable
    package convenience init(
        zeroed count: Int, remedy: String = "use fewer threads, rows or columns"
    ) throws(MetaLearnersError) {
        try self.init(uninitialized: count, remedy: remedy)
        memset(start, 0, max(count, 1) * MemoryLayout<Element>.stride)
    }

    /// Copies `elements`.
    ///
    /// - Throws: `outOfMemory`.
    @inlinable
    package convenience init(_ elements: [Element]) throws(MetaLearnersError) {
        try self.init(uninitialized: elements.count)
        elements.withUnsafeBufferPointer { source in
            if let first = source.baseAddress { start.update(from: first, count: source.count) }
        }
    }

    @inlinable deinit { free(start) }

    /// So many bytes of memory, that number being what it is without an overflow.
    @usableFromInline
    static func memory(of size: (partialValue: Int, overflow: Bool), _ remedy: String)
        throws(MetaLearnersError) -> UnsafeMutableRawPointer
    {
        let bytes = size.partialValue
        let alignment = bytes >= 4 << 20 ? 2 << 20 : 64
        var memory: UnsafeMutableRawPointer?
        guard !size.overflow, posix_memalign(&memory, alignment, bytes) == 0, let memory else {
            throw MetaLearnersError(
                .outOfMemory,
                size.overflow
                    ? "no machine has the memory that a fit would take"
                    : "\(bytes >> 20) MiB of memory cannot be had", remedy: remedy)
        }
        #if os(Linux)
            if alignment > 64 { _ = madvise(memory, bytes, 14) }  // MADV_HUGEPAGE: fewer TLB misses.
        #endif
        return memory
    }
}
