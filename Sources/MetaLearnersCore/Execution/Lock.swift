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
package final class Lock<Value>: @unchecked Sendable {  // `value` is read and written under `mutex` alone.
    private let mutex: UnsafeMutablePointer<pthread_mutex_t>
    private let value: UnsafeMutablePointer<Value>

    /// Creates a lock that holds `value`.
    package init(_ value: sending Value) {
        mutex = .allocate(capacity: 1)
        mutex.initialize(to: pthread_mutex_t())
        pthread_mutex_init(mutex, nil)
        self.value = .allocate(capacity: 1)
        self.value.initialize(to: value)
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
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        return try body(&value.pointee)
    }
}
