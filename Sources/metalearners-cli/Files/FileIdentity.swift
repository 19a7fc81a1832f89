import MetaLearnersCore

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// What makes two paths name the same file, whatever links and folders they lead through.
///
/// For a file that is there these are its device and its number on that device; for one that is not there yet those of
/// its folder, and its name.
package struct FileIdentity: Hashable, Sendable {
    private let device: UInt64
    private let number: UInt64
    private let name: String

    /// The identity of the file at `path`; nil where there is neither a file nor a folder to put one into, and for what
    /// keeps nothing (a terminal, `/dev/null`).
    package init?(path: String) {
        var status = stat()
        let target = Self.target(of: path)
        if stat(target, &status) == 0 {
            guard status.st_mode & S_IFMT != S_IFCHR else { return nil }
            self.init(status, name: "")
            return
        }
        let (folder, name) = Self.split(target)
        guard !name.isEmpty, stat(folder, &status) == 0 else { return nil }
        self.init(status, name: name)
    }

    /// The identity of the regular file that a descriptor is open on; nil for pipes, terminals and the like.
    package init?(descriptor: Int32) {
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { return nil }
        self.init(status, name: "")
    }

    private init(_ status: stat, name: String) {
        device = UInt64(truncatingIfNeeded: status.st_dev)
        number = UInt64(truncatingIfNeeded: status.st_ino)
        self.name = name
    }

    /// Where a file written to `path` belongs: what a symbolic link points to, even where nothing is there yet.
    ///
    /// A link that leads to a file is left to the system, which knows more of them than can be read as text.
    package static func target(of path: String) -> String {
        var target = path
        for _ in 0..<40 {
            var status = stat()
            if stat(target, &status) == 0 { return target }
            guard let next = link(at: target) else { return target }
            target = next.hasPrefix("/") ? next : split(target).folder + "/" + next
        }
        return path
    }

    /// Whether `path` is a symbolic link, one that leads nowhere included.
    package static func isLink(_ path: String) -> Bool { link(at: path) != nil }

    private static func link(at path: String) -> String? {
        var buffer = [UInt8](repeating: 0, count: 4096)
        let count = buffer.withUnsafeMutableBytes { space in
            space.baseAddress.map { readlink(path, $0.assumingMemoryBound(to: CChar.self), space.count) }
                ?? -1
        }
        guard count > 0, count < buffer.count else { return nil }
        return String(decoding: buffer[..<count], as: UTF8.self)
    }

    private static func split(_ path: String) -> (folder: String, name: String) {
        guard let slash = path.lastIndex(of: "/") else { return (".", path) }
        let folder = path[..<slash]
        return (folder.isEmpty ? "/" : String(folder), String(path[path.index(after: slash)...]))
    }
}
