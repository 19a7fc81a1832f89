#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// The state of a task graph while it runs: what may begin, what runs, what memory that takes.
final class GraphRun: @unchecked Sendable {  // Everything that changes is read and written under `lock`.
    private let entries: [TaskGraph.Entry]
    private let scheduler: Scheduler
    private let lock: UnsafeMutablePointer<pthread_mutex_t>
    private let changed: UnsafeMutablePointer<pthread_cond_t>
    private var waitingFor: [Int]
    private var followers: [[Int]]
    /// Tasks that may begin, ascending.
    private var ready: [Int] = []
    private var unfinished: Int
    private var running = 0
    private var runningBytes = 0
    private var failure: (index: Int, error: MetaLearnersError)?
    private var done: [String: Int] = [:]
    private var totals: [String: Int] = [:]
    private var saysMemory = false
    /// Whether a task that fails takes those that come after it along and leaves the others alone.
    private let goesOn: Bool
    private(set) var failures: [Int: MetaLearnersError] = [:]

    init(_ graph: TaskGraph, _ scheduler: Scheduler, goesOn: Bool) {
        self.goesOn = goesOn
        entries = graph.entries
        self.scheduler = scheduler
        lock = .allocate(capacity: 1)
        changed = .allocate(capacity: 1)
        pthread_mutex_init(lock, nil)
        pthread_cond_init(changed, nil)
        waitingFor = graph.entries.map(\.predecessors.count)
        followers = [[Int]](repeating: [], count: graph.count)
        unfinished = graph.count
        for (index, entry) in graph.entries.enumerated() {
            for before in entry.predecessors { followers[before].append(index) }
            if let stage = entry.stage { totals[stage, default: 0] += 1 }
            if entry.predecessors.isEmpty { ready.append(index) }
        }
    }

    deinit {
        pthread_mutex_destroy(lock)
        pthread_cond_destroy(changed)
        lock.deallocate()
        changed.deallocate()
    }

    /// The error of the lowest task that failed.
    var error: MetaLearnersError? { failure?.error }

    /// Works until nothing is left to do, or something failed. It waits only while another thread runs a task, so that
    /// one thread alone does everything.
    func work() {
        pthread_mutex_lock(lock)
        while unfinished > 0, failure == nil {
            guard let index = take() else {
                if running == 0 { break }
                pthread_cond_wait(changed, lock)
                continue
            }
            // Where fewer tasks are left than threads, each gets its share.
            let share =
                scheduler.isSerial
                ? scheduler.threads
                : max(1, scheduler.threads / max(1, min(scheduler.threads, running + ready.count)))
            pthread_mutex_unlock(lock)
            scheduler.reports.deliver()
            let start = ContinuousClock.now
            let outcome = run(index, share)
            if let meter = entries[index].meter {
                let (seconds, attoseconds) = (ContinuousClock.now - start).components
                meter.add(
                    Double(seconds) + Double(attoseconds) * 1e-18, isFit: entries[index].stage != nil)
            }
            pthread_mutex_lock(lock)
            finish(index, outcome)
            pthread_mutex_unlock(lock)
            scheduler.reports.deliver()
            pthread_mutex_lock(lock)
        }
        pthread_cond_broadcast(changed)
        pthread_mutex_unlock(lock)
    }

    /// Takes the first task that may begin and has the memory that it needs.
    private func take() -> Int? {
        guard let limit = scheduler.memoryLimit else {
            guard !ready.isEmpty else { return nil }
            return begin(0)
        }
        for position in ready.indices {
            let bytes = entries[ready[position]].bytes
            if bytes <= limit - runningBytes { return begin(position) }
            if running == 0 {
                failure = (
                    ready[position],
                    MetaLearnersError(
                        .outOfMemory, at: "memory_limit",
                        "a fit takes about \(Self.mebibytes(bytes)) MiB, more than the "
                            + "\(Self.mebibytes(limit)) MiB that are left of the limit",
                        remedy: "raise the limit, or fit to fewer rows or columns")
                )
                return nil
            }
            if !saysMemory {
                saysMemory = true
                scheduler.reports.add(
                    notice: "fewer fits than threads run side by side: each takes about "
                        + "\(Self.mebibytes(bytes)) MiB of the \(Self.mebibytes(limit)) MiB that may be used")
            }
        }
        return nil
    }

    private static func mebibytes(_ bytes: Int) -> Int { (bytes + (1 << 20) - 1) >> 20 }

    private func begin(_ position: Int) -> Int {
        let index = ready.remove(at: position)
        running += 1
        runningBytes += entries[index].bytes
        if let stage = entries[index].stage, done[stage] == nil {
            done[stage] = 0
            scheduler.reports.add(stage, done: 0, total: totals[stage] ?? 0)
        }
        return index
    }

    private func run(_ index: Int, _ share: Int) -> MetaLearnersError? {
        let context = ExecutionContext(threads: share, cancellation: scheduler.token)
        do throws(MetaLearnersError) {
            try context.checkCancellation()
            try AvailableMemory.require(entries[index].bytes, for: "a fit")
            try entries[index].body(context)
            return nil
        } catch {
            return error
        }
    }

    private func finish(_ index: Int, _ error: MetaLearnersError?) {
        running -= 1
        runningBytes -= entries[index].bytes
        unfinished -= 1
        if let error {
            if goesOn, error.kind != .cancelled, error.kind != .outOfMemory {
                giveUp(index, error)
            } else if index < failure?.index ?? .max {
                failure = (index, error)
            }
        } else {
            for next in followers[index] {
                waitingFor[next] -= 1
                if waitingFor[next] == 0, failures[next] == nil {
                    ready.insert(next, at: ready.firstIndex { $0 > next } ?? ready.endIndex)
                }
            }
            count(index)
        }
        pthread_cond_broadcast(changed)
    }

    private func count(_ index: Int) {
        guard let stage = entries[index].stage else { return }
        done[stage, default: 0] += 1
        scheduler.reports.add(stage, done: done[stage] ?? 0, total: totals[stage] ?? 0)
    }

    /// Notes a failure, for the task and for all that would have come after it: none of these can begin any more.
    private func giveUp(_ index: Int, _ error: MetaLearnersError) {
        failures[index] = error
        count(index)
        var reached = followers[index]
        while let next = reached.popLast() {
            guard failures[next] == nil else { continue }
            failures[next] = error
            unfinished -= 1
            count(next)
            reached += followers[next]
        }
    }
}

/// What running a graph gave beside the results of its tasks.
package struct GraphReport: Sendable {
    private let failures: [Int: MetaLearnersError]

    fileprivate init(_ run: GraphRun) { failures = run.failures }

    /// The error of the lowest of these tasks that failed or could not begin for the failure of another; nil for none.
    package func failure(_ tasks: Range<Int>) -> MetaLearnersError? {
        tasks.lazy.compactMap { failures[$0] }.first
    }
}

extension Scheduler {
    /// Runs the tasks of `graph`, as many side by side as there are threads and memory for.
    ///
    /// - Throws: the error of the lowest task that failed, `cancelled`, or `outOfMemory` for a task that does not fit
    ///   within the limit even alone.
    public func run(_ graph: TaskGraph) throws(MetaLearnersError) { _ = try run(graph, goingOn: false) }

    /// Runs the tasks of `graph`, whatever becomes of single ones.
    ///
    /// - Parameter goingOn: whether a task that fails takes only those that come after it along; what stops the whole then
    ///   is a cancellation, or memory that there is not.
    /// - Throws: as `run(_:)`.
    package func run(_ graph: TaskGraph, goingOn: Bool) throws(MetaLearnersError) -> GraphReport {
        let run = GraphRun(graph, self, goesOn: goingOn)
        guard graph.count > 0 else { return GraphReport(run) }
        let workers = isSerial ? 1 : min(threads, graph.count)
        if workers == 1 {
            run.work()
        } else {
            Workers.run(workers) { _ in run.work() }
        }
        reports.deliver()
        if let error = run.error { throw error }
        try context.checkCancellation()
        return GraphReport(run)
    }
}
