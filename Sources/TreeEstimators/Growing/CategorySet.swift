/// A set of bins.
struct CategorySet: Sendable, Equatable {
    /// Bit b of word w stands for bin 64 · w + b.
    var words = SIMD4<UInt64>(repeating: 0)

    /// Adds a bin.
    mutating func insert(_ bin: Int) { words[bin >> 6 & 3] |= 1 << UInt64(bin & 63) }

    /// Whether the set holds a bin.
    @inline(__always)
    func contains(_ bin: UInt8) -> Bool { words[Int(bin >> 6)] >> UInt64(bin & 63) & 1 == 1 }
}
