import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// How a computation is run: nothing here changes its result.
public struct ExecutionOptions: Sendable {
    /// Threads to use at most; nil for as many as there are processors.
    public var threads: Int?
    /// Called as the work advances, from any thread; returning false cancels.
    ///
    /// Calls come one at a time, in order, so that the count of a stage never goes back, and hold no lock: while one lasts,
    /// other threads go on working. A function that falls far behind is not told every count, but always the first and the last one.
    public var progress: (@Sendable (Progress) -> Bool)?
    /// Stops the work when somebody cancels it.
    public var cancellation: CancellationToken?

    /// How many bytes the work may take beside the data, as far as is known before; nil for no limit. Fewer fits run
    /// side by side where more would not fit, and what cannot fit alone is refused.
    public var memoryLimit: Int?
    /// Told what the user should know of how the work is run, such as that memory holds it up; from any thread, and
    /// never while `progress` runs.
    public var notice: (@Sendable (String) -> Void)?
    /// Joins the processes that hold parts of the rows of a fit; nil where one process holds all. Fits of models then run
    /// one after another, in the same order in every process, each on all threads.
    public var collective: (any Collective)?

    /// Creates options.
    public init(
        threads: Int? = nil, progress: (@Sendable (Progress) -> Bool)? = nil,
        cancellation: CancellationToken? = nil, memoryLimit: Int? = nil,
        notice: (@Sendable (String) -> Void)? = nil, collective: (any Collective)? = nil
    ) {
        self.threads = threads
        self.progress = progress
        self.cancellation = cancellation
        self.memoryLimit = memoryLimit
        self.notice = notice
        self.collective = collective
    }

    /// The threads to use: those asked for, at least one; else the processors that are online.
    public var threadCount: Int {
        max(1, threads ?? Int(sysconf(Int32(_SC_NPROCESSORS_ONLN))))
    }
}

/// How far a stage of the work is.
public struct Progress: Sendable, Equatable {
    /// What is being done.
    public let stage: String
    /// How many of its parts are done.
    public let done: Int
    /// How many there are.
    public let total: Int
}

/// Stops work that runs on other threads.
public final class CancellationToken: Sendable {
    private let flag = Atomic<Bool>(false)
    private let parent: CancellationToken?

    /// Creates a token that nobody has cancelled.
    public init() { parent = nil }

    /// Creates a token that is also cancelled where `parent` is.
    package init(parent: CancellationToken?) { self.parent = parent }

    /// Asks the work to stop as soon as it can.
    public func cancel() { flag.store(true, ordering: .relaxed) }

    /// Whether somebody has asked the work to stop.
    public var isCancelled: Bool { flag.load(ordering: .relaxed) || parent?.isCancelled == true }
}

/// What a part of the work knows of how it is run: its share of the threads, and whether to stop.
public struct ExecutionContext: Sendable {
    /// The threads this part may use.
    public let threads: Int
    /// What stops the work.
    package let cancellation: CancellationToken

    /// Creates a context.
    public init(threads: Int = 1, cancellation: CancellationToken = CancellationToken()) {
        self.threads = max(1, threads)
        self.cancellation = cancellation
    }

    /// Whether somebody has asked the work to stop, for work that cannot throw.
    public var isCancelled: Bool { cancellation.isCancelled }

    /// Throws `cancelled` where somebody has asked the work to stop. Cheap: call it once a tree or iteration.
    public func checkCancellation() throws(MetaLearnersError) {
        if cancellation.isCancelled { throw MetaLearnersError(.cancelled, "the work was cancelled") }
    }

    /// Runs `body` for each index of 0..<`count`, spread over the threads of this part.
    ///
    /// `body` must write only to what belongs to its index.
    public func concurrently(_ count: Int, _ body: @Sendable (Int) -> Void) {
        guard count > 1, threads > 1 else {
            for index in 0..<max(count, 0) { body(index) }
            return
        }
        let next = Atomic<Int>(0)
        Workers.run(min(threads, count)) { _ in
            while true {
                let index = next.add(1, ordering: .relaxed).oldValue
                guard index < count else { return }
                body(index)
            }
        }
    }
}
