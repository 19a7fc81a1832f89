import MetaLearnersCore

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// The buffers that OpenBLAS works in: one for each thread that is inside it, had before the work begins.
///
/// OpenBLAS asks the system for a buffer when a thread first needs one, keeps it for good, and where there is none asks
/// again for ever. So a fit first finds out whether the system would give the buffer, and then has OpenBLAS take it.
enum BLASMemory {
    /// Bytes of a buffer, as OpenBLAS is built for processors of servers; elsewhere it has less.
    static let bufferSize = 128 << 20

    #if canImport(Accelerate)
        /// Accelerate has no such buffers.
        static func reserve(threads: Int) throws(MetaLearnersError) {}
    #else
        /// How many buffers OpenBLAS is known to have.
        private static let reserved = Lock(0) { 0 }

        private typealias Allocate = @convention(c) (Int32) -> UnsafeMutableRawPointer?
        private typealias Release = @convention(c) (UnsafeMutableRawPointer?) -> Void

        /// OpenBLAS's own functions, which no header declares; nil where a build hides them.
        private static let functions: (allocate: Allocate, release: Release)? = {
            guard let allocate = dlsym(nil, "blas_memory_alloc"), let release = dlsym(nil, "blas_memory_free")
            else { return nil }
            return (unsafeBitCast(allocate, to: Allocate.self), unsafeBitCast(release, to: Release.self))
        }()

        /// Sees to it that OpenBLAS has buffers for so many threads.
        ///
        /// - Throws: `outOfMemory` where the system does not give them.
        static func reserve(threads: Int) throws(MetaLearnersError) {
            try reserved.withLock { reserved throws(MetaLearnersError) in
                guard threads > reserved else { return }
                // With some room beside, for what is allocated before OpenBLAS asks.
                let bytes = (threads - reserved) * (bufferSize + (1 << 20))
                guard let free = mmap(nil, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0),
                    free != MAP_FAILED
                else {
                    throw MetaLearnersError(
                        .outOfMemory, at: "linear algebra",
                        "OpenBLAS needs \(bufferSize >> 20) MiB of address space for each thread, and the system gives no more",
                        remedy: "raise the limit (ulimit -v), or use fewer threads")
                }
                munmap(free, bytes)
                if let functions {
                    // All at once, as each would otherwise be the same one.
                    ProcessFork.uninterrupted {
                        let buffers = (0..<threads).map { _ in functions.allocate(0) }
                        for buffer in buffers { functions.release(buffer) }
                    }
                }
                reserved = threads
            }
        }
    #endif
}
