import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// Threads that run parts of the work side by side.
///
/// They are POSIX threads of the library's own rather than Dispatch's: they start anew in a forked child, where Dispatch
/// has none; their stacks are of known size, whatever limits the host has set; and where the system gives no further thread
/// the caller does the work alone, where Dispatch would wait for one for ever. Signals, but for those of faults, are left
/// to the host's own threads. A thread without work ends after ten seconds.
package enum Workers {
    /// Runs `body` for each index of 0..<`count`, on the calling thread and on as many others as the system gives, and
    /// returns when all are done.
    ///
    /// No part may wait for another one to begin: they may all run one after another.
    package static func run(_ count: Int, _ body: @Sendable (Int) -> Void) {
        guard count > 1 else {
            if count == 1 { body(0) }
            return
        }
        withoutActuallyEscaping(body) { body in
            let job = WorkerPool.Job(count, body)
            pool.run(job)
            job.forget()
        }
    }

    /// Runs `body` on a thread with a stack of its own, and `waiting` on the calling thread meanwhile; returns when both are done.
    /// Where the system gives no thread, `body` runs on the calling one, and `waiting` does not.
    package static func onOwnStack(_ body: () -> Void, waiting: () -> Void) {
        withoutActuallyEscaping(body) { body in
            guard let thread = PlainThread(body) else { return body() }
            waiting()
            thread.join()
        }
    }

    /// Whether the calling thread is one of the library's own.
    package static var isOwn: Bool { PlainThread.isOwn }

    /// Runs `body` on a thread of its own, and returns at once; on the calling thread where the system gives none.
    package static func detach(_ body: @escaping @Sendable () -> Void) {
        guard let thread = PlainThread(body) else { return body() }
        thread.detach()
    }

    private static let holder = Lock((generation: 0, pool: WorkerPool())) {
        (generation: -1, pool: WorkerPool())
    }

    /// The threads of this process: those of the parent are not in its child.
    private static var pool: WorkerPool {
        holder.withLock { held in
            let generation = ProcessFork.generation
            if held.generation != generation { held = (generation: generation, pool: WorkerPool()) }
            return held.pool
        }
    }
}

/// Threads that wait for work, and the work that waits for threads.
private final class WorkerPool: @unchecked Sendable {  // All that changes is read and written under `mutex`.
    /// Work of several parts, each to be done once by whoever takes it first.
    final class Job: @unchecked Sendable {  // `body` goes only once no part is left.
        private let count: Int
        private var body: ((Int) -> Void)?
        /// What the parts work for.
        private let loop = CallerLoop.current
        private let next = Atomic<Int>(0)
        private let unfinished: Atomic<Int>
        /// How many more threads may join in; read and written under the pool's mutex.
        var wanted: Int

        init(_ count: Int, _ body: @escaping (Int) -> Void) {
            self.count = count
            self.body = body
            wanted = count - 1
            unfinished = Atomic(count)
        }

        /// Takes and does parts until none is left; true where the last one to end was among them.
        func workOff() -> Bool {
            var done = 0
            CallerLoop.with(loop) {
                while true {
                    let index = next.add(1, ordering: .relaxed).oldValue
                    guard index < count else { break }
                    body?(index)
                    done += 1
                }
            }
            guard done > 0 else { return false }
            return unfinished.subtract(done, ordering: .acquiringAndReleasing).newValue == 0
        }

        var isFinished: Bool { unfinished.load(ordering: .acquiring) == 0 }

        func forget() { body = nil }
    }

    /// More threads than this are never needed: no call may ask for more.
    private static let threadLimit = 4096

    private let mutex: UnsafeMutablePointer<pthread_mutex_t>
    private let work: UnsafeMutablePointer<pthread_cond_t>
    private let end: UnsafeMutablePointer<pthread_cond_t>
    private var jobs: [Job] = []
    private var threadCount = 0
    private var idleCount = 0
    /// Threads that were asked for and have not begun: they will look for work too.
    private var startingCount = 0

    /// The memory is never returned: a thread may still wait in it.
    init() {
        mutex = .allocate(capacity: 1)
        mutex.initialize(to: pthread_mutex_t())
        pthread_mutex_init(mutex, nil)
        work = .allocate(capacity: 1)
        work.initialize(to: pthread_cond_t())
        pthread_cond_init(work, nil)
        end = .allocate(capacity: 1)
        end.initialize(to: pthread_cond_t())
        pthread_cond_init(end, nil)
    }

    func run(_ job: Job) {
        pthread_mutex_lock(mutex)
        jobs.append(job)
        let missing = max(0, jobs.reduce(0) { $0 + $1.wanted } - idleCount - startingCount)
        let added = max(0, min(job.wanted, missing, Self.threadLimit - threadCount))
        threadCount += added
        startingCount += added
        for _ in 0..<min(job.wanted, idleCount) { pthread_cond_signal(work) }
        pthread_mutex_unlock(mutex)
        for index in 0..<added {
            guard let thread = PlainThread({ [self] in serve() }) else {
                pthread_mutex_lock(mutex)
                threadCount -= added - index
                startingCount -= added - index
                pthread_mutex_unlock(mutex)
                break
            }
            thread.detach()
        }
        _ = job.workOff()
        pthread_mutex_lock(mutex)
        jobs.removeAll { $0 === job }
        while !job.isFinished { pthread_cond_wait(end, mutex) }
        pthread_mutex_unlock(mutex)
    }

    /// The life of a thread.
    private func serve() {
        pthread_mutex_lock(mutex)
        startingCount -= 1
        while true {
            if let job = jobs.first {
                job.wanted -= 1
                if job.wanted <= 0 { jobs.removeFirst() }
                pthread_mutex_unlock(mutex)
                let isLast = job.workOff()
                pthread_mutex_lock(mutex)
                if isLast { pthread_cond_broadcast(end) }
                continue
            }
            var until = timespec()
            clock_gettime(CLOCK_REALTIME, &until)
            until.tv_sec += 10
            idleCount += 1
            let status = pthread_cond_timedwait(work, mutex, &until)
            idleCount -= 1
            if status == ETIMEDOUT, jobs.isEmpty { break }
        }
        threadCount -= 1
        pthread_mutex_unlock(mutex)
    }
}

/// A POSIX thread with a stack of its own.
private struct PlainThread {
    /// What a thread of a program usually has, since plug-ins run on it too; less where memory is short.
    private static let stackSizes = [8 << 20, 1 << 20]

    private let thread: pthread_t

    private final class Start {
        let body: () -> Void
        init(_ body: @escaping () -> Void) { self.body = body }
    }

    /// Starts a thread that runs `body`; nil where the system gives none.
    init?(_ body: @escaping () -> Void) {
        let start = Unmanaged.passRetained(Start(body))
        var attributes = pthread_attr_t()
        guard pthread_attr_init(&attributes) == 0 else {
            start.release()
            return nil
        }
        defer { pthread_attr_destroy(&attributes) }
        // A new thread has the signal mask of the one that makes it.
        var all = sigset_t()
        var before = sigset_t()
        sigfillset(&all)
        for signal in [SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP, SIGABRT, SIGPROF] { sigdelset(&all, signal) }
        pthread_sigmask(SIG_BLOCK, &all, &before)
        defer { pthread_sigmask(SIG_SETMASK, &before, nil) }
        for size in Self.stackSizes {
            pthread_attr_setstacksize(&attributes, size)
            #if canImport(Darwin)
                var thread: pthread_t?
                let status = pthread_create(
                    &thread, &attributes,
                    {
                        PlainThread.begin($0)
                        return nil
                    }, start.toOpaque())
                if status == 0, let thread {
                    self.thread = thread
                    return
                }
            #else
                var thread = pthread_t()
                let status = pthread_create(
                    &thread, &attributes,
                    {
                        if let start = $0 { PlainThread.begin(start) }
                        return nil
                    }, start.toOpaque())
                if status == 0 {
                    self.thread = thread
                    return
                }
            #endif
        }
        start.release()
        return nil
    }

    /// A mark of the library's threads.
    private static let mark: pthread_key_t? = {
        var key = pthread_key_t()
        return pthread_key_create(&key, nil) == 0 ? key : nil
    }()

    static var isOwn: Bool { mark.map { pthread_getspecific($0) != nil } ?? false }

    private static func begin(_ start: UnsafeMutableRawPointer) {
        if let mark { pthread_setspecific(mark, start) }
        Unmanaged<Start>.fromOpaque(start).takeRetainedValue().body()
    }

    func join() { pthread_join(thread, nil) }

    func detach() { pthread_detach(thread) }
}
