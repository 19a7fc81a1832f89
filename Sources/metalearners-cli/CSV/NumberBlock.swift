import MetaLearnersCore

/// Some rows of a column, in the narrowest type that holds their numbers exactly.
///
/// Data files are full of counts, codes and flags: kept this way they take less memory than their text.
struct NumberBlock {
    /// How the numbers are stored.
    private enum Storage {
        case int8([Int8])
        case int16([Int16])
        case int32([Int32])
        case float32([Float])
        case float64([Double])
    }

    private let storage: Storage

    /// Packs `numbers`; NaN is missing.
    init(_ numbers: [Double]) {
        var low = 0.0
        var high = 0.0
        var areIntegers = true
        var areFloats = true
        for number in numbers {
            if areIntegers {
                areIntegers = number == number.rounded(.towardZero) && abs(number) <= 0x1p31
                low = min(low, number)
                high = max(high, number)
            }
            if areFloats { areFloats = number.isNaN || Double(Float(number)) == number }
            if !areIntegers, !areFloats { break }
        }
        if areIntegers, low >= Double(Int8.min), high <= Double(Int8.max) {
            storage = .int8(numbers.map { Int8($0) })
        } else if areIntegers, low >= Double(Int16.min), high <= Double(Int16.max) {
            storage = .int16(numbers.map { Int16($0) })
        } else if areIntegers, low >= Double(Int32.min), high <= Double(Int32.max) {
            storage = .int32(numbers.map { Int32($0) })
        } else if areFloats {
            storage = .float32(numbers.map { Float($0) })
        } else {
            storage = .float64(numbers)
        }
    }

    /// How many rows there are.
    var count: Int {
        switch storage {
        case .int8(let values): values.count
        case .int16(let values): values.count
        case .int32(let values): values.count
        case .float32(let values): values.count
        case .float64(let values): values.count
        }
    }

    /// The type of the numbers.
    var element: StridedValues.Element {
        switch storage {
        case .int8: .int8
        case .int16: .int16
        case .int32: .int32
        case .float32: .float32
        case .float64: .float64
        }
    }

    /// The narrowest type that holds the numbers of blocks of both types exactly.
    static func common(_ first: StridedValues.Element, _ second: StridedValues.Element)
        -> StridedValues.Element
    {
        if first == second { return first }
        if !first.isFloatingPoint, !second.isFloatingPoint {
            return first.size > second.size ? first : second
        }
        // A Float holds every 16-bit integer, and not every 32-bit one.
        let fitFloat: (StridedValues.Element) -> Bool = { $0 == .float32 || $0 == .int16 || $0 == .int8 }
        return fitFloat(first) && fitFloat(second) ? .float32 : .float64
    }

    /// Calls `body` with each number, in order.
    func forEach(_ body: (Double) -> Void) {
        switch storage {
        case .int8(let values): for value in values { body(Double(value)) }
        case .int16(let values): for value in values { body(Double(value)) }
        case .int32(let values): for value in values { body(Double(value)) }
        case .float32(let values): for value in values { body(Double(value)) }
        case .float64(let values): for value in values { body(value) }
        }
    }
}
