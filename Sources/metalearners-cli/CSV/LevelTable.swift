import MetaLearnersCore

/// The different texts of a column, each with a code in the order of first appearance, with how many rows have it and
/// on which line it stood first.
struct LevelTable {
    /// A text as it was found.
    struct Entry {
        let text: String
        let rows: Int
        let firstLine: Int
    }

    private var text: [UInt8] = []
    /// Where each level ends in `text`.
    private var ends: [Int] = []
    private var hashes: [UInt64] = []
    private var rowCounts: [Int32] = []
    private var firstLines: [Int] = []
    /// Open addressing: a code, or -1; as many as a power of two.
    private var slots = [Int32](repeating: -1, count: 64)

    /// How many levels there are.
    var count: Int { ends.count }

    /// How many bytes the table takes, nearly.
    var byteCount: Int { text.count + 36 * ends.count + 4 * slots.count }

    /// The code of `bytes`, a new one where they have not been seen; counts the row, which stands on `line`.
    mutating func code(of bytes: UnsafeBufferPointer<UInt8>, line: Int) -> Int32 {
        let hash = Self.hash(bytes)
        var slot = Int(truncatingIfNeeded: hash) & (slots.count - 1)
        while slots[slot] >= 0 {
            let code = Int(slots[slot])
            if hashes[code] == hash, matches(code, bytes) {
                rowCounts[code] &+= 1
                return slots[slot]
            }
            slot = (slot + 1) & (slots.count - 1)
        }
        let code = Int32(clamping: ends.count)
        slots[slot] = code
        text.append(contentsOf: bytes)
        ends.append(text.count)
        hashes.append(hash)
        rowCounts.append(1)
        firstLines.append(line)
        if ends.count * 2 > slots.count { grow() }
        return code
    }

    /// The texts, by code.
    var entries: [Entry] {
        ends.indices.map { code in
            Entry(
                text: String(decoding: text[start(of: code)..<ends[code]], as: UTF8.self),
                rows: Int(rowCounts[code]), firstLine: firstLines[code])
        }
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
