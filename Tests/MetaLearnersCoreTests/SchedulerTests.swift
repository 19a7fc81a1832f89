import MetaLearnersCore
import Synchronization
import Testing

@Suite("Scheduler")
struct SchedulerTests {
    private final class Counts: Sendable {
        private let values = Mutex<[Int: Int]>([:])
        func add(_ index: Int) { values.withLock { $0[index, default: 0] += 1 } }
        var all: [Int: Int] { values.withLock { $0 } }
        var total: Int { all.values.reduce(0, +) }
    }

    @Test("Every index runs once", arguments: [1, 2, 5])
    func everyIndex(threads: Int) throws {
        let counts = Counts()
        let scheduler = Scheduler(ExecutionOptions(threads: threads))
        try scheduler.run("stage", count: 100) { index, _ in counts.add(index) }
        #expect(counts.all == Dictionary(uniqueKeysWithValues: (0..<100).map { ($0, 1) }))
        try scheduler.run("nothing", count: 0) { _, _ in counts.add(-1) }
        #expect(counts.all[-1] == nil)
        let others = Counts()
        ExecutionContext(threads: threads).concurrently(50) { others.add($0) }
        #expect(others.total == 50 && others.all.count == 50)
        ExecutionContext(threads: threads).concurrently(-5) { others.add($0) }
        #expect(others.total == 50)
    }

    @Test("Parts share the threads that there are")
    func shares() throws {
        let shares = Counts()
        try Scheduler(ExecutionOptions(threads: 6)).run("stage", count: 2) { _, context in
            shares.add(context.threads)
        }
        #expect(shares.all == [3: 2])
        #expect(Scheduler(ExecutionOptions(threads: -4)).threads == 1)
        #expect(Scheduler(ExecutionOptions()).threads >= 1)
    }

    @Test(
        "The error of the lowest index that fails is thrown, on any number of threads", arguments: [1, 2, 4])
    func lowestError(threads: Int) {
        for _ in 0..<20 {
            let error = #expect(throws: MetaLearnersError.self) {
                try Scheduler(ExecutionOptions(threads: threads)).run("stage", count: 50) {
                    index, _ throws(MetaLearnersError) in
                    if index >= 7 { throw MetaLearnersError(.numericalFailure, "part \(index)") }
                }
            }
            #expect(error?.problem == "part 7")
        }
    }

    @Test("Progress counts up to the total, a stage at a time, and starts at 0", arguments: [1, 2])
    func progress(threads: Int) throws {
        let seen = Mutex<[Progress]>([])
        let options = ExecutionOptions(
            threads: threads,
            progress: { progress in
                seen.withLock { $0.append(progress) }
                return true
            })
        let scheduler = Scheduler(options)
        try scheduler.run("one", count: 5) { _, _ in }
        try scheduler.run("two", count: 2) { _, _ in }
        let all = seen.withLock { $0 }
        #expect(all.filter { $0.stage == "one" }.map(\.done) == Array(0...5))
        #expect(all.filter { $0.stage == "two" }.map(\.done) == Array(0...2))
        #expect(all.filter { $0.stage == "two" }.allSatisfy { $0.total == 2 })
    }

    @Test("A callback that returns false cancels, and is not called again", arguments: [1, 2, 4], [0, 3])
    func cancelFromProgress(threads: Int, after: Int) {
        let calls = Counts()
        let done = Counts()
        let token = CancellationToken()
        let options = ExecutionOptions(
            threads: threads,
            progress: { progress in
                calls.add(0)
                return progress.done < after
            }, cancellation: token)
        let error = #expect(throws: MetaLearnersError.self) {
            try Scheduler(options).run("stage", count: 100) { index, _ in done.add(index) }
        }
        #expect(error?.kind == .cancelled)
        // Other threads go on while the callback lasts; alone, a thread waits for it.
        #expect((1...after + 1).contains(calls.total))
        if threads == 1 {
            #expect(calls.total == after + 1)
            #expect(done.total == after)
        }
        // The caller's token may serve other work: a callback does not cancel it.
        #expect(!token.isCancelled)
    }

    @Test("A token that is cancelled before the work begins stops all of it, without any progress")
    func cancelledBefore() {
        let token = CancellationToken()
        token.cancel()
        let calls = Counts()
        let options = ExecutionOptions(
            threads: 2,
            progress: { _ in
                calls.add(0)
                return true
            }, cancellation: token)
        let error = #expect(throws: MetaLearnersError.self) {
            try Scheduler(options).run("stage", count: 10) { _, _ in calls.add(1) }
        }
        #expect(error?.kind == .cancelled)
        #expect(calls.total == 0)
    }

    @Test("A part that is under way sees that the token was cancelled", arguments: [1, 2])
    func cancelledWithin(threads: Int) {
        let token = CancellationToken()
        let error = #expect(throws: MetaLearnersError.self) {
            try Scheduler(ExecutionOptions(threads: threads, cancellation: token)).run("stage", count: 1) {
                _, context throws(MetaLearnersError) in
                try context.checkCancellation()
                token.cancel()
                try context.checkCancellation()
                throw MetaLearnersError(.internalFault, "the part did not see it")
            }
        }
        #expect(error?.kind == .cancelled)
    }

    @Test("A cancellation during the last part is not lost")
    func cancelledAtTheEnd() {
        let token = CancellationToken()
        let error = #expect(throws: MetaLearnersError.self) {
            try Scheduler(ExecutionOptions(threads: 1, cancellation: token)).run("stage", count: 3) {
                index, _ in
                if index == 2 { token.cancel() }
            }
        }
        #expect(error?.kind == .cancelled)
    }
}
