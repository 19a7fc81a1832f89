/// A set of bins.
struct CategorySet: Sendable, Equatable {
    /// Bit b of word w stands for bin 64 · w + b; of the first 256 bins.
    var words = SIMD4<UInt64>(repeating: 0)
    /// The same of the bins from 256 on, pages of four words; empty where there are none in the set.
    private(set) var more: [UInt64] = []

    /// How many bins a page holds.
    static let pageBins = 256

    init() {}

    /// The set of the bins whose bits are set in pages of four words.
    init(pages: some Collection<UInt64>) {
        for (index, word) in pages.prefix(4).enumerated() { words[index] = word }
        more = Array(pages.dropFirst(4))
        // The last page holds something, so that equal sets have equal words.
        while !more.isEmpty, more.suffix(4).allSatisfy({ $0 == 0 }) { more.removeLast(min(4, more.count)) }
    }

    /// Adds a bin.
    mutating func insert(_ bin: Int) {
        guard bin >= Self.pageBins else {
            words[bin >> 6 & 3] |= 1 << UInt64(bin & 63)
            return
        }
        let word = (bin >> 6) - 4
        while more.count <= word { more += [0, 0, 0, 0] }
        more[word] |= 1 << UInt64(bin & 63)
    }

    /// Calls `body` with the words of the first 256 bins.
    func withWords<Result>(_ body: (UnsafePointer<UInt64>) -> Result) -> Result {
        withUnsafePointer(to: words) { words in
            words.withMemoryRebound(to: UInt64.self, capacity: 4, body)
        }
    }

    /// Calls `body` with a byte for each of `count` bins: 1 for those in the set.
    func withFlags<Result>(_ count: Int, _ body: (UnsafePointer<UInt8>) -> Result?) -> Result? {
        withUnsafeTemporaryAllocation(of: UInt8.self, capacity: max(count, 1)) { flags in
            for bin in 0..<count { flags.initializeElement(at: bin, to: contains(bin) ? 1 : 0) }
            return flags.baseAddress.flatMap { body(UnsafePointer($0)) }
        }
    }

    /// Whether the set holds a bin.
    @inline(__always)
    func contains(_ bin: Int) -> Bool {
        if bin < Self.pageBins { return words[bin >> 6 & 3] >> UInt64(bin & 63) & 1 == 1 }
        let word = (bin >> 6) - 4
        return word < more.count && more[word] >> UInt64(bin & 63) & 1 == 1
    }
}
