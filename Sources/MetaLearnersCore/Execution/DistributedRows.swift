/// Rows that several processes hold, as one of them sees them: which rows are its own, and how to learn what the others
/// know.
///
/// Global row numbers go through the processes in the order of their ranks. Before each call all processes agree on what
/// they are about to do; one that has failed says so there, so that the others end with its error instead of waiting for it,
/// and processes that would do different things end with an error instead of a wrong model.
package final class DistributedRows: Sendable {
    /// The global number of the first row of this process.
    package let firstRow: Int
    /// How many rows all processes hold together.
    package let rowCount: Int
    private let collective: any Collective
    private let state: Lock<State>

    private struct State: Sendable {
        /// No more calls: another process has failed, or a call has.
        var isOver = false
        var calls = 0
    }

    private enum Call: Int64 {
        case sum = 1
        case sumNumbers, maximum, broadcast, gather, finish
    }

    /// The same processes with so many rows in this one.
    package func holding(_ rows: Int) throws(MetaLearnersError) -> DistributedRows {
        let (before, total) = try offsets([rows])
        return DistributedRows(self, firstRow: before[0], rowCount: total[0])
    }

    private init(_ other: DistributedRows, firstRow: Int, rowCount: Int) {
        collective = other.collective
        state = other.state
        self.firstRow = firstRow
        self.rowCount = rowCount
    }

    /// Joins processes of which this one holds so many rows.
    ///
    /// - Throws: `invalidArgument` for ranks that make no sense, and what the collective throws.
    package init(_ collective: any Collective, rows: Int) throws(MetaLearnersError) {
        guard collective.size > 0, (0..<collective.size).contains(collective.rank) else {
            throw MetaLearnersError(
                .invalidArgument, at: "collective", "has rank \(collective.rank) of \(collective.size)",
                remedy: "ranks count from 0")
        }
        let state = Lock(State())
        self.collective = collective
        self.state = state
        var counts = [Int64](repeating: 0, count: collective.size)
        counts[collective.rank] = Int64(rows)
        try Self.guarding(state, collective) { () throws(MetaLearnersError) in
            try Self.agree(.sum, counts.count, state, collective)
            try Self.apply(&counts, collective.sum)
        }
        firstRow = Int(counts.prefix(collective.rank).reduce(0, +))
        rowCount = Int(counts.reduce(0, +))
    }

    /// The number of this process, from 0.
    package var rank: Int { collective.rank }
    /// How many processes there are.
    package var size: Int { collective.size }

    /// The sums over all processes.
    package func sum(_ values: [Int64]) throws(MetaLearnersError) -> [Int64] {
        var values = values
        try call(.sum, values.count) { collective throws(MetaLearnersError) in
            try Self.apply(&values, collective.sum)
        }
        return values
    }

    /// Replaces words by their sums over all processes, modulo 2⁶⁴.
    package func sum(words: UnsafeMutableBufferPointer<Int64>) throws(MetaLearnersError) {
        try call(.sum, words.count) { collective throws(MetaLearnersError) in try collective.sum(words) }
    }

    /// The sum over all processes.
    package func sum(_ value: Int) throws(MetaLearnersError) -> Int { Int(try sum([Int64(value)])[0]) }

    /// The sums over all processes.
    package func sum(_ values: [Int]) throws(MetaLearnersError) -> [Int] {
        try sum(values.map { Int64($0) }).map { Int($0) }
    }

    /// The sums over all processes, to the bit the same in each: one of them tells the others what came out.
    package func sum(_ values: [Double]) throws(MetaLearnersError) -> [Double] {
        guard !values.isEmpty else { return [] }
        var values = values
        try values.withUnsafeMutableBufferPointer { values throws(MetaLearnersError) in
            try sum(numbers: values)
        }
        return values
    }

    /// Replaces numbers by their sums over all processes, to the bit the same in each.
    package func sum(numbers: UnsafeMutableBufferPointer<Double>) throws(MetaLearnersError) {
        try call(.sumNumbers, numbers.count) { collective throws(MetaLearnersError) in
            try collective.sum(numbers)
        }
        try call(.broadcast, numbers.count) { collective throws(MetaLearnersError) in
            try collective.broadcast(UnsafeMutableRawBufferPointer(numbers), from: 0)
        }
    }

    /// The sum of the terms of all processes.
    package func sum(_ sums: [ExactSum]) throws(MetaLearnersError) -> [ExactSum] {
        let words = try sum(sums.flatMap(\.normalizedWords))
        return sums.indices.map { index in
            ExactSum(words: words[index * ExactSum.wordCount..<(index + 1) * ExactSum.wordCount])
        }
    }

    /// The largest numbers of all processes.
    package func maximum(_ values: [Int64]) throws(MetaLearnersError) -> [Int64] {
        var values = values
        try call(.maximum, values.count) { collective throws(MetaLearnersError) in
            try Self.apply(&values, collective.maximum)
        }
        return values
    }

    /// The largest numbers of all processes; NaN is taken for the least.
    package func maximum(_ values: [Double]) throws(MetaLearnersError) -> [Double] {
        // The order of numbers is that of integers once those of negative numbers are turned round.
        func ordered(_ bits: Int64) -> Int64 { bits < 0 ? bits ^ .max : bits }
        let largest = try maximum(
            values.map { ordered(Int64(bitPattern: ($0.isNaN ? -.infinity : $0 + 0).bitPattern)) })
        return largest.map { Double(bitPattern: UInt64(bitPattern: ordered($0))) }
    }

    /// Whether any process says so, for each of several things.
    package func any(_ flags: [Bool]) throws(MetaLearnersError) -> [Bool] {
        try maximum(flags.map { $0 ? 1 : 0 }).map { $0 > 0 }
    }

    /// Whether any process says so.
    package func any(_ flag: Bool) throws(MetaLearnersError) -> Bool { try any([flag])[0] }

    /// How many each process has, in the order of ranks.
    package func counts(_ own: Int) throws(MetaLearnersError) -> [Int] {
        var counts = [Int](repeating: 0, count: size)
        counts[rank] = own
        return try sum(counts)
    }

    /// What each process has, in the order of ranks.
    package func gather(_ bytes: [UInt8]) throws(MetaLearnersError) -> [[UInt8]] {
        let counts = try counts(bytes.count)
        let all = try gather(bytes, counts: counts)
        var parts: [[UInt8]] = []
        var start = 0
        for count in counts {
            parts.append(Array(UnsafeBufferPointer(start: all.start + start, count: count)))
            start += count
        }
        return parts
    }

    /// What all processes have, one process after another.
    ///
    /// - Parameter counts: how many elements each process has, this one among them.
    package func gather<Element: BitwiseCopyable>(_ own: [Element], counts: [Int]) throws(MetaLearnersError)
        -> AlignedBuffer<Element>
    {
        let all = try AlignedBuffer<Element>(
            uninitialized: counts.reduce(0, +),
            remedy: "raise the limit of memory, or use fewer rows or columns")
        try own.withUnsafeBufferPointer { own throws(MetaLearnersError) in
            try gather(own, counts: counts, into: all.start)
        }
        return all
    }

    /// The most bytes of one message: who brings the network may count them by 32 bits.
    package static let largestMessage = 1 << 30

    /// Puts what all processes have one after another, in the order of ranks.
    ///
    /// - Parameters:
    ///   - counts: how many elements each process has, this one among them.
    ///   - all: has room for all of them.
    ///   - limit: the bytes of one message at most; what is more goes in several.
    package func gather<Element: BitwiseCopyable>(
        _ own: UnsafeBufferPointer<Element>, counts: [Int], into all: UnsafeMutablePointer<Element>,
        limit: Int = DistributedRows.largestMessage
    ) throws(MetaLearnersError) {
        let size = MemoryLayout<Element>.stride
        let total = counts.reduce(0, +)
        guard total * size > limit else {
            return try call(.gather, total * size) { collective throws(MetaLearnersError) in
                try collective.gather(
                    UnsafeRawBufferPointer(own), sizes: counts.map { $0 * size },
                    into: UnsafeMutableRawBufferPointer(start: all, count: total * size))
            }
        }
        let share = max(1, limit / (size * counts.count))
        let piece = try AlignedBuffer<Element>(uninitialized: share * counts.count)
        for first in stride(from: 0, to: counts.max() ?? 0, by: share) {
            let ownPiece = UnsafeBufferPointer(
                rebasing: own[min(first, own.count)..<min(first + share, own.count)])
            let parts = counts.map { min(max($0 - first, 0), share) }
            try gather(ownPiece, counts: parts, into: piece.start, limit: .max)
            var source = piece.start
            var target = all
            for (count, part) in zip(counts, parts) {
                if part > 0 { (target + first).update(from: source, count: part) }
                source += part
                target += count
            }
        }
    }

    /// The numbers of all processes, one process after another.
    package func gather(_ values: [Double]) throws(MetaLearnersError) -> [Double] {
        try gather(values.withUnsafeBytes { Array($0) }).flatMap { bytes in
            bytes.withUnsafeBytes { Array($0.bindMemory(to: Double.self)) }
        }
    }

    /// The numbers of the first process, for all; each has as many.
    ///
    /// For what every process computes from the same sums: processors of different kinds may round that differently.
    package func agreed(_ values: [Double]) throws(MetaLearnersError) -> [Double] {
        var values = values
        try call(.broadcast, values.count) { collective throws(MetaLearnersError) in
            try Self.applyRaw(&values) { bytes throws(MetaLearnersError) in
                try collective.broadcast(bytes, from: 0)
            }
        }
        return values
    }

    /// What lower ranks have together, and what all have: where this process's share of several counts begins.
    package func offsets(_ counts: [Int]) throws(MetaLearnersError) -> (before: [Int], total: [Int]) {
        var table = [Int](repeating: 0, count: size * counts.count)
        for (index, count) in counts.enumerated() { table[rank * counts.count + index] = count }
        table = try sum(table)
        func added(_ ranks: Range<Int>) -> [Int] {
            counts.indices.map { index in ranks.reduce(0) { $0 + table[$1 * counts.count + index] } }
        }
        return (added(0..<rank), added(0..<size))
    }

    /// Makes sure that all processes were given the same.
    ///
    /// - Parameters:
    ///   - text: what must be the same.
    ///   - what: what it is, for the error.
    /// - Throws: `invalidArgument` in every process where one was given something else.
    package func requireSame(_ text: String, _ what: String) throws(MetaLearnersError) {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for byte in text.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
        let halves = [Int64(hash >> 32), Int64(hash & 0xFFFF_FFFF)]
        let range = try maximum(halves + halves.map { -$0 })
        guard range[0] == -range[2], range[1] == -range[3] else {
            throw MetaLearnersError(
                .invalidArgument, at: "collective", "the processes were given different \(what)",
                remedy: "give every process the same")
        }
    }

    /// Ends what the processes do together; to be called by all once each has its result.
    package func finish() throws(MetaLearnersError) {
        try call(.finish, 0) { _ throws(MetaLearnersError) in }
        state.withLock { $0.isOver = true }
    }

    /// Tells the other processes that this one has failed, where they do not know yet.
    package func leave(for error: MetaLearnersError) {
        Self.leave(for: error, state, collective)
    }

    /// The same for a process that has not begun.
    static func leave(_ collective: any Collective, for error: MetaLearnersError) {
        guard collective.size > 0, (0..<collective.size).contains(collective.rank) else { return }
        leave(for: error, Lock(State()), collective)
    }

    private static func leave(
        for error: MetaLearnersError, _ state: Lock<State>, _ collective: any Collective
    ) {
        let isOver = state.withLock { state in
            defer { state.isOver = true }
            return state.isOver
        }
        guard !isOver else { return }
        do throws(MetaLearnersError) {
            let failed = try header(failed: collective.rank, 0, collective)
            try tell(Array(error.description.utf8), Int64(error.kind.rawValue), from: failed, collective)
        } catch {
            collective.leave()
        }
    }

    private func call(
        _ call: Call, _ count: Int,
        _ body: (any Collective) throws(MetaLearnersError) -> Void
    ) throws(MetaLearnersError) {
        try Self.guarding(state, collective) { () throws(MetaLearnersError) in
            try Self.agree(call, count, state, collective)
            if count > 0 { try body(collective) }
        }
    }

    /// Leaves the collective where a call fails by itself.
    private static func guarding(
        _ state: Lock<State>, _ collective: any Collective, _ body: () throws(MetaLearnersError) -> Void
    ) throws(MetaLearnersError) {
        guard !state.withLock({ $0.isOver }) else {
            throw MetaLearnersError(
                .internalFault, at: "collective", "the processes have parted already")
        }
        do throws(MetaLearnersError) {
            try body()
        } catch {
            let isOver = state.withLock { state in
                defer { state.isOver = true }
                return state.isOver
            }
            if isOver { throw error }
            collective.leave()
            throw MetaLearnersError(
                error.kind, at: "collective",
                "a call of process \(collective.rank) of \(collective.size) failed: \(error.problem)",
                remedy: error.remedy ?? "see what became of the other processes, and fit again")
        }
    }

    /// Makes sure that all processes are about to do the same, and that none has failed.
    private static func agree(
        _ call: Call, _ count: Int, _ state: Lock<State>, _ collective: any Collective
    ) throws(MetaLearnersError) {
        let number = state.withLock { state in
            state.calls += 1
            return state.calls
        }
        let code = Int64(
            truncatingIfNeeded: RandomStream.derivedSeed(
                UInt64(bitPattern: call.rawValue), UInt64(count), UInt64(number)) >> 2)
        let failed = try header(failed: nil, code, collective)
        guard failed != collective.rank else { return }
        state.withLock { $0.isOver = true }
        guard failed >= 0 else {
            throw MetaLearnersError(
                .invalidArgument, at: "collective", "the processes do not do the same",
                remedy:
                    "give every process the same spec, the same options and the same columns, and the same version of the library"
            )
        }
        let told = try tell([], 0, from: failed, collective)
        throw MetaLearnersError(
            MetaLearnersError.Kind(rawValue: Int32(truncatingIfNeeded: told.kind)) ?? .internalFault,
            at: "collective",
            "process \(failed) of \(collective.size) ended the work: "
                + String(decoding: told.text, as: UTF8.self))
    }

    /// Compares what the processes are about to do.
    ///
    /// - Returns: the number of a process that has failed; that of this one where none has and all do the same; else −1.
    private static func header(failed: Int?, _ code: Int64, _ collective: any Collective)
        throws(MetaLearnersError) -> Int
    {
        var values: [Int64] = [failed.map { Int64($0) + 1 } ?? 0, code, failed == nil ? -code : .min / 2]
        try apply(&values, collective.maximum)
        if values[0] > 0 { return Int(values[0]) - 1 }
        return values[1] == -values[2] ? collective.rank : -1
    }

    /// Brings the message of a process that has failed to all.
    @discardableResult
    private static func tell(
        _ text: [UInt8], _ kind: Int64, from root: Int, _ collective: any Collective
    ) throws(MetaLearnersError) -> (kind: Int64, text: [UInt8]) {
        let isRoot = root == collective.rank
        var head: [Int64] = isRoot ? [Int64(text.count), kind] : [0, 0]
        try applyRaw(&head) { bytes throws(MetaLearnersError) in try collective.broadcast(bytes, from: root) }
        var bytes = isRoot ? text : [UInt8](repeating: 0, count: Int(head[0]))
        guard !bytes.isEmpty else { return (head[1], bytes) }
        try applyRaw(&bytes) { bytes throws(MetaLearnersError) in try collective.broadcast(bytes, from: root)
        }
        return (head[1], bytes)
    }

    private static func applyRaw<Element: BitwiseCopyable>(
        _ values: inout [Element],
        _ body: (UnsafeMutableRawBufferPointer) throws(MetaLearnersError) -> Void
    ) throws(MetaLearnersError) {
        try values.withUnsafeMutableBufferPointer { values throws(MetaLearnersError) in
            try body(UnsafeMutableRawBufferPointer(values))
        }
    }

    private static func apply<Element: BitwiseCopyable>(
        _ values: inout [Element],
        _ body: (UnsafeMutableBufferPointer<Element>) throws(MetaLearnersError) -> Void
    ) throws(MetaLearnersError) {
        try values.withUnsafeMutableBufferPointer { values throws(MetaLearnersError) in try body(values) }
    }
}

extension Optional where Wrapped == DistributedRows {
    /// The sums over all processes; the numbers themselves where there are no others.
    package func sum(_ values: [Double]) throws(MetaLearnersError) -> [Double] {
        try self?.sum(values) ?? values
    }

    /// The sums over all processes; the numbers themselves where there are no others.
    package func sum(_ values: [Int]) throws(MetaLearnersError) -> [Int] {
        try self?.sum(values) ?? values
    }

    /// The sum of the terms of all processes.
    package func sum(_ sums: [ExactSum]) throws(MetaLearnersError) -> [ExactSum] {
        try self?.sum(sums) ?? sums
    }

    /// The largest numbers of all processes.
    package func maximum(_ values: [Double]) throws(MetaLearnersError) -> [Double] {
        try self?.maximum(values) ?? values
    }

    /// Whether any process says so, for each of several things.
    package func any(_ flags: [Bool]) throws(MetaLearnersError) -> [Bool] {
        try self?.any(flags) ?? flags
    }

    /// The numbers of the first process, for all; each has as many.
    package func agreed(_ values: [Double]) throws(MetaLearnersError) -> [Double] {
        try self?.agreed(values) ?? values
    }

    /// The numbers of all processes, one process after another.
    package func gather(_ values: [Double]) throws(MetaLearnersError) -> [Double] {
        try self?.gather(values) ?? values
    }

    /// What lower ranks have together, and what all have; nothing comes before where there are no others.
    package func offsets(_ counts: [Int]) throws(MetaLearnersError) -> (before: [Int], total: [Int]) {
        try self?.offsets(counts) ?? (counts.map { _ in 0 }, counts)
    }
}
