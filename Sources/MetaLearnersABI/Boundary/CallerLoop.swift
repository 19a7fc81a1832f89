import CMetaLearners
import MetaLearnersCore

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// The thread that made a call, while others do its work: it asks the caller twenty times a second whether to go on, and
/// runs what must run on it.
final class CallerLoop: @unchecked Sendable {  // All that changes is read and written under `mutex`.
    /// Cancelled where the caller says so.
    let token: CancellationToken

    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let changed = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
    private var isFinished = false
    /// What another thread wants to be run here.
    private var errand: (() -> Bool)?
    private var answer: Bool?

    /// How long the caller is not asked, in nanoseconds.
    private static let period = 50_000_000

    init(_ token: CancellationToken?) {
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

    /// Runs `body` on another thread, and asks `poll` on this one until it is done.
    func run(_ poll: () -> Bool, _ body: () -> Void) {
        Workers.onOwnStack {
            body()
            finish()
        } waiting: {
            wait(poll)
        }
    }

    /// Runs `errand` on the caller's thread, and returns its answer. One thread at a time may ask for it.
    func perform(_ errand: () -> Bool) -> Bool {
        withoutActuallyEscaping(errand) { errand in
            pthread_mutex_lock(mutex)
            answer = nil
            self.errand = errand
            pthread_cond_broadcast(changed)
            while answer == nil { pthread_cond_wait(changed, mutex) }
            let answer = answer ?? false
            pthread_mutex_unlock(mutex)
            return answer
        }
    }

    private func finish() {
        pthread_mutex_lock(mutex)
        isFinished = true
        pthread_cond_broadcast(changed)
        pthread_mutex_unlock(mutex)
    }

    private func wait(_ poll: () -> Bool) {
        var next = Self.now
        pthread_mutex_lock(mutex)
        while !isFinished {
            if let errand {
                self.errand = nil
                pthread_mutex_unlock(mutex)
                let answer = errand()
                pthread_mutex_lock(mutex)
                self.answer = answer
                pthread_cond_broadcast(changed)
            }
            if Self.now >= next {
                pthread_mutex_unlock(mutex)
                if !poll() { token.cancel() }
                next = Self.now + Self.period
                pthread_mutex_lock(mutex)
            }
            if !isFinished, errand == nil { wait(until: next) }
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
