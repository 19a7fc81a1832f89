import MetaLearnersCore

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// Processes that are threads of this one: what a collective fit is tested with.
package final class ThreadGroup: @unchecked Sendable {  // Everything that changes is under `lock`.
    private let lock = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let changed = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
    private var arrived = 0
    private var generation = 0
    private var slots: [[UInt8]]
    private var result: [UInt8] = []
    private var hasLeft = false
    /// Bytes that one process gave to sums, to gathers and to all else, and how often.
    package private(set) var traffic = Traffic()

    /// What went over the network that is none.
    package struct Traffic: Sendable {
        package var sums = 0
        package var gathers = 0
        package var others = 0
        package var calls = 0
    }

    /// Creates a group of `size` threads.
    package init(size: Int) {
        slots = [[UInt8]](repeating: [], count: size)
        pthread_mutex_init(lock, nil)
        pthread_cond_init(changed, nil)
    }

    deinit {
        pthread_mutex_destroy(lock)
        pthread_cond_destroy(changed)
        lock.deallocate()
        changed.deallocate()
    }

    /// The collective of one of the threads.
    ///
    /// - Parameter failing: how many calls succeed before one fails; nil where none does.
    package func member(_ rank: Int, failingAfter failing: Int? = nil) -> ThreadCollective {
        ThreadCollective(group: self, rank: rank, size: slots.count, failingAfter: failing)
    }

    /// Runs `body` on a thread for each rank, and gives their results in order.
    package static func run<Result: Sendable>(
        _ size: Int, failing: (rank: Int, after: Int)? = nil,
        _ body: @escaping @Sendable (ThreadCollective) throws -> Result
    ) -> (results: [Swift.Result<Result, any Error>], traffic: Traffic) {
        let group = ThreadGroup(size: size)
        let results = ResultSlots<Swift.Result<Result, any Error>>(count: size)
        let threads = (0..<size).map { rank in
            Self.start {
                let member = group.member(rank, failingAfter: failing?.rank == rank ? failing?.after : nil)
                results[rank] = Swift.Result { try body(member) }
            }
        }
        for thread in threads { pthread_join(thread, nil) }
        return ((0..<size).compactMap { results[$0] }, group.traffic)
    }

    private final class Work {
        let body: () -> Void
        init(_ body: @escaping () -> Void) { self.body = body }
    }

    private static func start(_ body: @escaping () -> Void) -> pthread_t {
        var attributes = pthread_attr_t()
        pthread_attr_init(&attributes)
        pthread_attr_setstacksize(&attributes, 8 << 20)
        defer { pthread_attr_destroy(&attributes) }
        #if canImport(Glibc)
            var thread = pthread_t()
        #else
            var thread: pthread_t?
        #endif
        let work = Unmanaged.passRetained(Work(body)).toOpaque()
        let status = pthread_create(
            &thread, &attributes,
            { work in
                #if canImport(Glibc)
                    guard let work else { return nil }
                #endif
                Unmanaged<Work>.fromOpaque(work).takeRetainedValue().body()
                return nil
            }, work)
        precondition(status == 0, "the system gives no thread")
        #if canImport(Glibc)
            return thread
        #else
            guard let thread else { preconditionFailure("the system gives no thread") }
            return thread
        #endif
    }

    fileprivate func exchange(
        _ rank: Int, _ bytes: [UInt8], _ kind: WritableKeyPath<Traffic, Int>,
        _ combine: ([[UInt8]]) -> [UInt8]
    ) throws(MetaLearnersError) -> [UInt8] {
        pthread_mutex_lock(lock)
        defer { pthread_mutex_unlock(lock) }
        slots[rank] = bytes
        arrived += 1
        if rank == 0 {
            traffic[keyPath: kind] += bytes.count
            traffic.calls += 1
        }
        let own = generation
        if arrived == slots.count {
            result = combine(slots)
            arrived = 0
            generation += 1
            pthread_cond_broadcast(changed)
        }
        while generation == own, !hasLeft { pthread_cond_wait(changed, lock) }
        guard generation != own else {
            throw MetaLearnersError(.inputOutput, "another process has left")
        }
        return result
    }

    fileprivate func leave() {
        pthread_mutex_lock(lock)
        hasLeft = true
        pthread_cond_broadcast(changed)
        pthread_mutex_unlock(lock)
    }
}

/// The collective of one thread of a `ThreadGroup`.
package final class ThreadCollective: Collective {
    private let group: ThreadGroup
    package let rank: Int
    package let size: Int
    private let calls = Counter()
    private let failingAfter: Int?

    init(group: ThreadGroup, rank: Int, size: Int, failingAfter: Int?) {
        self.group = group
        self.rank = rank
        self.size = size
        self.failingAfter = failingAfter
    }

    package func sum(_ values: UnsafeMutableBufferPointer<Int64>) throws(MetaLearnersError) {
        try reduce(values, \.sums, &+)
    }

    package func sum(_ values: UnsafeMutableBufferPointer<Double>) throws(MetaLearnersError) {
        try reduce(values, \.sums, +)
    }

    package func maximum(_ values: UnsafeMutableBufferPointer<Int64>) throws(MetaLearnersError) {
        try reduce(values, \.others, max)
    }

    package func broadcast(_ bytes: UnsafeMutableRawBufferPointer, from root: Int) throws(MetaLearnersError) {
        try requireWorking()
        bytes.copyBytes(from: try group.exchange(rank, Array(bytes), \.others) { $0[root] })
    }

    package func gather(
        _ bytes: UnsafeRawBufferPointer, sizes: [Int], into all: UnsafeMutableRawBufferPointer
    ) throws(MetaLearnersError) {
        try requireWorking()
        all.copyBytes(from: try group.exchange(rank, Array(bytes), \.gathers) { Array($0.joined()) })
    }

    package func leave() { group.leave() }

    private func requireWorking() throws(MetaLearnersError) {
        calls.add(1)
        if let failingAfter, calls.value > failingAfter {
            throw MetaLearnersError(.inputOutput, "the network is gone")
        }
    }

    private func reduce<Number: BitwiseCopyable>(
        _ values: UnsafeMutableBufferPointer<Number>, _ kind: WritableKeyPath<ThreadGroup.Traffic, Int>,
        _ add: (Number, Number) -> Number
    ) throws(MetaLearnersError) {
        try requireWorking()
        let bytes = Array(UnsafeRawBufferPointer(UnsafeBufferPointer(values)))
        let sum = try group.exchange(rank, bytes, kind) { parts in
            var sum = parts[0].withUnsafeBytes { Array($0.bindMemory(to: Number.self)) }
            for part in parts.dropFirst() {
                part.withUnsafeBytes { part in
                    for (index, value) in part.bindMemory(to: Number.self).enumerated() {
                        sum[index] = add(sum[index], value)
                    }
                }
            }
            return sum.withUnsafeBytes { Array($0) }
        }
        UnsafeMutableRawBufferPointer(values).copyBytes(from: sum)
    }
}
