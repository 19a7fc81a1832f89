import MetaLearnersCore
import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// Threads that stay together for a whole fit, so that its many short phases start within a microsecond.
///
/// The thread that arrives first leads and does all that nobody else takes; the others take parts of each phase.
/// Where the system gives no threads, the leader does everything and the others find nothing left, so that it cannot hang.
final class WorkTeam: @unchecked Sendable {  // `phase` is written before, and read after, `ticket` changes.
    /// How many threads there are at most.
    let threads: Int
    private let arrivals = Atomic<Int>(0)
    /// The generation of the phase (upper half), how many parts it has and the next one that nobody has taken: all
    /// in one word, so that a part can only be taken from the phase it belongs to.
    private let ticket = Atomic<UInt64>(0)
    private let pending = Atomic<Int>(0)
    private let finished = Atomic<Bool>(false)
    private var phase: ((Int) -> Void)?
    /// The most parts that a phase may have.
    static let maximumParts = 0xFFFF

    private init(threads: Int) { self.threads = threads }

    /// Runs `body` with a team of `threads`.
    static func with<Result: Sendable>(
        threads: Int, _ body: @Sendable (WorkTeam) throws(MetaLearnersError) -> Result
    ) throws(MetaLearnersError) -> Result {
        let team = WorkTeam(threads: max(1, threads))
        if threads <= 1 { return try body(team) }
        let outcome = Lock<Swift.Result<Result, MetaLearnersError>?>(nil)
        Workers.run(threads) { _ in
            guard team.arrivals.add(1, ordering: .relaxed).oldValue == 0 else { return team.assist() }
            let result: Swift.Result<Result, MetaLearnersError>
            do throws(MetaLearnersError) {
                result = .success(try body(team))
            } catch {
                result = .failure(error)
            }
            outcome.withLock { $0 = result }
            team.finished.store(true, ordering: .releasing)
        }
        guard let result = outcome.withLock({ $0 }) else {
            throw MetaLearnersError(.internalFault, "no thread led the work")
        }
        return try result.get()
    }

    /// Runs `body` for each index of 0..<`count`, in any order, and returns when all are done.
    ///
    /// Only the leader calls it. `body` must write only to what belongs to its index.
    func run(_ count: Int, _ body: (Int) -> Void) {
        guard threads > 1, count > 1, count <= Self.maximumParts else {
            for index in 0..<max(count, 0) { body(index) }
            return
        }
        withoutActuallyEscaping(body) { body in
            phase = body
            pending.store(count, ordering: .relaxed)
            let generation = (ticket.load(ordering: .relaxed) >> 32) + 1
            ticket.store(generation << 32 | UInt64(count) << 16, ordering: .releasing)
            while let index = take() { perform(index) }
            var spins = 0
            while pending.load(ordering: .acquiring) > 0 { pause(&spins) }
            phase = nil
        }
    }

    private func assist() {
        var spins = 0
        while !finished.load(ordering: .acquiring) {
            if let index = take() {
                perform(index)
                spins = 0
            } else {
                pause(&spins)
            }
        }
    }

    /// Takes the next part of the phase that is under way, nil where none is left.
    private func take() -> Int? {
        var known = ticket.load(ordering: .acquiring)
        while true {
            let index = Int(known & 0xFFFF)
            guard index < Int(known >> 16 & 0xFFFF) else { return nil }
            let (exchanged, original) = ticket.weakCompareExchange(
                expected: known, desired: known + 1, ordering: .acquiringAndReleasing)
            if exchanged { return index }
            known = original
        }
    }

    private func perform(_ index: Int) {
        phase?(index)
        _ = pending.subtract(1, ordering: .acquiringAndReleasing)
    }

    /// Waits a little: at first ready to go on at once, then leaving the core to others, at last asleep, so that a
    /// thread without work costs next to nothing.
    private func pause(_ spins: inout Int) {
        spins += 1
        if spins > Self.yieldsEnd {
            usleep(50)
        } else if spins > Self.spinsEnd {
            sched_yield()
        }
    }

    private static let spinsEnd = 2000
    private static let yieldsEnd = 3000
}

/// An array that several threads write, each to elements of its own.
struct DisjointWrites<Element>: @unchecked Sendable {  // No two threads touch the same element.
    private let buffer: UnsafeMutableBufferPointer<Element>

    init(_ buffer: UnsafeMutableBufferPointer<Element>) { self.buffer = buffer }

    /// How many elements there are.
    var count: Int { buffer.count }

    /// Where the elements from `index` on are.
    func pointer(to index: Int) -> UnsafeMutablePointer<Element>? { buffer.baseAddress.map { $0 + index } }

    subscript(index: Int) -> Element {
        get { buffer[index] }
        nonmutating set { buffer[index] = newValue }
    }
}
