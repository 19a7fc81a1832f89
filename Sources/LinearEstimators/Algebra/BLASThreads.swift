import MetaLearnersCore

/// Keeps BLAS on the calling thread for as long as a fit lasts, with the memory that it needs.
///
/// Fits run side by side, one per thread, so BLAS must not start threads of its own; and a sum that is split over
/// threads would have other bits. OpenBLAS has one setting for the whole process: the first fit saves and
/// changes it, the last one to end puts it back.
enum BLASThreads {
    private struct State {
        var users = 0
        var saved: Int32 = 1
        /// The process that `users` are threads of.
        var generation = ProcessFork.generation
    }

    private static let state = Lock(State()) { State() }

    /// Runs `body` with BLAS on the calling thread.
    ///
    /// - Throws: what `body` throws; `outOfMemory` where BLAS would not get the memory that it needs.
    static func single<Result>(
        _ body: () throws(MetaLearnersError) -> Result
    ) throws(MetaLearnersError) -> Result {
        try state.withLock { state throws(MetaLearnersError) in
            if state.generation != ProcessFork.generation {
                // Threads of the parent do not end their fits in its child.
                if state.users > 0 { BLAS.setThreads(state.saved) }
                state.users = 0
                state.generation = ProcessFork.generation
            }
            try BLASMemory.reserve(threads: state.users + 1)
            if state.users == 0 {
                state.saved = BLAS.threads
                BLAS.setThreads(1)
            }
            state.users += 1
        }
        defer {
            state.withLock { state in
                state.users -= 1
                if state.users == 0 { BLAS.setThreads(state.saved) }
            }
        }
        return try body()
    }
}
