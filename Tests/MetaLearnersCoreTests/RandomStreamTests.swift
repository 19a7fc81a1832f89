import MetaLearnersCore
import Testing
import _TestSupport

@Suite("Random streams")
struct RandomStreamTests {
    private static func stream(_ seed: UInt64, _ path: [Int32]) -> RandomStream {
        let steps = path.map { UInt64($0) }
        switch steps.count {
        case 0: return RandomStream(seed: seed)
        case 1: return RandomStream(seed: seed, path: steps[0])
        default: return RandomStream(seed: seed, path: steps[0], steps[1])
        }
    }

    @Test("An independent implementation of xoshiro256** and SplitMix64 gives the same words")
    func knownAnswers() throws {
        let cases = try Fixture("random_stream").part("cases").parts()
        #expect(cases.count == 8)
        for entry in cases {
            let seed = try #require(UInt64(entry.text("seed"), radix: 16))
            let path = try entry.integers("path")
            var words = Self.stream(seed, path)
            for expected in try entry.texts("words") {
                #expect(words.next() == UInt64(expected, radix: 16))
            }
            var uniform = Self.stream(seed, path)
            for expected in try entry.numbers("uniform") { #expect(uniform.uniform() == expected) }
        }
    }

    @Test("A derived seed is the first word of the mixer, and changes with every step of the path")
    func derivedSeeds() {
        let seeds = [
            RandomStream.derivedSeed(1), RandomStream.derivedSeed(2), RandomStream.derivedSeed(1, 0),
            RandomStream.derivedSeed(1, 1), RandomStream.derivedSeed(1, 0, 0),
            RandomStream.derivedSeed(1, 0, 1),
            RandomStream.derivedSeed(1, 1, 0),
        ]
        #expect(Set(seeds).count == seeds.count)
    }

    @Test("Streams of one seed are uncorrelated")
    func independence() {
        let count = 4000
        let lists = (0..<4).map { path in
            var stream = RandomStream(seed: 5, path: UInt64(path))
            return (0..<count).map { _ in stream.uniform() - 0.5 }
        }
        for left in 0..<4 {
            for right in 0..<left {
                let product = zip(lists[left], lists[right]).reduce(0) { $0 + $1.0 * $1.1 }
                // The sum has mean 0 and standard deviation √n/12: five of these.
                #expect(abs(product) < 5 * Double(count).squareRoot() / 12)
            }
        }
    }

    @Test("Integers below a bound are uniform and stay below it", arguments: [1, 2, 3, 7, 10])
    func integers(bound: Int) {
        var stream = RandomStream(seed: 3)
        var counts = [Int](repeating: 0, count: bound)
        let draws = 6000
        for _ in 0..<draws { counts[stream.integer(below: bound)] += 1 }
        let expected = Double(draws) / Double(bound)
        let chiSquare = counts.reduce(0) { $0 + (Double($1) - expected) * (Double($1) - expected) / expected }
        #expect(chiSquare < 30)
    }

    @Test("A bound that is not positive gives 0, the largest one does not trap")
    func extremeBounds() {
        var stream = RandomStream(seed: 3)
        #expect(stream.integer(below: 0) == 0)
        #expect(stream.integer(below: .min) == 0)
        for _ in 0..<100 { #expect((0..<Int.max).contains(stream.integer(below: .max))) }
    }

    @Test("Uniform numbers have the mean and the variance of the distribution, normal ones too")
    func moments() {
        var stream = RandomStream(seed: 11)
        let count = 20_000
        let uniform = (0..<count).map { _ in stream.uniform() }
        #expect(uniform.allSatisfy { (0..<1).contains($0) })
        #expect(abs(Approximate.mean(uniform) - 0.5) < 0.011)
        let normal = (0..<count).map { _ in stream.normal() }
        #expect(abs(Approximate.mean(normal)) < 0.036)
        #expect(abs(Approximate.mean(normal.map { $0 * $0 }) - 1) < 0.051)
        #expect(abs(Approximate.mean(normal.map { $0 * $0 * $0 * $0 }) - 3) < 0.35)
    }

    @Test("Shuffling keeps the elements, and every order of three comes up")
    func shuffling() {
        var stream = RandomStream(seed: 2)
        var orders: [[Int]: Int] = [:]
        for _ in 0..<600 {
            var elements = [1, 2, 3]
            stream.shuffle(&elements)
            #expect(elements.sorted() == [1, 2, 3])
            orders[elements, default: 0] += 1
        }
        #expect(orders.count == 6)
        #expect(orders.values.allSatisfy { $0 > 60 })
    }
}
