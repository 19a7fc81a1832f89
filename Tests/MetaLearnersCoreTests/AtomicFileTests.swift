import MetaLearnersCore
import Testing

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// Files that are written whole or not at all. What it takes a process of its own to see is in `Tests/ABITests/host.c`.
@Suite("Files") struct AtomicFileTests {
    /// Runs `body` with the path of a new folder, which goes afterwards.
    private func withFolder(_ body: (String) throws -> Void) throws {
        var template = Array("/tmp/metalearners-files-XXXXXX".utf8CString)
        let made = template.withUnsafeMutableBufferPointer { buffer in
            buffer.baseAddress.flatMap { mkdtemp($0) }.map { String(cString: $0) }
        }
        let folder = try #require(made)
        defer {
            for name in names(folder) { unlink(folder + "/" + name) }
            rmdir(folder)
        }
        try body(folder)
    }

    private func names(_ folder: String) -> [String] {
        guard let listing = opendir(folder) else { return [] }
        defer { closedir(listing) }
        var names: [String] = []
        while let item = readdir(listing) {
            let name = withUnsafeBytes(of: &item.pointee.d_name) {
                String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names.sorted()
    }

    @Test("Writers of the same file do not disturb each other, and the last to commit wins")
    func writersBesideEachOther() throws {
        try withFolder { folder in
            let path = folder + "/a"
            let writers = try (0..<10).map { _ in try AtomicFileWriter(path) }
            for (index, writer) in writers.enumerated() { try writer.append([UInt8(index)]) }
            #expect(names(folder).count == 10)
            for (index, writer) in writers.enumerated() {
                try writer.commit()
                #expect(try AtomicFile.read(path) == [UInt8(index)])
            }
            #expect(names(folder) == ["a"])
        }
    }

    @Test("A writer without a commit leaves nothing, and what was there stays")
    func withoutCommit() throws {
        try withFolder { folder in
            try AtomicFile.write([1], to: folder + "/a")
            do { try AtomicFileWriter(folder + "/a").append([2]) }
            #expect(try AtomicFile.read(folder + "/a") == [1])
            #expect(names(folder) == ["a"])
        }
    }

    @Test("Of a file that begins otherwise no more than its beginning is read")
    func beginning() throws {
        try withFolder { folder in
            let path = folder + "/a"
            try AtomicFile.write(Array(0..<200), to: path)
            #expect(try AtomicFile.read(path, beginningWith: [0, 1, 2]) == Array(0..<200))
            #expect(try AtomicFile.read(path, beginningWith: [0, 1, 9]) == [0, 1, 2])
            #expect(try AtomicFile.read(path, beginningWith: []) == Array(0..<200))
            #expect(try AtomicFile.read("/dev/zero", beginningWith: [1, 2]) == [0, 0])
            #expect(try AtomicFile.read("/dev/null", beginningWith: [1, 2]).isEmpty)
        }
    }

    @Test("Files of many sizes come back as they were", arguments: [0, 1, 4095, 65_536, 262_145, 3_000_000])
    func sizes(count: Int) throws {
        try withFolder { folder in
            let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 31) }
            try AtomicFile.write(bytes, to: folder + "/a")
            #expect(try AtomicFile.read(folder + "/a") == bytes)
        }
    }
}
