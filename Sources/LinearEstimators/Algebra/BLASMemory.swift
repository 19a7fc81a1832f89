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
        private struct State: Sendable {
            /// How many buffers OpenBLAS has been made to take.
            var reserved = 0
            /// How many of them go to threads of OpenBLAS's own, which it starts anew in a forked child.
            var servers = 0
        }

        private static let state = Lock(State()) { State() }

        private typealias Allocate = @convention(c) (Int32) -> UnsafeMutableRawPointer?
        private typealias Release = @convention(c) (UnsafeMutableRawPointer?) -> Void

        /// OpenBLAS's own functions, which no header declares; nil where a build hides them.
        private static let functions: (allocate: Allocate, release: Release)? = {
            guard let allocate = dlsym(nil, "blas_memory_alloc"), let release = dlsym(nil, "blas_memory_free")
            else { return nil }
            return (unsafeBitCast(allocate, to: Allocate.self), unsafeBitCast(release, to: Release.self))
        }()

        /// What other threads may take before OpenBLAS asks, where addresses are limited: that is what the memory of two
        /// new threads takes for a moment.
        private static var slack: Int {
            var limit = rlimit()
            #if canImport(Glibc)
                let status = getrlimit(__rlimit_resource_t(RLIMIT_AS.rawValue), &limit)
            #else
                let status = getrlimit(RLIMIT_AS, &limit)
            #endif
            return status == 0 && limit.rlim_cur == rlim_t(bitPattern: -1) ? 0 : 256 << 20
        }

        /// Whether OpenBLAS's own threads run; nil where a build hides it.
        private static var hasServers: Bool? {
            dlsym(nil, "blas_server_avail").map { $0.load(as: Int32.self) != 0 }
        }

        /// Sees to it that OpenBLAS has buffers for so many threads, and for those of its own.
        ///
        /// - Throws: `outOfMemory` where the system does not give them.
        static func reserve(threads: Int) throws(MetaLearnersError) {
            try state.withLock { state throws(MetaLearnersError) in
                if hasServers == false { state.servers = max(0, Int(BLAS.threads) - 1) }
                let needed = threads + state.servers
                guard needed > state.reserved else { return }
                let bytes = (needed - state.reserved) * (bufferSize + (1 << 20)) + slack
                guard let free = mmap(nil, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0),
                    free != MAP_FAILED
                else {
                    throw MetaLearnersError(
                        .outOfMemory, at: "linear algebra",
                        "OpenBLAS needs \(bufferSize >> 20) MiB of address space for each thread, with \(slack >> 20) MiB "
                            + "to spare, and the system gives no more",
                        remedy: "raise the limit (ulimit -v), or use fewer threads")
                }
                munmap(free, bytes)
                if let functions {
                    ProcessFork.uninterrupted {
                        // All at once, as each would otherwise be the same one.
                        let buffers = (0..<needed).map { _ in functions.allocate(0) }
                        for buffer in buffers { functions.release(buffer) }
                    }
                }
                state.reserved = needed
            }
        }
    #endif
}
