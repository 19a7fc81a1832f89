/// A set of bins.
struct CategorySet: Sendable, Equatable {
    /// Bit b of word w stands for bin 64 · w + b.
    var words = SIMD4<UInt64>(repeating: 0)

    /// Adds a bin.
    mutating func insert(_ bin: Int) { words[bin >> 6 & 3] |= 1 << UInt64(bin & 63) }

    /// Calls `body` with the words.
    func withWords<Result>(_ body: (UnsafePointer<UInt64>) -> Result) -> Result {
        withUnsafePointer(to: words) { words in
            words.withMemoryRebound(to: UInt64.self, capacity: 4, body)
        }
    }

    /// Whether the set holds a bin.
    @inline(__always)
    func contains(_ bin: UInt8) -> Bool { words[Int(bin >> 6)] >> UInt64(bin & 63) & 1 == 1 }
}
