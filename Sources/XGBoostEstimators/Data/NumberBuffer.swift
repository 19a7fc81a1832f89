/// Numbers in memory of their own, for loops in which parts of the work write parts of the numbers.
final class NumberBuffer<Number: BitwiseCopyable & Sendable>: @unchecked Sendable {
    // Whoever shares a buffer between threads gives each its own range.
    let start: UnsafeMutablePointer<Number>
    let count: Int

    /// Makes `count` numbers, each of them `value`.
    init(repeating value: Number, count: Int) {
        self.count = count
        start = UnsafeMutablePointer<Number>.allocate(capacity: max(count, 1))
        start.initialize(repeating: value, count: count)
    }

    deinit { start.deallocate() }
}
