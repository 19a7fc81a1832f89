#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// Numbers within the sentences of findings.
package enum FindingNumbers {
    /// A number with four significant digits.
    package static func text(_ number: Double) -> String { text(number, scale: number) }

    /// Numbers that stand side by side, all with as many decimals as show four significant digits of the largest.
    package static func texts(_ numbers: [Double]) -> [String] {
        let scale = numbers.filter(\.isFinite).map(abs).max() ?? 0
        return numbers.map { text($0, scale: scale) }
    }

    /// A share in percent: 12.5 %.
    package static func percent(_ share: Double) -> String {
        text((share * 1000).rounded() / 10, scale: 100) + " %"
    }

    /// A whole number with its thousands set apart: 20,190.
    package static func count(_ number: Int) -> String {
        var text = ""
        for (index, digit) in String(number.magnitude).reversed().enumerated() {
            if index > 0, index.isMultiple(of: 3) { text.append(",") }
            text.append(digit)
        }
        return (number < 0 ? "-" : "") + String(text.reversed())
    }

    /// A p-value with its sign: p = 0.034, p < 0.001.
    package static func pValue(_ number: Double) -> String {
        guard number.isFinite else { return "without a p-value" }
        return number < 0.001 ? "p < 0.001" : "p = \(text(number, scale: 1))"
    }

    /// An interval: "95 % interval -0.2 to 1.3".
    package static func interval(_ lower: Double, _ upper: Double, level: Double) -> String {
        let ends = texts([lower, upper])
        return "\(percent(level)) interval \(ends[0]) to \(ends[1])"
    }

    private static func text(_ number: Double, scale: Double) -> String {
        guard number.isFinite, abs(number) < 1e15, scale != 0 else { return number == 0 ? "0" : "\(number)" }
        let decimals = min(max(3 - Int(log10(abs(scale)).rounded(.down)), 0), 12)
        let factor = pow(10, Double(decimals))
        let rounded = (number * factor).rounded() / factor
        let text = rounded == 0 ? "0" : "\(rounded)"
        return text.hasSuffix(".0") ? String(text.dropLast(2)) : text
    }
}
