import Synchronization

/// Runs independent parts of the work on the threads that there are.
///
/// Parts come first, one thread each; where there are fewer parts than threads, each gets its share.
public final class Scheduler: Sendable {
    /// Threads to use at most.
    public let threads: Int
    /// Bytes that tasks may take together; nil for no limit.
    package let memoryLimit: Int?
    /// Whether the tasks of a graph run one after another on the calling thread, in an order that nothing but the graph decides:
    /// several processes do the same then.
    package let isSerial: Bool
    /// Brings progress and notices to the user.
    let reports: ProgressReports
    let token: CancellationToken
    private let done = Lock<Int>(0)

    /// Creates a scheduler for one computation.
    public init(_ options: ExecutionOptions) {
        threads = options.threadCount
        memoryLimit = options.memoryLimit
        isSerial = options.collective != nil
        // A token of its own, so that a callback that cancels leaves the caller's token as it was.
        token = CancellationToken(parent: options.cancellation)
        reports = ProgressReports(progress: options.progress, notice: options.notice, cancelling: token)
    }

    /// The scheduler for work beside which so many bytes are taken already.
    ///
    /// - Throws: `outOfMemory` where that is more than the limit, or than the system gives.
    package func limited(by bytes: Int) throws(MetaLearnersError) -> Scheduler {
        try AvailableMemory.require(bytes, for: "what the fits share and leave behind")
        guard let memoryLimit else { return self }
        guard bytes < memoryLimit else {
            throw MetaLearnersError(
                .outOfMemory, at: "memory_limit",
                "what the fits share and leave behind takes about \((bytes + (1 << 20) - 1) >> 20) MiB, more than "
                    + "the limit of \(memoryLimit >> 20) MiB",
                remedy: "raise the limit, or fit to fewer rows or columns")
        }
        return Scheduler(self, memoryLimit: memoryLimit - bytes)
    }

    private init(_ other: Scheduler, memoryLimit: Int) {
        threads = other.threads
        reports = other.reports
        token = other.token
        isSerial = other.isSerial
        self.memoryLimit = memoryLimit
    }

    /// Options for a computation within this one, such as a fit that an analysis asks for: its threads and memory, its
    /// cancellation, and its reports.
    package var innerOptions: ExecutionOptions {
        ExecutionOptions(
            threads: threads,
            progress: { [reports, token] progress in
                reports.add(progress.stage, done: progress.done, total: progress.total)
                reports.deliver()
                return !token.isCancelled
            }, cancellation: token, memoryLimit: memoryLimit)
    }

    /// A context for work that is not split into parts: all threads.
    public var context: ExecutionContext {
        ExecutionContext(threads: threads, cancellation: token)
    }

    /// Runs `body` for each index of 0..<`count`, in any order.
    ///
    /// - Parameter sideBySide: how many at a time at most; nil for as many as there are threads.
    /// - Throws: the error of the lowest index that failed, or `cancelled`.
    public func run(
        _ stage: String, count: Int, sideBySide: Int? = nil,
        _ body: @Sendable (Int, ExecutionContext) throws(MetaLearnersError) -> Void
    ) throws(MetaLearnersError) {
        guard count > 0 else { return }
        let workers = max(1, min(threads, count, sideBySide ?? count))
        let share = max(1, threads / workers)
        let next = Atomic<Int>(0)
        let failure = Lock<(index: Int, error: MetaLearnersError)?>(nil)
        let stop = Atomic<Bool>(false)
        done.withLock { $0 = 0 }
        reports.add(stage, done: 0, total: count)
        reports.deliver()
        let context = ExecutionContext(threads: share, cancellation: token)
        @Sendable func work() {
            while !stop.load(ordering: .relaxed) {
                let index = next.add(1, ordering: .relaxed).oldValue
                guard index < count else { return }
                do throws(MetaLearnersError) {
                    try context.checkCancellation()
                    try body(index, context)
                    finishOne(stage, total: count)
                } catch {
                    failure.withLock { known in
                        if index < known?.index ?? .max { known = (index, error) }
                    }
                    stop.store(true, ordering: .relaxed)
                }
            }
        }
        if workers == 1 {
            work()
        } else {
            Workers.run(workers) { _ in work() }
        }
        if let failed = failure.withLock({ $0 }) { throw failed.error }
        try context.checkCancellation()
    }

    private func finishOne(_ stage: String, total: Int) {
        done.withLock { done in
            done += 1
            reports.add(stage, done: done, total: total)
        }
        reports.deliver()
    }
}
