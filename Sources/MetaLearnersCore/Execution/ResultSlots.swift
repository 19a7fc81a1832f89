/// A place for the result of each part of work that runs side by side.
package final class ResultSlots<Value: Sendable>: Sendable {
    private let values: Lock<[Value?]>

    package init(count: Int) { values = Lock([Value?](repeating: nil, count: count)) }

    package subscript(index: Int) -> Value? {
        get { values.withLock { $0[index] } }
        set { values.withLock { $0[index] = newValue } }
    }
}
