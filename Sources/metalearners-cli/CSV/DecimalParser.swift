/// Reads decimal numbers from bytes, each rounded correctly to the nearest double.
package enum DecimalParser {
    /// The number that `bytes` spell in full; nil where they are no number.
    ///
    /// A number is an optional sign, digits with an optional point, and an optional exponent; or `inf` or
    /// `infinity` in any case. Hexadecimal numbers, thousands separators and surrounding blanks are no part of one.
    ///
    /// - Parameter decimal: what stands before the decimals: a point, or in some languages a comma.
    ///
    /// Up to 19 significant digits and moderate exponents take exact integer arithmetic; the rest the standard library.
    package static func parse(
        _ bytes: UnsafeBufferPointer<UInt8>, decimal: UInt8 = UInt8(ascii: ".")
    ) -> Double? {
        guard let start = bytes.baseAddress, !bytes.isEmpty else { return nil }
        let end = start + bytes.count
        var position = start
        let isNegative = position.pointee == UInt8(ascii: "-")
        if isNegative || position.pointee == UInt8(ascii: "+") { position += 1 }

        var significand: UInt64 = 0
        var significantDigits = 0
        var digits = 0
        var exponent = 0
        @inline(__always) func readDigits() {
            while position < end {
                let digit = position.pointee &- UInt8(ascii: "0")
                guard digit < 10 else { return }
                if significantDigits > 0 || digit != 0 { significantDigits += 1 }
                if significantDigits <= 19 { significand = significand &* 10 &+ UInt64(digit) }
                digits += 1
                position += 1
            }
        }
        readDigits()
        if position < end, position.pointee == decimal {
            position += 1
            let before = digits
            readDigits()
            exponent = before - digits
        }
        guard digits > 0 else { return infinity(bytes) }
        if position < end, position.pointee | 0x20 == UInt8(ascii: "e") {
            position += 1
            guard let written = readExponent(&position, end) else { return nil }
            exponent += written
        }
        guard position == end else { return nil }
        if significand == 0 { return isNegative ? -0.0 : 0.0 }
        if significantDigits <= 19, let value = exact(significand, exponent) {
            return isNegative ? -value : value
        }
        return standard(bytes, decimal)
    }

    /// The exponent after its `e`; nil where there are no digits. Absurd ones are cut at a million.
    private static func readExponent(_ position: inout UnsafePointer<UInt8>, _ end: UnsafePointer<UInt8>)
        -> Int?
    {
        guard position < end else { return nil }
        let isNegative = position.pointee == UInt8(ascii: "-")
        if isNegative || position.pointee == UInt8(ascii: "+") { position += 1 }
        guard position < end else { return nil }
        var value = 0
        while position < end {
            let digit = position.pointee &- UInt8(ascii: "0")
            guard digit < 10 else { return nil }
            value = min(value * 10 + Int(digit), 1_000_000)
            position += 1
        }
        return isNegative ? -value : value
    }

    /// significand · 10^exponent rounded once, where both sides are small enough for that; else nil.
    ///
    /// A division by 10^q, q ≤ 19, is done on integers: the quotient of the normalised operands has at least 63
    /// bits, and a remainder is kept as its lowest bit, so that the conversion to 53 bits rounds just once.
    private static func exact(_ significand: UInt64, _ exponent: Int) -> Double? {
        if exponent == 0 { return Double(significand) }
        if exponent > 0 {
            guard exponent <= 22, significand <= 1 << 53 else { return nil }
            return Double(significand) * powersOfTen[exponent]
        }
        if significand <= 1 << 53, exponent >= -22 { return Double(significand) / powersOfTen[-exponent] }
        guard exponent >= -19 else { return nil }
        let divisor = integerPowersOfTen[-exponent]
        let divisorShift = divisor.leadingZeroBitCount
        let shift = significand.leadingZeroBitCount
        let numerator = significand << UInt64(shift)
        let (quotient, remainder) = (divisor << UInt64(divisorShift))
            .dividingFullWidth((high: numerator >> 1, low: numerator << 63))
        let rounded = Double(quotient | (remainder == 0 ? 0 : 1))
        return rounded * Double(sign: .plus, exponent: divisorShift - shift - 63, significand: 1)
    }

    private static func infinity(_ bytes: UnsafeBufferPointer<UInt8>) -> Double? {
        guard let first = bytes.first else { return nil }
        let isSigned = first == UInt8(ascii: "-") || first == UInt8(ascii: "+")
        let word = bytes.dropFirst(isSigned ? 1 : 0)
        guard word.count == 3 || word.count == 8 else { return nil }
        guard word.map({ $0 | 0x20 }) == Array((word.count == 3 ? "inf" : "infinity").utf8) else {
            return nil
        }
        return first == UInt8(ascii: "-") ? -.infinity : .infinity
    }

    private static func standard(_ bytes: UnsafeBufferPointer<UInt8>, _ decimal: UInt8) -> Double? {
        // Not by the C library: it reads numbers as the locale has them.
        let text = bytes.lazy.map { $0 == decimal ? UInt8(ascii: ".") : $0 }
        return Double(String(decoding: text, as: UTF8.self))
    }

    private static let powersOfTen: [Double] = [
        1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17,
        1e18,
        1e19, 1e20, 1e21, 1e22,
    ]

    private static let integerPowersOfTen: [UInt64] = [
        1, 10, 100, 1_000, 10_000, 100_000, 1_000_000, 10_000_000, 100_000_000, 1_000_000_000, 10_000_000_000,
        100_000_000_000, 1_000_000_000_000, 10_000_000_000_000, 100_000_000_000_000, 1_000_000_000_000_000,
        10_000_000_000_000_000, 100_000_000_000_000_000, 1_000_000_000_000_000_000,
        10_000_000_000_000_000_000,
    ]
}
