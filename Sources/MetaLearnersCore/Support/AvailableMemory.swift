#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// Asks the system for memory before an array takes it.
///
/// Swift's arrays end the process where there is no memory for them. So what grows with the data is asked for first, and
/// given back at once: limits of address space and sizes beyond the machine become errors. Another thread may take the
/// memory in between, and small amounts are not asked for: `docs/c-api.md` says what remains.
package enum AvailableMemory {
    /// Less than this is not worth a call of the system.
    private static let smallest = 1 << 20

    /// Sees that `count` × `size` bytes can be had now.
    ///
    /// - Parameters:
    ///   - purpose: what they are for, as "the table".
    ///   - remedy: what to do where there are none.
    /// - Throws: `outOfMemory`.
    package static func require(
        _ count: Int, of size: Int = 1, for purpose: String, at location: String? = nil,
        remedy: String = "raise the limit of memory, or use fewer rows or columns"
    ) throws(MetaLearnersError) {
        let (bytes, overflow) = max(count, 0).multipliedReportingOverflow(by: max(size, 0))
        guard overflow || bytes >= smallest else { return }
        if !overflow, isThere(bytes) { return }
        let amount = overflow ? "more bytes than there are addresses" : "\((bytes + (1 << 20) - 1) >> 20) MiB"
        throw MetaLearnersError(
            .outOfMemory, at: location, "there is not enough memory for \(purpose): it takes \(amount)",
            remedy: remedy)
    }

    /// Gives memory back to the system that was freed and that the C library keeps for later: after work that took far more than what
    /// comes next. (It keeps up to 64 MiB for each thread that ever took any.)
    package static func giveBackFreed() {
        // (Found by name: other C libraries than glibc have no such function, and keep less.)
        guard let symbol = dlsym(nil, "malloc_trim") else { return }
        typealias Trim = @convention(c) (Int) -> Int32
        _ = unsafeBitCast(symbol, to: Trim.self)(0)
    }

    private static func isThere(_ bytes: Int) -> Bool {
        guard let start = mmap(nil, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANON, -1, 0),
            start != MAP_FAILED
        else { return false }
        munmap(start, bytes)
        return true
    }
}
