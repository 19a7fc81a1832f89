/// A small number for each row, such as its arm or its fold: a byte each where all of them are 0 to 255, else 32 bits.
///
/// A collection of `Int32`; equal codes are equal whatever they are kept in.
public struct RowCodes: RandomAccessCollection, Sendable, Hashable, ExpressibleByArrayLiteral {
    @usableFromInline enum Storage: Sendable, Hashable {
        case bytes([UInt8])
        /// Some number is not within 0 to 255.
        case words([Int32])
    }

    @usableFromInline let storage: Storage

    /// Takes over `codes`, in bytes where they fit. O(rows).
    public init(_ codes: [Int32]) {
        if codes.allSatisfy({ UInt8(exactly: $0) != nil }) {
            storage = .bytes(codes.map { UInt8(truncatingIfNeeded: $0) })
        } else {
            storage = .words(codes)
        }
    }

    /// Takes over `codes`.
    public init(_ codes: [UInt8]) { storage = .bytes(codes) }

    /// The code of each of so many rows, in their order: never more than one list of them is in memory.
    ///
    /// - Parameter limit: what all codes are below; of more than 256 a code takes 32 bits until all are known.
    package init(count: Int, below limit: Int, _ code: (_ row: Int) -> Int32) {
        guard limit <= 256 else {
            self.init((0..<count).map(code))
            return
        }
        self.init(
            [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
                for row in 0..<count { buffer[row] = UInt8(truncatingIfNeeded: code(row)) }
                filled = count
            })
    }

    public init(arrayLiteral codes: Int32...) { self.init(codes) }

    public var startIndex: Int { 0 }

    @inlinable public var endIndex: Int {
        switch storage {
        case .bytes(let bytes): bytes.count
        case .words(let words): words.count
        }
    }

    /// The code of `row`, which must be one of the rows.
    @inlinable public subscript(row: Int) -> Int32 {
        switch storage {
        case .bytes(let bytes): Int32(bytes[row])
        case .words(let words): words[row]
        }
    }

    /// The codes of the named rows.
    public subscript(rows: some Collection<Int32>) -> [Int32] { rows.map { self[Int($0)] } }
}
