import MetaLearnersCore
import Testing

import metalearners_cli

@Suite("Decimal numbers")
struct DecimalParserTests {
    private func parse(_ text: String) -> Double? {
        Array(text.utf8).withUnsafeBufferPointer { DecimalParser.parse($0) }
    }

    @Test("every number reads back as the same bits from its fewest digits and from 17")
    func numbersReadBack() {
        var stream = RandomStream(seed: 1)
        for _ in 0..<20_000 {
            let any = Double(bitPattern: stream.next())
            let plain = (stream.uniform() - 0.5) * [1, 10, 1e3, 1e6, 1e9][stream.integer(below: 5)]
            for number in [any, plain] where number.isFinite {
                #expect(parse("\(number)")?.bitPattern == number.bitPattern, "\(number)")
            }
        }
    }

    @Test("digits in any number and any place of the point round as the standard library does")
    func roundingAgreesWithTheStandardLibrary() {
        var stream = RandomStream(seed: 2)
        for _ in 0..<20_000 {
            var digits = ""
            for _ in 0..<(1 + stream.integer(below: 25)) { digits += String(stream.integer(below: 10)) }
            let point = digits.index(digits.startIndex, offsetBy: stream.integer(below: digits.count + 1))
            var text = digits[..<point] + "." + digits[point...]
            if stream.integer(below: 3) == 0 { text += "e\(stream.integer(below: 60) - 30)" }
            guard let expected = Double(String(text)) else { continue }
            #expect(parse(String(text)) == expected, "\(text)")
        }
    }

    @Test(
        "ties and the ends of the range round correctly",
        arguments: [
            ("9007199254740993", 9_007_199_254_740_992), ("9007199254740995", 9_007_199_254_740_996),
            ("0.1", 0.1), ("1e23", 1e23), ("8.5e-5", 8.5e-5),
            ("2.2250738585072011e-308", Double.leastNormalMagnitude.nextDown),
            ("4.9e-324", .leastNonzeroMagnitude), ("1e-400", 0), ("1e400", .infinity), ("-Inf", -.infinity),
            ("+infinity", .infinity), ("0e999999999999999999999", 0), ("00012", 12), ("1.", 1), (".5", 0.5),
            ("18446744073709551616", 18_446_744_073_709_551_616),
            ("123456789012345678901234567890e-10", 12345678901234567890.123456789),
        ] as [(String, Double)])
    func edges(_ text: String, _ expected: Double) {
        #expect(parse(text) == expected)
    }

    @Test(
        "what is no decimal number is none",
        arguments: [
            "", "-", "+", ".", "e5", "1e", "1e+", "1x", "0x1p3", "1 ", "1,5", "1_000", "in", "infin", "nan",
            "--1", "1.2.3",
        ])
    func otherTextsAreNoNumbers(_ text: String) {
        #expect(parse(text) == nil)
    }

    @Test("a negative zero keeps its sign")
    func negativeZero() {
        #expect(parse("-0.0")?.sign == .minus)
    }
}
