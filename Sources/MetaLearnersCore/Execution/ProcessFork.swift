import CForkWatch
import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// What has to be known of forks: whether this process is the child of one, and what no fork may cut in two.
///
/// A forked child has a copy of all memory, and of all threads only the one that forked. So threads that waited for work
/// are gone (`Workers` begins anew), a lock that another thread held stays held (`Lock` begins anew where it is told how),
/// and the inside of another library may be in the middle of a change (`uninterrupted` keeps forks out of it).
package enum ProcessFork {
    private static let forks = Atomic<Int>(0)
    private static let gate = Gate()

    /// How many forks lie between the process that first used the library and this one.
    package static var generation: Int { forks.load(ordering: .acquiring) }

    /// Whether this process was forked from one that had used the library.
    package static var isChild: Bool { generation > 0 }

    /// Whether the calling thread is the one that the child of a fork has of its parent.
    ///
    /// The Swift runtime keeps a number of each thread, which is the parent's there. Where such a thread and another one meet in
    /// what the runtime does once (metadata of a type, a global), they wait for each other for ever. That holds from the moment
    /// that the library is loaded, so that C notices such forks, whether or not anybody `watch`es.
    package static var isOnSurvivor: Bool {
        #if canImport(Glibc)
            let survivor = mtlk_fork_survivor()
            return survivor != 0 && survivor == UInt(pthread_self())
        #else
            return false
        #endif
    }

    /// Sees to it that forks are noticed from now on.
    package static func watch() { _ = isWatched }

    private static let isWatched: Bool = {
        // What the functions below use must be there before a fork.
        _ = generation
        _ = gate
        _ = renewal
        return pthread_atfork(
            { ProcessFork.gate.close() }, { ProcessFork.gate.open() },
            {
                ProcessFork.gate.reset()
                ProcessFork.renewal.reset()
                _ = ProcessFork.forks.add(1, ordering: .releasing)
            }) == 0
    }()

    /// Runs `body` while no fork can happen: for calls of libraries whose locks a fork would leave held.
    ///
    /// A fork waits until `body` is done, so `body` must be short, and must neither fork nor call this again.
    package static func uninterrupted(_ body: () -> Void) {
        watch()
        gate.enter()
        body()
        gate.leave()
    }

    /// Held by the thread of a child that replaces a lock that the fork left held.
    static let renewal = RenewalMutex()

    /// A mutex that every child of a fork starts with unlocked.
    final class RenewalMutex: @unchecked Sendable {  // The pointer never changes.
        private let mutex: UnsafeMutablePointer<pthread_mutex_t>

        init() {
            mutex = .allocate(capacity: 1)
            mutex.initialize(to: pthread_mutex_t())
            pthread_mutex_init(mutex, nil)
        }

        func reset() { pthread_mutex_init(mutex, nil) }

        func hold(_ body: () -> Void) {
            pthread_mutex_lock(mutex)
            body()
            pthread_mutex_unlock(mutex)
        }
    }

    /// Lets many threads in, or a fork.
    private final class Gate: @unchecked Sendable {  // The pointer never changes.
        private let lock: UnsafeMutablePointer<pthread_rwlock_t>

        init() {
            lock = .allocate(capacity: 1)
            lock.initialize(to: pthread_rwlock_t())
            reset()
        }

        /// Where threads come and go without a break, the fork has its turn all the same.
        func reset() {
            #if canImport(Glibc)
                var attributes = pthread_rwlockattr_t()
                pthread_rwlockattr_init(&attributes)
                pthread_rwlockattr_setkind_np(
                    &attributes, Int32(PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP))
                pthread_rwlock_init(lock, &attributes)
                pthread_rwlockattr_destroy(&attributes)
            #else
                pthread_rwlock_init(lock, nil)
            #endif
        }

        func enter() { pthread_rwlock_rdlock(lock) }
        func leave() { pthread_rwlock_unlock(lock) }
        func close() { pthread_rwlock_wrlock(lock) }
        func open() { pthread_rwlock_unlock(lock) }
    }
}
