#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// Where XGBoost is looked for: in the place that somebody named and nowhere else, or else in the Python environment that
/// is active, then where the system finds libraries.
package struct XGBoostPlaces {
    /// The environment variable that may name the place.
    static let variable = "METALEARNERS_XGBOOST"

    #if canImport(Darwin)
        private static let names = ["libxgboost.dylib"]
    #else
        private static let names = ["libxgboost.so", "libxgboost.so.0"]
    #endif

    /// The library that was named, or the folder with it; nil for none.
    package let named: String?
    /// The folders of active Python environments, the innermost first.
    package let environments: [String]

    /// Places of which nothing else is known.
    package init(named: String?, environments: [String] = []) {
        self.named = named
        self.environments = environments
    }

    /// What the environment of the process says.
    static var ofProcess: XGBoostPlaces {
        XGBoostPlaces(
            named: variable(variable), environments: ["VIRTUAL_ENV", "CONDA_PREFIX"].compactMap(variable))
    }

    /// The paths and names to try, in order.
    package var candidates: [String] {
        guard let named else { return environments.flatMap(Self.libraries) + Self.names }
        var status = stat()
        guard stat(named, &status) == 0, status.st_mode & S_IFMT == S_IFDIR else { return [named] }
        // Where there is none, the loader says that it found no such file, and which.
        let found = Self.libraries(in: named)
        return found.isEmpty ? [Self.joined(named, Self.names[0])] : found
    }

    /// The libraries in a folder: it may be the library's own, a package of Python's, a folder of such packages, a
    /// Python environment, or the prefix of an installation.
    private static func libraries(in folder: String) -> [String] {
        let places = [
            "", "lib", "xgboost/lib", "lib/python3*/site-packages/xgboost/lib",
            "lib/python3*/dist-packages/xgboost/lib",
        ]
        return places.flatMap { place in
            names.flatMap { name in
                files(like: (place.split(separator: "/").map(String.init) + [name]), in: folder)
            }
        }
    }

    /// The files that a path leads to, of whose parts those that end in `*` stand for every name that begins so; in the
    /// order of their names, the last first, which is the newest Python.
    private static func files(like parts: [String], in folder: String) -> [String] {
        guard let part = parts.first else {
            return access(folder, R_OK) == 0 ? [folder] : []
        }
        let rest = Array(parts.dropFirst())
        guard part.hasSuffix("*") else { return files(like: rest, in: joined(folder, part)) }
        return names(in: folder).filter { $0.hasPrefix(part.dropLast()) }.sorted(by: isNewer).flatMap {
            files(like: rest, in: joined(folder, $0))
        }
    }

    /// Whether the number at the end of a name is greater: python3.12 comes before python3.9.
    private static func isNewer(_ left: String, _ right: String) -> Bool {
        func number(_ name: String) -> Int { Int(name.drop { $0 != "." }.dropFirst()) ?? 0 }
        return (number(left), left) > (number(right), right)
    }

    private static func names(in folder: String) -> [String] {
        guard let directory = opendir(folder) else { return [] }
        defer { closedir(directory) }
        var all: [String] = []
        while let entry = readdir(directory) {
            all.append(
                withUnsafeBytes(of: entry.pointee.d_name) {
                    String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
                })
        }
        return all
    }

    private static func joined(_ folder: String, _ name: String) -> String {
        folder.hasSuffix("/") ? folder + name : folder + "/" + name
    }

    private static func variable(_ name: String) -> String? {
        guard let value = getenv(name) else { return nil }
        let text = String(cString: value)
        return text.isEmpty ? nil : text
    }
}
