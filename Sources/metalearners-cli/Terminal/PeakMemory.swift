import MetaLearnersCore

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// The most memory that the process has held at once.
enum PeakMemory {
    /// In bytes.
    ///
    /// Linux counts into `getrusage` what the parent held before the program was started in its place; the
    /// process's own peak is in `/proc/self/status`.
    static var bytes: Int {
        #if os(Linux)
            if let bytes = try? AtomicFile.read("/proc/self/status") {
                let status = String(decoding: bytes, as: UTF8.self)
                for line in status.split(separator: "\n") where line.hasPrefix("VmHWM:") {
                    if let kibibytes = Int(line.filter(\.isNumber)) { return kibibytes * 1024 }
                }
            }
        #endif
        var usage = rusage()
        #if os(Linux)
            getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
            return usage.ru_maxrss * 1024
        #else
            getrusage(RUSAGE_SELF, &usage)
            return usage.ru_maxrss
        #endif
    }
}
