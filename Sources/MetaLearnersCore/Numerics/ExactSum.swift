/// The sum of numbers in double precision without any rounding on the way: the same whatever the order of the terms, and
/// whichever process holds which of them.
///
/// A number is a whole multiple of 2⁻¹⁰⁷⁴, so that the sum is a long integer. It is kept in digits of 32 bits, each in a
/// word of 64 that has room for 2³⁰ terms before carries must move on (Kulisch's long accumulator; Neal 2015, arXiv
/// 1505.05571, has the form with overlapping words). Sums of several processes are merged by adding their words.
package struct ExactSum: Sendable {
    /// Digits of 2¹⁰²⁴ and a little more, over 2⁻¹⁰⁷⁴.
    @usableFromInline static let digits = 68
    /// Digits, then how many terms were +∞, −∞ and NaN.
    package static let wordCount = digits + 3
    @usableFromInline static let termsBetweenCarries = 1 << 30

    @usableFromInline var words = [Int64](repeating: 0, count: ExactSum.wordCount)
    @usableFromInline var terms = 0

    /// The sum of nothing.
    package init() {}

    /// The words of a sum, with every digit but the highest within 0..<2³²: words of up to 2³⁰ sums may be added.
    package var normalizedWords: [Int64] {
        var normalized = self
        normalized.carry()
        return normalized.words
    }

    /// The sum whose words these are, or the words of several sums added up.
    package init(words: some Collection<Int64>) {
        self.words = Array(words.prefix(Self.wordCount))
        terms = Self.termsBetweenCarries
    }

    /// Adds a number.
    package mutating func add(_ value: Double) {
        makeRoom(for: 1)
        words.withUnsafeMutableBufferPointer { Self.add(value, to: $0) }
    }

    /// Adds the sum of other terms.
    package mutating func add(_ other: ExactSum) {
        carry()
        for (index, word) in other.normalizedWords.enumerated() { words[index] += word }
        terms = 1
    }

    /// Adds `term` of each of `elements`.
    ///
    /// - Complexity: about 5 ns a term.
    @inlinable
    @inline(__always)
    package mutating func add<Element>(_ elements: [Element], _ term: (Element) -> Double) {
        var first = 0
        while first < elements.count {
            let end = min(elements.count, first + Self.termsBetweenCarries / 2)
            makeRoom(for: end - first)
            words.withUnsafeMutableBufferPointer { words in
                for index in first..<end { Self.add(term(elements[index]), to: words) }
            }
            first = end
        }
    }

    /// The exact sum of `term` over `elements`, rounded once.
    @inlinable
    @inline(__always)
    package static func of<Element>(_ elements: [Element], _ term: (Element) -> Double) -> Double {
        var sum = ExactSum()
        sum.add(elements, term)
        return sum.value
    }

    /// The number nearest to the sum; infinite beyond the range of numbers, and NaN where a term was.
    package var value: Double {
        if words[Self.digits + 2] != 0 || words[Self.digits] != 0 && words[Self.digits + 1] != 0 {
            return .nan
        }
        if words[Self.digits] != 0 { return .infinity }
        if words[Self.digits + 1] != 0 { return -.infinity }
        var magnitude = self
        magnitude.carry()
        let isNegative = magnitude.words[Self.digits - 1] < 0
        if isNegative {
            for index in 0..<Self.digits { magnitude.words[index].negate() }
            magnitude.terms = Self.termsBetweenCarries
            magnitude.carry()
        }
        guard let top = (0..<Self.digits).last(where: { magnitude.words[$0] != 0 }) else { return 0 }
        func digit(_ index: Int) -> UInt64 {
            index >= 0 ? UInt64(truncatingIfNeeded: magnitude.words[index]) : 0
        }
        // The 64 highest bits, the lowest of them set where anything below them is: it decides what is half way.
        let shift = UInt64(digit(top) >> 32 == 0 ? digit(top).leadingZeroBitCount - 32 : 0)
        let high = digit(top) << 32 | digit(top - 1)
        var bits = shift == 0 ? high : high << shift | digit(top - 2) >> (32 - shift)
        let left = shift == 0 ? digit(top - 2) : digit(top - 2) << (32 + shift)
        let isInexact = left != 0 || (0..<max(0, top - 2)).contains { magnitude.words[$0] != 0 }
        if isInexact { bits |= 1 }
        let exponent = 32 * (top - 1) - Int(shift) - 1074
        let value = Double(sign: .plus, exponent: exponent, significand: Double(bits))
        return isNegative ? -value : value
    }

    /// Moves carries on where so many more terms could fill a word.
    @usableFromInline
    mutating func makeRoom(for count: Int) {
        if terms + count > Self.termsBetweenCarries { carry() }
        terms += count
    }

    /// Brings all digits but the highest into 0..<2³².
    private mutating func carry() {
        var carried: Int64 = 0
        for index in 0..<Self.digits - 1 {
            let word = words[index] + carried
            carried = word >> 32
            words[index] = word & 0xFFFF_FFFF
        }
        words[Self.digits - 1] += carried
        terms = 1
    }

    @inlinable
    @inline(__always)
    static func add(_ value: Double, to words: UnsafeMutableBufferPointer<Int64>) {
        let bits = value.bitPattern
        let exponent = Int(bits >> 52) & 0x7FF
        let fraction = bits & 0xF_FFFF_FFFF_FFFF
        guard exponent < 0x7FF else {
            words[fraction != 0 ? digits + 2 : value > 0 ? digits : digits + 1] &+= 1
            return
        }
        let significand = exponent == 0 ? fraction : fraction | 1 << 52
        let place = max(exponent - 1, 0)
        let first = place &>> 5
        let shift = UInt64(truncatingIfNeeded: place & 31)
        let low = significand &<< shift
        let high = Int64(truncatingIfNeeded: (significand &>> 1) &>> (63 &- shift))
        // All bits set where the number is negative: (x ^ sign) − sign is then −x.
        let sign = Int64(bitPattern: bits) &>> 63
        words[first] &+= (Int64(truncatingIfNeeded: low & 0xFFFF_FFFF) ^ sign) &- sign
        words[first &+ 1] &+= (Int64(truncatingIfNeeded: low &>> 32) ^ sign) &- sign
        words[first &+ 2] &+= (high ^ sign) &- sign
    }
}
