/// Finds a key that an object of a JSON text has twice, which JSON decoders resolve in silence.
///
/// The text must be valid JSON: the scan only follows strings and brackets.
struct RepeatedKey {
    /// The keys that each open object has had so far; nil for an open list.
    private var open: [Set<ArraySlice<UInt8>>?] = []
    /// Whether the next string of the innermost object is a key.
    private var keyComesNext = false

    /// The first key that repeats one of its object, as written between its quotes; nil where none does.
    ///
    /// Keys are compared byte by byte: two spellings of one key by escapes count as different.
    /// Complexity: linear in the length of the text.
    static func first(in json: [UInt8]) -> String? {
        var scan = RepeatedKey()
        var index = 0
        while index < json.count {
            if json[index] == UInt8(ascii: "\"") {
                let end = endOfString(json, from: index + 1)
                if let repeated = scan.readString(json[(index + 1)..<end]) { return repeated }
                index = end
            } else {
                scan.readMark(json[index])
            }
            index += 1
        }
        return nil
    }

    /// The index of the quote that closes the string whose first byte is at `start`.
    private static func endOfString(_ json: [UInt8], from start: Int) -> Int {
        var index = start
        while index < json.count, json[index] != UInt8(ascii: "\"") {
            index += json[index] == UInt8(ascii: "\\") ? 2 : 1
        }
        return min(index, json.count)
    }

    private mutating func readMark(_ byte: UInt8) {
        switch byte {
        case UInt8(ascii: "{"):
            open.append([])
            keyComesNext = true
        case UInt8(ascii: "["):
            open.append(Set<ArraySlice<UInt8>>?.none)
            keyComesNext = false
        case UInt8(ascii: "}"), UInt8(ascii: "]"):
            _ = open.popLast()
            keyComesNext = false
        case UInt8(ascii: ","):
            keyComesNext = open.last.flatMap { $0 } != nil
        default: break
        }
    }

    /// Takes note of a string, and returns it where it is a key that its object has already.
    private mutating func readString(_ text: ArraySlice<UInt8>) -> String? {
        guard keyComesNext, let innermost = open.indices.last else { return nil }
        keyComesNext = false
        let isNew = open[innermost]?.insert(text).inserted ?? true
        return isNew ? nil : String(decoding: text, as: UTF8.self)
    }
}
