import MetaLearnersCore

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// A text in C's memory, freed with its owner.
final class CText: @unchecked Sendable {  // The bytes are never written after `init`.
    /// The text in UTF-8, ending with a NUL.
    let pointer: UnsafePointer<CChar>

    /// Copies `text`.
    ///
    /// - Throws: `outOfMemory`.
    init(_ text: String) throws(MetaLearnersError) { pointer = UnsafePointer(try Self.copy(text)) }

    deinit { free(UnsafeMutableRawPointer(mutating: pointer)) }

    /// A copy of `text` that `free` takes back. A NUL within the text ends it, as C would have it.
    ///
    /// - Throws: `outOfMemory`.
    static func copy(_ text: String) throws(MetaLearnersError) -> UnsafeMutablePointer<CChar> {
        guard let copy = text.withCString({ strdup($0) }) else { throw Boundary.outOfMemory("a text") }
        return copy
    }

    /// The text that a caller passed.
    ///
    /// - Throws: `invalidArgument` for NULL and for bytes that are not UTF-8.
    static func read(_ pointer: UnsafePointer<CChar>?, _ argument: String) throws(MetaLearnersError) -> String
    {
        guard let pointer else { throw Boundary.missing(argument) }
        guard let text = String(validatingCString: pointer) else {
            throw MetaLearnersError(.invalidArgument, at: argument, "is not UTF-8")
        }
        return text
    }

    /// Copies of `texts`.
    ///
    /// - Throws: `outOfMemory`.
    static func list(_ texts: [String]) throws(MetaLearnersError) -> [CText] {
        var copies: [CText] = []
        for text in texts { copies.append(try CText(text)) }
        return copies
    }

    /// A text that ends with a NUL and lives as long as the library.
    static func constant(_ text: StaticString) -> UnsafePointer<CChar>? {
        guard text.hasPointerRepresentation else { return nil }
        return UnsafeRawPointer(text.utf8Start).assumingMemoryBound(to: CChar.self)
    }
}

extension [CText] {
    /// The text at `index`; nil where there is none.
    func pointer(at index: Int64) -> UnsafePointer<CChar>? {
        index >= 0 && index < Int64(count) ? self[Int(index)].pointer : nil
    }
}
