/// A way to split a leaf.
struct SplitCandidate: Sendable {
    /// What decides the side of a row.
    enum Rule: Sendable, Equatable {
        /// Bins above `threshold` go right; bin 0, the missing values, too where `missingRight`.
        case ordered(threshold: UInt16, missingRight: Bool)
        /// The bins of the set go right.
        case categories(CategorySet)
    }

    /// T(G_L)²/(H_L+λ) + T(G_R)²/(H_R+λ) − T(G)²/(H+λ), in the units of the sums.
    var gain: Double
    var feature: Int
    var rule: Rule
    /// The sums of the rows that go left.
    var left: GradientTotals

    /// Whether this one is to be preferred: by gain, and of equal gains the feature that comes first.
    func isBetter(than other: SplitCandidate?) -> Bool {
        guard let other else { return true }
        return gain > other.gain || gain == other.gain && feature < other.feature
    }
}

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

/// The side of a split of categories that a row of unknown category takes, where training had no such row.
///
/// It is drawn with the probability of its share of the rows, by a hash, so that over many trees an unknown category
/// gets what a row of any category gets on average. Following the majority would not do: categories are parted in
/// the order of their gradients, so that the majority is often on the same side of zero, and hundreds of trees add
/// up to a large bias.
enum UnknownCategory {
    /// Whether the row goes right.
    ///
    /// - Parameters:
    ///   - right: how many rows go right.
    ///   - total: how many rows there are.
    ///   - salt: what tells this split from others.
    static func goesRight(_ right: Int64, of total: Int64, salt: UInt64) -> Bool {
        guard total > 0, right > 0 else { return false }
        var hash = salt ^ (UInt64(right) << 40)
        hash = (hash ^ (hash >> 30)) &* 0xBF58_476D_1CE4_E5B9
        hash = (hash ^ (hash >> 27)) &* 0x94D0_49BB_1331_11EB
        hash ^= hash >> 31
        return hash.multipliedFullWidth(by: UInt64(total)).high < UInt64(right)
    }
}
