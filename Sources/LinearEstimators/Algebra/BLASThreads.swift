import MetaLearnersCore
import Synchronization

/// Keeps BLAS on the calling thread for as long as a fit lasts, with the memory that it needs.
///
/// Fits run side by side, one per thread, so BLAS must not start threads of its own; and a sum that is split over
/// threads would have other bits. OpenBLAS has one setting for the whole process: the first fit saves and
/// changes it, the last one to end puts it back. Whatever calls BLAS does so within `single`: one long sum outside woke OpenBLAS's threads,
/// which then waited by spinning, and a fifth to a third of the processor time of `auto` was theirs.
enum BLASThreads {
    private struct State {
        var users = 0
        var saved: Int32 = 1
        /// The process that `users` are threads of.
        var generation = ProcessFork.generation
    }

    private static let state = Lock(State()) { State() }
    /// `users`, as `check` reads it.
    private static let holders = Atomic<Int>(0)

    /// Stops builds for debugging where BLAS is called outside `single`.
    @inline(__always)
    static func check() {
        assert(holders.load(ordering: .relaxed) > 0, "BLAS is called outside BLASThreads.single")
    }

    /// Runs a routine that takes memory of BLAS's own, during which no fork happens.
    @inline(__always)
    static func uninterrupted(_ routine: () -> Void) {
        check()
        ProcessFork.uninterrupted(routine)
    }

    /// Runs `body` with BLAS on the calling thread.
    ///
    /// - Throws: what `body` throws; `outOfMemory` where BLAS would not get the memory that it needs.
    static func single<Result>(
        _ body: () throws(MetaLearnersError) -> Result
    ) throws(MetaLearnersError) -> Result {
        try hold()
        defer { release() }
        return try body()
    }

    /// Keeps BLAS on the calling thread until as many calls of `release`.
    ///
    /// - Throws: `outOfMemory` where BLAS would not get the memory that it needs.
    static func hold() throws(MetaLearnersError) {
        try state.withLock { state throws(MetaLearnersError) in
            if state.generation != ProcessFork.generation {
                // Threads of the parent do not end their fits in its child.
                if state.users > 0 { BLAS.setThreads(state.saved) }
                state.users = 0
                holders.store(0, ordering: .relaxed)
                state.generation = ProcessFork.generation
            }
            try BLASMemory.reserve(threads: state.users + 1)
            if state.users == 0 {
                state.saved = BLAS.threads
                BLAS.setThreads(1)
            }
            state.users += 1
            holders.store(state.users, ordering: .relaxed)
        }
    }

    static func release() {
        state.withLock { state in
            state.users -= 1
            holders.store(state.users, ordering: .relaxed)
            if state.users == 0 { BLAS.setThreads(state.saved) }
        }
    }
}
