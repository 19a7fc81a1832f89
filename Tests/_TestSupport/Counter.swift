import Synchronization

/// A number that several threads may add to.
package final class Counter: Sendable {
    private let number = Atomic<Int>(0)

    package init() {}

    /// Adds to the number.
    package func add(_ amount: Int) { number.add(amount, ordering: .relaxed) }

    /// What was added up.
    package var value: Int { number.load(ordering: .relaxed) }
}
