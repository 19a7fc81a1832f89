import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// A value that one thread at a time may use.
///
/// It stands in the place of `Synchronization.Mutex`, which on Linux writes the number of the calling thread into a futex
/// with priority inheritance, and keeps that number per thread. In a forked child the number is still that of the
/// parent's thread; as soon as two threads of the child meet, the kernel finds no such thread and the process ends. A
/// mutex of POSIX threads holds no number that the kernel looks at, so it works in parent and child alike.
package final class Lock<Value>: @unchecked Sendable {
    // `value` is read and written under `mutex` alone; both are replaced under `ProcessFork.renewal` alone.
    private var mutex: UnsafeMutablePointer<pthread_mutex_t>
    private var value: UnsafeMutablePointer<Value>
    private let renewed: (@Sendable () -> Value)?
    private let generation: Atomic<Int>

    /// Creates a lock that holds `value`.
    ///
    /// - Parameter renewed: makes the value of a forked child, where another thread of the parent was at work on it at the
    ///   moment of the fork: that thread is not there to finish. Needed where parent and child may both use the lock.
    package init(_ value: sending Value, renewedAfterFork renewed: (@Sendable () -> Value)? = nil) {
        mutex = Self.makeMutex()
        self.value = .allocate(capacity: 1)
        self.value.initialize(to: value)
        self.renewed = renewed
        if renewed != nil { ProcessFork.watch() }
        generation = Atomic(ProcessFork.generation)
    }

    deinit {
        pthread_mutex_destroy(mutex)
        mutex.deallocate()
        value.deinitialize(count: 1)
        value.deallocate()
    }

    /// Runs `body` with the value, while no other thread can.
    ///
    /// `body` must not use the same lock again.
    package func withLock<Result: ~Copyable, Failure: Error>(
        _ body: (inout sending Value) throws(Failure) -> sending Result
    ) throws(Failure) -> sending Result {
        if renewed != nil, generation.load(ordering: .acquiring) != ProcessFork.generation { renew() }
        let mutex = mutex
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        return try body(&value.pointee)
    }

    /// Replaces in a forked child what a thread of the parent held. Its memory is left alone: nobody knows its state.
    private func renew() {
        ProcessFork.renewal.hold {
            let current = ProcessFork.generation
            guard let renewed, generation.load(ordering: .acquiring) != current else { return }
            if pthread_mutex_trylock(mutex) == 0 {
                pthread_mutex_unlock(mutex)
            } else {
                mutex = Self.makeMutex()
                value = .allocate(capacity: 1)
                value.initialize(to: renewed())
            }
            generation.store(current, ordering: .releasing)
        }
    }

    private static func makeMutex() -> UnsafeMutablePointer<pthread_mutex_t> {
        let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
        mutex.initialize(to: pthread_mutex_t())
        pthread_mutex_init(mutex, nil)
        return mutex
    }
}
