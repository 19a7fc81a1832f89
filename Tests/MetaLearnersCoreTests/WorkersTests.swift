import MetaLearnersCore
import Testing

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// Threads of the library's own, and the lock between them.
@Suite("Workers") struct WorkersTests {
    @Test("Every part is done once", arguments: [0, 1, 2, 3, 17, 1000])
    func parts(count: Int) {
        let seen = Lock([Int](repeating: 0, count: count))
        Workers.run(count) { index in seen.withLock { $0[index] += 1 } }
        #expect(seen.withLock { $0 } == [Int](repeating: 1, count: count))
    }

    @Test("Work within work, and from many threads at once, comes to an end")
    func nested() {
        let sum = Lock(0)
        Workers.run(8) { _ in
            for _ in 0..<50 { Workers.run(8) { inner in sum.withLock { $0 += inner } } }
        }
        #expect(sum.withLock { $0 } == 8 * 50 * 28)
    }

    @Test("A lock lets one thread in at a time")
    func exclusion() {
        let count = Lock(0)
        Workers.run(8) { _ in for _ in 0..<10_000 { count.withLock { $0 += 1 } } }
        #expect(count.withLock { $0 } == 80_000)
    }

    @Test("A lock passes errors on and stays usable")
    func errors() {
        let lock = Lock(1)
        #expect(throws: MetaLearnersError.self) {
            try lock.withLock { _ throws(MetaLearnersError) in throw MetaLearnersError(.cancelled, "stopped")
            }
        }
        #expect(lock.withLock { $0 } == 1)
    }

    @Test("Work on a stack of its own has room there, and is done when the call returns")
    func ownStack() {
        let result = Lock(0)
        CallerLoop(nil).run(nil) {
            result.withLock { result in
                // Four MiB: more than half of the stack.
                withUnsafeTemporaryAllocation(byteCount: 512, alignment: 16) { _ in result = Self.depth(8_000)
                }
            }
        }
        #expect(result.withLock { $0 } == 8_000)
    }

    /// Calls itself `count` times, with at least 256 bytes each.
    @inline(never)
    private static func depth(_ count: Int) -> Int {
        guard count > 0 else { return 0 }
        return withUnsafeTemporaryAllocation(byteCount: 256, alignment: 16) { buffer in
            buffer[0] = UInt8(truncatingIfNeeded: count)
            return depth(count - 1) + 1 + Int(buffer[0]) - Int(UInt8(truncatingIfNeeded: count))
        }
    }

    @Test("Signals are left to the host's own threads")
    func signals() {
        let blocked = Lock<[Bool]>([])
        CallerLoop(nil).run(nil) {
            var mask = sigset_t()
            pthread_sigmask(SIG_BLOCK, nil, &mask)
            blocked.withLock { $0 = [SIGINT, SIGALRM, SIGUSR1, SIGSEGV].map { sigismember(&mask, $0) == 1 } }
        }
        #expect(blocked.withLock { $0 } == [true, true, true, false])
    }
}
