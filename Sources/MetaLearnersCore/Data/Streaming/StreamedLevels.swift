/// The levels of a category whose rows come batch by batch: each has a code in the order in which they come.
struct StreamedLevels {
    private(set) var texts: [String] = []
    /// How many rows have each, and how many of those that have an outcome.
    private(set) var counts: [Int] = []
    private(set) var keptCounts: [Int] = []
    private var codes: [String: Int32] = [:]
    private var isSorted = true
    private let limit: Int?

    /// More levels than this are names of rows, and would take the memory that reading by batches is to save.
    static let mostLevels = 1 << 20

    /// - Parameter limit: the most levels there may be; nil for no limit.
    init(limit: Int? = mostLevels) { self.limit = limit }

    /// The codes of the levels of a batch.
    ///
    /// - Throws: `unsupported` for too many.
    mutating func register(_ levels: [String], of name: String) throws(MetaLearnersError) -> [Int32] {
        isSorted = isSorted && zip(levels, levels.dropFirst()).allSatisfy(<)
        var result: [Int32] = []
        result.reserveCapacity(levels.count)
        for level in levels {
            if let known = codes[level] {
                result.append(known)
                continue
            }
            let code = Int32(truncatingIfNeeded: texts.count)
            codes[level] = code
            texts.append(level)
            counts.append(0)
            keptCounts.append(0)
            result.append(code)
        }
        if let limit, texts.count > limit {
            throw MetaLearnersError(
                .unsupported, at: "column '\(name)'",
                "has more than \(limit) different texts, which rows that are read batch by batch may not have",
                remedy: "name it under data.exclude")
        }
        return result
    }

    mutating func count(_ code: Int32, isKept: Bool) {
        counts[Int(code)] += 1
        if isKept { keptCounts[Int(code)] += 1 }
    }

    /// The levels in their order: sorted where those of each batch are, else as they come.
    var order: [Int] {
        isSorted ? texts.indices.sorted { texts[$0] < texts[$1] } : Array(texts.indices)
    }

    /// The levels that are the labels of numbers, in numeric order.
    var numericOrder: [Int] {
        let integers = texts.compactMap { Int128($0) }
        if integers.count == texts.count {
            return texts.indices.sorted { integers[$0] < integers[$1] }
        }
        return texts.indices.sorted { (Double(texts[$0]) ?? .nan) < (Double(texts[$1]) ?? .nan) }
    }
}
