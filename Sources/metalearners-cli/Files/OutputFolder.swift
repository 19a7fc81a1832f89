import MetaLearnersCore

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// A folder that a command writes files into.
enum OutputFolder {
    /// Makes the folder where it is not there.
    ///
    /// - Throws: `inputOutput` where it cannot be made, or is a file.
    static func make(_ path: String) throws(MetaLearnersError) {
        var status = stat()
        if stat(path, &status) == 0 {
            guard status.st_mode & S_IFMT == S_IFDIR else {
                throw MetaLearnersError(.inputOutput, at: path, "is a file, and a folder is needed")
            }
            return
        }
        guard mkdir(path, 0o777) == 0 else {
            throw MetaLearnersError(
                .inputOutput, at: path, "cannot be made: \(String(cString: strerror(errno)))")
        }
    }
}
