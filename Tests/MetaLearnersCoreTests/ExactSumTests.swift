import MetaLearnersCore
import Testing
import _TestSupport

@Suite("Exact sums")
struct ExactSumTests {
    private func sum(_ values: [Double]) -> Double { ExactSum.of(values) { $0 } }

    @Test("A sum is the exact one, rounded once")
    func exact() {
        #expect(sum([]) == 0)
        #expect(sum([1e308, 1, -1e308]) == 1)
        #expect(sum([1, 1e-320, -1]) == 1e-320)
        #expect(sum([0x1p53, 1, 1]) == 0x1p53 + 2)
        #expect(sum([-0x1p53, -1, -1]) == -0x1p53 - 2)
        // A tie goes to the even neighbour, and anything beyond it away from the tie.
        #expect(sum([0x1p53, 1]) == 0x1p53)
        #expect(sum([0x1p53, 1, 0x1p-1000]) == 0x1p53 + 2)
        #expect(sum([0x1p53 + 2, 1]) == 0x1p53 + 4)
        #expect(sum([0.1, 0.2, 0.3, -0.6]) == 0.1 + 0.2 + 0.3 - 0.6 || sum([0.1, 0.2, 0.3, -0.6]) < 1e-16)
        #expect(sum([.greatestFiniteMagnitude, .greatestFiniteMagnitude]) == .infinity)
        #expect(
            sum([Double.leastNonzeroMagnitude, -3 * .leastNonzeroMagnitude]) == -2 * .leastNonzeroMagnitude)
    }

    @Test("What is not finite stays so")
    func notFinite() {
        #expect(sum([.infinity, 1]) == .infinity)
        #expect(sum([-.infinity, 1]) == -.infinity)
        #expect(sum([.infinity, -.infinity]).isNaN)
        #expect(sum([.nan, 1]).isNaN)
    }

    @Test(
        "Neither the order of the terms nor how they are parted changes a bit",
        arguments: 1...20 as ClosedRange<UInt64>)
    func order(seed: UInt64) {
        var stream = RandomStream(seed: seed)
        var values = (0..<500).map { _ in
            Double(
                sign: stream.uniform() < 0.5 ? .minus : .plus, exponent: stream.integer(below: 600) - 300,
                significand: 1 + stream.uniform())
        }
        let whole = sum(values)
        let cancelled = sum(values + values.map { -$0 })
        #expect(cancelled == 0)
        stream.shuffle(&values)
        #expect(sum(values) == whole)
        var parts = ExactSum()
        var words = [Int64](repeating: 0, count: ExactSum.wordCount)
        for first in stride(from: 0, to: 500, by: 7) {
            var part = ExactSum()
            part.add(Array(values[first..<min(first + 7, 500)])) { $0 }
            parts.add(part)
            for (index, word) in part.normalizedWords.enumerated() { words[index] += word }
        }
        #expect(parts.value == whole)
        #expect(ExactSum(words: words).value == whole)
    }

    @Test("Sums of numbers of one size agree with those of long integers")
    func integers() {
        var stream = RandomStream(seed: 3)
        let values = (0..<10_000).map { _ in Int64(truncatingIfNeeded: stream.next()) >> 12 }
        let exact = values.reduce(Int128(0)) { $0 + Int128($1) }
        #expect(sum(values.map { Double($0) * 0x1p-40 }) == Double(exact) * 0x1p-40)
    }
}
