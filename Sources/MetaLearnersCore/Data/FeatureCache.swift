/// What base estimators keep between fits on the same features: quantised columns, factorised matrices.
///
/// Values are looked up by their type and a key that the estimator chooses. The first to ask for a value makes
/// it while others who ask for the same wait.
public final class FeatureCache: Sendable {
    private struct Key: Hashable {
        let type: ObjectIdentifier
        let name: String
    }

    private final class Slot: Sendable {
        let value = Lock<(any Sendable)?>(nil) { nil }
    }

    private let slots = Lock<[Key: Slot]>([:]) { [:] }

    /// The weight of each row, whichever fit asks, for what describes the columns; nil where all count alike.
    public let rowWeights: [Double]?

    /// Creates an empty cache.
    ///
    /// - Parameter rowWeights: the weight of each row of the dataset. Fits may weight rows otherwise.
    public init(rowWeights: [Double]? = nil) { self.rowWeights = rowWeights }

    /// The value of `type` under `name`; `make` makes it where it is not there yet.
    ///
    /// `make` must not ask the same cache for the same value.
    public func value<Value: Sendable>(
        of type: Value.Type, named name: String, make: () throws(MetaLearnersError) -> Value
    ) throws(MetaLearnersError) -> Value {
        let key = Key(type: ObjectIdentifier(type), name: name)
        let slot = slots.withLock { slots in
            if let slot = slots[key] { return slot }
            let slot = Slot()
            slots[key] = slot
            return slot
        }
        let result: Result<Value, MetaLearnersError> = slot.value.withLock { stored in
            if let value = stored as? Value { return .success(value) }
            do throws(MetaLearnersError) {
                let value = try make()
                stored = value
                return .success(value)
            } catch {
                return .failure(error)
            }
        }
        return try result.get()
    }

    /// Forgets everything, to give its memory back.
    public func removeAll() { slots.withLock { $0.removeAll() } }
}
