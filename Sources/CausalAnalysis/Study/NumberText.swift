#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// Numbers as text: in full for programs, rounded sensibly for people.
package enum NumberText {
    /// The fewest digits that read back as the same number; empty for NaN, and no fraction where there is none.
    package static func shortest(_ number: Double) -> String {
        if number.isNaN { return "" }
        let text = "\(number)"
        return text.hasSuffix(".0") ? String(text.dropLast(2)) : text
    }

    /// Numbers of one table, all with the same decimals: four significant digits in the largest of them.
    package static func aligned(_ numbers: [Double]) -> [String] {
        let decimals = decimals(for: numbers)
        return numbers.map { fixed($0, decimals: decimals) }
    }

    /// How many decimals show four significant digits of the largest of `numbers`.
    package static func decimals(for numbers: [Double]) -> Int {
        let largest = numbers.filter(\.isFinite).map(abs).max() ?? 0
        guard largest > 0 else { return 2 }
        return min(max(3 - Int(log10(largest).rounded(.down)), 0), 12)
    }

    /// A number with so many decimals.
    package static func fixed(_ number: Double, decimals: Int) -> String {
        guard number.isFinite else { return number.isNaN ? "-" : "\(number)" }
        if abs(number) >= 1e12 { return formatted("%.4g", number) }
        let text = formatted("%.\(min(max(decimals, 0), 40))f", number)
        return text.allSatisfy { "-0.".contains($0) } && text.hasPrefix("-") ? String(text.dropFirst()) : text
    }

    /// A number as the C library writes it. Foundation would do the same, and bring 40 MB of the world's languages along.
    private static func formatted(_ format: String, _ number: Double) -> String {
        // The longest: a sign, 12 digits, a point and 40 decimals.
        withUnsafeTemporaryAllocation(of: CChar.self, capacity: 64) { text in
            let count = withVaList([number]) { vsnprintf(text.baseAddress, text.count, format, $0) }
            let bytes = text.prefix(min(max(Int(count), 0), text.count - 1))
            return String(decoding: bytes.lazy.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        }
    }

    /// A p-value: three decimals, small ones as a bound.
    package static func pValue(_ number: Double) -> String {
        guard number.isFinite else { return "-" }
        return number < 0.001 ? "<0.001" : fixed(number, decimals: 3)
    }

    /// A share in percent, without the sign: 95 for 0.95, 99.9 for 0.999.
    package static func percent(_ share: Double) -> String {
        shortest((share * 1e12).rounded() / 1e10)
    }

    /// A whole number with its thousands set apart: 10,391.
    package static func grouped(_ number: Int) -> String {
        var text = ""
        for (index, digit) in String(number.magnitude).reversed().enumerated() {
            if index > 0, index % 3 == 0 { text.append(",") }
            text.append(digit)
        }
        return (number < 0 ? "-" : "") + String(text.reversed())
    }

    /// A count of things: 1 field, 2 fields.
    package static func counted(_ number: Int, _ noun: String, plural: String? = nil) -> String {
        "\(grouped(number)) \(number == 1 ? noun : plural ?? noun + "s")"
    }
}
