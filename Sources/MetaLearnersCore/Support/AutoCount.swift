/// A number that a spec names, or leaves to what the data say.
public enum AutoCount: Sendable, Hashable, ExpressibleByIntegerLiteral {
    /// Found from the data; whose number it is says how.
    case auto
    /// As named.
    case exactly(Int)

    public init(integerLiteral value: Int) { self = .exactly(value) }

    /// The number, where one is named.
    public var number: Int? { if case .exactly(let number) = self { number } else { nil } }

    /// As specs have it.
    public var specValue: SpecValue { number.map { .integer($0) } ?? .string("auto") }
}

extension Parameter {
    /// An integer within `range`, or `auto`.
    public static func integerOrAuto(
        _ name: String, _ path: any WritableKeyPath<Spec, AutoCount> & Sendable, in range: ClosedRange<Int>,
        _ summary: String
    ) -> Parameter {
        let text = "auto, or integer, \(range.lowerBound) to \(range.upperBound)"
        return Parameter(name, summary, range: text) { value, place, spec throws(MetaLearnersError) in
            if value.stringValue?.lowercased() == "auto" {
                spec[keyPath: path] = .auto
                return
            }
            guard let number = value.integerValue else {
                throw place.error("must be auto or an integer, not \(value.kindName)")
            }
            guard range.contains(number) else { throw place.error("is \(number), must be: \(text)") }
            spec[keyPath: path] = .exactly(number)
        } write: {
            $0[keyPath: path].specValue
        }
    }

    /// A finite number within `range`, or `auto`, which is nil.
    public static func numberOrAuto(
        _ name: String, _ path: any WritableKeyPath<Spec, Double?> & Sendable,
        in range: ClosedRange<Double>, _ summary: String
    ) -> Parameter {
        let low = SpecValue.number(range.lowerBound).json()
        let high = SpecValue.number(range.upperBound).json()
        let text =
            "auto, or "
            + (range.upperBound == .infinity ? "number ≥ \(low)" : "number, \(low) ≤ x ≤ \(high)")
        return Parameter(name, summary, range: text) { value, place, spec throws(MetaLearnersError) in
            if value.stringValue?.lowercased() == "auto" {
                spec[keyPath: path] = nil
                return
            }
            guard let number = value.doubleValue else {
                throw place.error("must be auto or a number, not \(value.kindName)")
            }
            guard number.isFinite, range.contains(number) else {
                throw place.error("is \(value.json()), must be: \(text)")
            }
            spec[keyPath: path] = number
        } write: {
            $0[keyPath: path].map { .number($0) } ?? .string("auto")
        }
    }
}
