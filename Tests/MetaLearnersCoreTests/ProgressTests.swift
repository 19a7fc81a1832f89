import MetaLearnersCore
import Testing

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// Progress and notices: what a user's functions may rely on.
@Suite("Progress") struct ProgressTests {
    /// Waits until `condition` holds; false where it does not within ten seconds.
    private static func waits(until condition: () -> Bool) -> Bool {
        for _ in 0..<10_000 {
            if condition() { return true }
            usleep(1000)
        }
        return false
    }

    private func graph(_ count: Int, _ body: @escaping @Sendable (Int) -> Void) -> TaskGraph {
        var graph = TaskGraph()
        for index in 0..<count { _ = graph.add(index % 2 == 0 ? "even" : "odd") { _ in body(index) } }
        return graph
    }

    @Test("While a progress function lasts, other threads go on with the graph")
    func slowFunction() throws {
        let done = Lock(0)
        let went = Lock(true)
        let options = ExecutionOptions(
            threads: 2,
            progress: { progress in
                guard progress.done == 1, progress.stage == "even" else { return true }
                // All but the task whose end is being reported, and one that the thread may have been at.
                let goes = Self.waits { done.withLock { $0 } >= 19 }
                went.withLock { $0 = $0 && goes }
                return true
            })
        try Scheduler(options).run(graph(20) { _ in done.withLock { $0 += 1 } })
        #expect(went.withLock { $0 })
    }

    @Test("While a progress function lasts, other threads go on with parts")
    func slowFunctionOfParts() throws {
        let done = Lock(0)
        let went = Lock(true)
        let options = ExecutionOptions(
            threads: 2,
            progress: { progress in
                guard progress.done == 1 else { return true }
                let goes = Self.waits { done.withLock { $0 } >= 20 }
                went.withLock { $0 = $0 && goes }
                return true
            })
        try Scheduler(options).run("parts", count: 20) { _, _ in done.withLock { $0 += 1 } }
        #expect(went.withLock { $0 })
    }

    @Test("Calls come one at a time, counts never go back, and the last one is told", arguments: [1, 2, 8])
    func order(threads: Int) throws {
        let inside = Lock(0)
        let wrong = Lock(0)
        let seen = Lock<[String: [Int]]>([:])
        @Sendable func alone(_ body: () -> Void) {
            let others = inside.withLock {
                $0 += 1
                return $0 - 1
            }
            body()
            usleep(50)
            wrong.withLock { $0 += others }
            inside.withLock { $0 -= 1 }
        }
        let options = ExecutionOptions(
            threads: threads,
            progress: { progress in
                alone { seen.withLock { $0[progress.stage, default: []].append(progress.done) } }
                return true
            }, memoryLimit: 100, notice: { _ in alone {} })
        var graph = TaskGraph()
        for index in 0..<400 { _ = graph.add(index % 2 == 0 ? "even" : "odd", bytes: 60) { _ in } }
        try Scheduler(options).run(graph)
        #expect(wrong.withLock { $0 } == 0)
        for counts in seen.withLock({ $0 }).values {
            #expect(counts.first == 0)
            #expect(counts.last == 200)
            #expect(zip(counts, counts.dropFirst()).allSatisfy { $0 < $1 })
        }
        #expect(seen.withLock { $0.count } == 2)
    }

    @Test("A progress function that says no ends the work at once", arguments: [1, 2, 8])
    func cancels(threads: Int) throws {
        let done = Lock(0)
        let options = ExecutionOptions(threads: threads, progress: { _ in false })
        let error = #expect(throws: MetaLearnersError.self) {
            try Scheduler(options).run(
                graph(10_000) { _ in
                    done.withLock { $0 += 1 }
                    usleep(100)
                })
        }
        #expect(error?.kind == .cancelled)
        // The first report comes before the first task; what other threads have begun by then, they end.
        #expect(done.withLock { $0 } < 10_000 / 2)
        if threads == 1 { #expect(done.withLock { $0 } == 0) }
    }

    @Test("A progress function may run work of its own on the same threads")
    func worksWithin() throws {
        let inner = Lock(0)
        let options = ExecutionOptions(
            threads: 4,
            progress: { _ in
                ExecutionContext(threads: 4).concurrently(8) { _ in inner.withLock { $0 += 1 } }
                return true
            })
        try Scheduler(options).run(graph(10) { _ in })
        #expect(inner.withLock { $0 } >= 8 * 4)
    }
}
