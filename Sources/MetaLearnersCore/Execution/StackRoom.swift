#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// The stack of a caller, which may be far smaller than a fit needs: some hosts give their threads 64 KiB.
package enum StackRoom {
    /// What a call of the library may need of its caller's stack, with room to spare; measured needs are below 300 KiB.
    package static let needed = 512 << 10

    /// Runs `body` here where there is room for it, else on a thread with a stack of its own, and returns when it is done.
    /// Nor does it run on the one thread that the child of a fork has of its parent, which the Swift runtime takes for another.
    /// What must run on the caller's thread (`CallerLoop.perform`) runs there all the same.
    package static func ensure(_ body: () -> Void) {
        if isEnough, !ProcessFork.isOnSurvivor { body() } else { CallerLoop(nil).run(nil, body) }
    }

    /// Whether the calling thread's stack has as much left as is needed. A stack that is not the thread's own, as fibres
    /// have one, is of unknown size and never enough.
    private static var isEnough: Bool {
        let lowest = lowestAddress
        guard lowest > 0 else { return true }
        return withUnsafeTemporaryAllocation(byteCount: 16, alignment: 16) { here in
            let here = UInt(bitPattern: here.baseAddress)
            return here > lowest && here - lowest >= UInt(needed) && here - lowest <= largest
        }
    }

    /// Distances beyond this mean that the address is not within the stack.
    private static let largest: UInt = 1 << 32

    /// Where the calling thread's stack ends, found out once per thread; 0 where the system does not say.
    private static var lowestAddress: UInt {
        #if canImport(Darwin)
            let thread = pthread_self()
            return UInt(bitPattern: pthread_get_stackaddr_np(thread)) - UInt(pthread_get_stacksize_np(thread))
        #else
            guard let key else { return 0 }
            if let known = pthread_getspecific(key) { return UInt(bitPattern: known) }
            var attributes = pthread_attr_t()
            guard let attributesOfThread, attributesOfThread(pthread_self(), &attributes) == 0 else {
                return 0
            }
            defer { pthread_attr_destroy(&attributes) }
            var start: UnsafeMutableRawPointer?
            var size = 0
            guard pthread_attr_getstack(&attributes, &start, &size) == 0, let start else { return 0 }
            pthread_setspecific(key, start)
            return UInt(bitPattern: start)
        #endif
    }

    #if !canImport(Darwin)
        /// The C library's own function, which its headers only show to programs that ask for extensions.
        private static let attributesOfThread: AttributesOfThread? =
            dlsym(nil, "pthread_getattr_np").map { unsafeBitCast($0, to: AttributesOfThread.self) }
        private typealias AttributesOfThread =
            @convention(c) (pthread_t, UnsafeMutablePointer<pthread_attr_t>) -> Int32

        private static let key: pthread_key_t? = {
            var key = pthread_key_t()
            return pthread_key_create(&key, nil) == 0 ? key : nil
        }()
    #endif
}
