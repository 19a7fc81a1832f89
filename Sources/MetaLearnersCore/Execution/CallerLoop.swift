#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// The thread that made a call, while others do its work: it runs what must run on it, and is asked twenty times a second
/// whether to go on where it wants that.
package final class CallerLoop: @unchecked Sendable {  // All that changes is read and written under `mutex`.
    /// What another thread wants to be run here.
    private final class Errand {
        let body: () -> Void
        var isDone = false

        init(_ body: @escaping () -> Void) { self.body = body }
    }

    /// Cancelled where the caller says so.
    package let token: CancellationToken

    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let changed = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
    private let caller = pthread_self()
    private var isFinished = false
    private var errands: [Errand] = []

    /// How long the caller is not asked, in nanoseconds.
    private static let period = 50_000_000

    /// Creates the loop of the calling thread.
    ///
    /// - Parameter token: what else cancels the work.
    package init(_ token: CancellationToken?) {
        self.token = CancellationToken(parent: token)
        mutex.initialize(to: pthread_mutex_t())
        pthread_mutex_init(mutex, nil)
        changed.initialize(to: pthread_cond_t())
        #if canImport(Darwin)
            pthread_cond_init(changed, nil)
        #else
            // A clock that nobody sets.
            var attributes = pthread_condattr_t()
            pthread_condattr_init(&attributes)
            pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC)
            pthread_cond_init(changed, &attributes)
            pthread_condattr_destroy(&attributes)
        #endif
    }

    deinit {
        pthread_mutex_destroy(mutex)
        pthread_cond_destroy(changed)
        mutex.deallocate()
        changed.deallocate()
    }

    /// The loop of the computation that the calling thread works for; nil where there is none.
    package static var current: CallerLoop? {
        key.flatMap { pthread_getspecific($0) }.map {
            Unmanaged<CallerLoop>.fromOpaque($0).takeUnretainedValue()
        }
    }

    /// Runs `body`, which works for the computation of `loop`, nil for none.
    package static func with(_ loop: CallerLoop?, _ body: () -> Void) {
        guard let key else { return body() }
        let before = pthread_getspecific(key)
        pthread_setspecific(key, loop.map { UnsafeRawPointer(Unmanaged.passUnretained($0).toOpaque()) })
        body()
        pthread_setspecific(key, before)
    }

    private static let key: pthread_key_t? = {
        var key = pthread_key_t()
        return pthread_key_create(&key, nil) == 0 ? key : nil
    }()

    /// Runs `body` on another thread, with a stack of its own, and returns when it is done.
    ///
    /// - Parameter poll: asked on this thread meanwhile; nil where nobody wants to be asked.
    package func run(_ poll: (() -> Bool)?, _ body: () -> Void) {
        Workers.onOwnStack {
            Self.with(self, body)
            finish()
        } waiting: {
            wait(poll)
        }
    }

    /// Runs `body` on the caller's thread, and returns when it is done.
    package func perform(_ body: () -> Void) {
        // Where the system gave no other thread, the caller does the work itself.
        if pthread_equal(caller, pthread_self()) != 0 { return body() }
        withoutActuallyEscaping(body) { body in
            let errand = Errand(body)
            pthread_mutex_lock(mutex)
            errands.append(errand)
            pthread_cond_broadcast(changed)
            while !errand.isDone { pthread_cond_wait(changed, mutex) }
            pthread_mutex_unlock(mutex)
        }
    }

    private func finish() {
        pthread_mutex_lock(mutex)
        isFinished = true
        pthread_cond_broadcast(changed)
        pthread_mutex_unlock(mutex)
    }

    private func wait(_ poll: (() -> Bool)?) {
        var next = Self.now
        pthread_mutex_lock(mutex)
        while !isFinished {
            if !errands.isEmpty {
                let errand = errands.removeFirst()
                pthread_mutex_unlock(mutex)
                errand.body()
                pthread_mutex_lock(mutex)
                errand.isDone = true
                pthread_cond_broadcast(changed)
            }
            guard let poll else {
                if !isFinished, errands.isEmpty { pthread_cond_wait(changed, mutex) }
                continue
            }
            if Self.now >= next {
                pthread_mutex_unlock(mutex)
                if !poll() { token.cancel() }
                next = Self.now + Self.period
                pthread_mutex_lock(mutex)
            }
            if !isFinished, errands.isEmpty { wait(until: next) }
        }
        pthread_mutex_unlock(mutex)
    }

    /// Nanoseconds on a clock that nobody sets.
    private static var now: Int {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Int(time.tv_sec) * 1_000_000_000 + Int(time.tv_nsec)
    }

    private func wait(until end: Int) {
        #if canImport(Darwin)
            let left = max(0, end - Self.now)
            var time = timespec(tv_sec: left / 1_000_000_000, tv_nsec: left % 1_000_000_000)
            pthread_cond_timedwait_relative_np(changed, mutex, &time)
        #else
            var time = timespec(tv_sec: end / 1_000_000_000, tv_nsec: end % 1_000_000_000)
            pthread_cond_timedwait(changed, mutex, &time)
        #endif
    }
}
