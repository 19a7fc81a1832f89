import MetaLearnersCore

/// The different texts of a column, each with a code in the order of first appearance.
struct LevelTable {
    private var text: [UInt8] = []
    /// Where each level ends in `text`.
    private var ends: [Int] = []
    private var hashes: [UInt64] = []
    /// Open addressing: a code, or -1; as many as a power of two.
    private var slots = [Int32](repeating: -1, count: 64)

    /// How many levels there are.
    var count: Int { ends.count }

    /// The code of `bytes`, a new one where they have not been seen.
    mutating func code(of bytes: UnsafeBufferPointer<UInt8>) -> Int32 {
        let hash = Self.hash(bytes)
        var slot = Int(truncatingIfNeeded: hash) & (slots.count - 1)
        while slots[slot] >= 0 {
            let code = Int(slots[slot])
            if hashes[code] == hash, matches(code, bytes) { return slots[slot] }
            slot = (slot + 1) & (slots.count - 1)
        }
        let code = Int32(clamping: ends.count)
        slots[slot] = code
        text.append(contentsOf: bytes)
        ends.append(text.count)
        hashes.append(hash)
        if ends.count * 2 > slots.count { grow() }
        return code
    }

    /// The levels in order, and for each code the place of its level.
    ///
    /// Texts that differ only in how their characters are composed are one level, as they are one String.
    func sorted() -> (levels: [String], places: [Int]) {
        let texts = ends.indices.map { String(decoding: text[start(of: $0)..<ends[$0]], as: UTF8.self) }
        let levels = Set(texts).sorted()
        let places = Dictionary(uniqueKeysWithValues: levels.enumerated().map { ($1, $0) })
        return (levels, texts.map { places[$0] ?? 0 })
    }

    private func start(of code: Int) -> Int { code == 0 ? 0 : ends[code - 1] }

    private func matches(_ code: Int, _ bytes: UnsafeBufferPointer<UInt8>) -> Bool {
        let start = start(of: code)
        guard ends[code] - start == bytes.count else { return false }
        for index in 0..<bytes.count where text[start + index] != bytes[index] { return false }
        return true
    }

    private mutating func grow() {
        slots = [Int32](repeating: -1, count: slots.count * 2)
        for (code, hash) in hashes.enumerated() {
            var slot = Int(truncatingIfNeeded: hash) & (slots.count - 1)
            while slots[slot] >= 0 { slot = (slot + 1) & (slots.count - 1) }
            slots[slot] = Int32(clamping: code)
        }
    }

    /// FNV-1a, its bits mixed once more so that the low ones serve.
    private static func hash(_ bytes: UnsafeBufferPointer<UInt8>) -> UInt64 {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for byte in bytes { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
        return hash ^ (hash >> 32)
    }
}
