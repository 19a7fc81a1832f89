/// A seeded generator of random numbers with independent streams.
///
/// The sequence is xoshiro256** (Blackman & Vigna 2021, arXiv 1805.01407), its state filled by SplitMix64
/// from a seed and a path of stream identifiers. Two streams of one seed are unrelated, and what one draws
/// never depends on how much another has drawn: work may run in any order, on any number of threads.
public struct RandomStream: RandomNumberGenerator, Sendable {
    private var state: (UInt64, UInt64, UInt64, UInt64)

    /// Creates the stream that `path` names under `seed`.
    public init(seed: UInt64, path: UInt64...) {
        var mixer = SplitMix64(state: seed)
        for step in path { mixer = SplitMix64(state: mixer.next() ^ SplitMix64.mixed(step)) }
        state = (mixer.next(), mixer.next(), mixer.next(), mixer.next())
        if state.0 | state.1 | state.2 | state.3 == 0 { state.0 = 1 }
    }

    /// A seed for a part of the work, drawn from `seed` and the part's path.
    public static func derivedSeed(_ seed: UInt64, _ path: UInt64...) -> UInt64 {
        var mixer = SplitMix64(state: seed)
        for step in path { mixer = SplitMix64(state: mixer.next() ^ SplitMix64.mixed(step)) }
        return mixer.next()
    }

    /// A number from [0, 1) that belongs to one of many things, such as a row, whoever draws it and in whatever order.
    ///
    /// - Parameter key: what is drawn, as `derivedSeed` gives it.
    package static func uniform(of number: Int, key: UInt64) -> Double {
        var mixer = SplitMix64(state: key ^ SplitMix64.mixed(UInt64(bitPattern: Int64(number))))
        return Double(mixer.next() >> 11) * 0x1p-53
    }

    public mutating func next() -> UInt64 {
        let result = Self.rotateLeft(state.1 &* 5, 7) &* 9
        let shifted = state.1 << 17
        state.2 ^= state.0
        state.3 ^= state.1
        state.1 ^= state.2
        state.0 ^= state.3
        state.2 ^= shifted
        state.3 = Self.rotateLeft(state.3, 45)
        return result
    }

    /// A number drawn uniformly from [0, 1), a multiple of 2⁻⁵³.
    public mutating func uniform() -> Double { Double(next() >> 11) * 0x1p-53 }

    /// An integer drawn uniformly from 0..<`bound`, without bias; 0 where `bound` is not positive.
    public mutating func integer(below bound: Int) -> Int {
        guard bound > 1 else { return 0 }
        let range = UInt64(bound)
        var product = next().multipliedFullWidth(by: range)
        if product.low < range {
            let threshold = (0 &- range) % range
            while product.low < threshold { product = next().multipliedFullWidth(by: range) }
        }
        return Int(product.high)
    }

    /// Puts `elements` into a random order (Fisher–Yates).
    public mutating func shuffle<Element>(_ elements: inout [Element]) {
        var last = elements.count - 1
        while last > 0 {
            elements.swapAt(last, integer(below: last + 1))
            last -= 1
        }
    }

    /// Draws exactly `needed` of `count` positions, each equally likely, and tells `use` of every position in turn
    /// whether it was drawn (selection sampling; Knuth, TAOCP 3.4.2, S). O(count).
    @inlinable
    package mutating func select(
        _ needed: Int, of count: Int, _ use: (_ position: Int, _ isDrawn: Bool) -> Void
    ) {
        var needed = needed
        for position in 0..<count {
            let isDrawn = uniform() * Double(count - position) < Double(needed)
            if isDrawn { needed -= 1 }
            use(position, isDrawn)
        }
    }

    private static func rotateLeft(_ value: UInt64, _ count: UInt64) -> UInt64 {
        (value << count) | (value >> (64 - count))
    }
}

/// The generator that expands a seed into the state of another (Steele, Lea & Flood 2014).
private struct SplitMix64 {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        return Self.mixed(state)
    }

    static func mixed(_ value: UInt64) -> UInt64 {
        var z = value
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
