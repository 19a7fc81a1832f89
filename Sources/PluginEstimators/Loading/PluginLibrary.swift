import CMetaLearners
import MetaLearnersCore

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// Shared libraries with a plug-in, found and loaded. None is ever unloaded: its threads, and what it gave to the
/// system, may outlive any use of it.
enum PluginLibrary {
    /// The environment variable with files and folders, separated by colons.
    static let variable = "METALEARNERS_PLUGIN_PATH"
    /// The one function that a plug-in exports.
    private static let symbol = "mtlr_plugin_v1"

    #if canImport(Darwin)
        private static let suffixes = [".dylib", ".so"]
    #else
        private static let suffixes = [".so"]
    #endif

    /// What was loaded, by the address of its table: a library is one however often it is asked for, so that calls
    /// that must be made one at a time are.
    private static let loaded = Lock<[UInt: Plugin]>([:]) { [:] }

    /// Loads the plug-in in the file at `path`.
    ///
    /// - Throws: `inputOutput` where there is no such file; `unsupported` where it is no library for this system, no
    ///   plug-in, or one of another version; `invalidArgument` where its table is faulty.
    static func load(_ path: String) throws(MetaLearnersError) -> Plugin {
        guard !path.isEmpty, !path.utf8.contains(0) else {
            throw MetaLearnersError(.invalidArgument, at: "plug-in", "its path is empty or holds a NUL")
        }
        guard let real = realpath(path, nil) else {
            throw MetaLearnersError(
                .inputOutput, at: "plug-in \(path)",
                "the file cannot be found (\(String(cString: strerror(errno))))",
                remedy: "give the path of a shared library")
        }
        defer { free(real) }
        let location = String(cString: real)
        guard let handle = dlopen(real, RTLD_NOW | RTLD_LOCAL) else {
            throw MetaLearnersError(
                .unsupported, at: "plug-in \(location)",
                "it cannot be loaded: \(dlerror().map { String(cString: $0) } ?? "the loader does not say why")"
            )
        }
        typealias Entry = @convention(c) () -> UnsafePointer<mtlr_plugin_vtable>?
        guard let address = dlsym(handle, symbol) else {
            throw MetaLearnersError(
                .unsupported, at: "plug-in \(location)", "it exports no function \(symbol)",
                remedy: "it is no plug-in, or one for another version of metalearners")
        }
        let table = unsafeBitCast(address, to: Entry.self)()
        return try loaded.withLock { known throws(MetaLearnersError) in
            if let plugin = known[UInt(bitPattern: table)] { return plugin }
            let plugin = try Plugin(table, location: location)
            known[UInt(bitPattern: table)] = plugin
            return plugin
        }
    }

    /// What the environment variable holds, empty where it is not set.
    static var environmentPath: String { getenv(variable).map { String(cString: $0) } ?? "" }

    /// The files that a path names, those of its folders in the order of their names; and `inputOutput` for each entry
    /// that is neither a file nor a folder.
    static func files(onPath path: String) -> (files: [String], problems: [MetaLearnersError]) {
        var files: [String] = []
        var problems: [MetaLearnersError] = []
        for entry in path.split(separator: ":").map(String.init) {
            guard let folder = opendir(entry) else {
                if access(entry, R_OK) == 0 {
                    files.append(entry)
                } else {
                    problems.append(
                        MetaLearnersError(
                            .inputOutput, at: "\(variable): \(entry)",
                            "it cannot be read (\(String(cString: strerror(errno))))"))
                }
                continue
            }
            defer { closedir(folder) }
            var names: [String] = []
            while let item = readdir(folder) {
                let name = withUnsafeBytes(of: &item.pointee.d_name) { bytes in
                    String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
                }
                if suffixes.contains(where: name.hasSuffix) { names.append(name) }
            }
            files += names.sorted().map { entry.hasSuffix("/") ? entry + $0 : entry + "/" + $0 }
        }
        return (files, problems)
    }
}
