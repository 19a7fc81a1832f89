#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// A shared library, loaded at run time and never unloaded: its threads may outlive any use of it.
struct SharedLibrary: Sendable {
    private let handle: UInt
    /// What it was asked for by: a path or a name that the loader looks up.
    let name: String

    /// Loads a library, its symbols for nobody else to see.
    ///
    /// - Parameters:
    ///   - name: a path, or a name that the loader looks up; an empty one, which would mean this very program, is
    ///     refused.
    ///   - problem: receives what the loader says where there is no such library.
    init?(_ name: String, problem: inout String) {
        guard !name.isEmpty, !name.utf8.contains(0) else {
            problem = "the library's name is empty"
            return nil
        }
        guard let handle = dlopen(name, RTLD_NOW | RTLD_LOCAL) else {
            problem = dlerror().map { String(cString: $0) } ?? "the library '\(name)' cannot be loaded"
            return nil
        }
        self.handle = UInt(bitPattern: handle)
        self.name = name
    }

    /// The function named `name`, nil where there is none. `Function` must be its C function type.
    func function<Function>(_ name: String) -> Function? {
        guard MemoryLayout<Function>.size == MemoryLayout<UnsafeMutableRawPointer>.size,
            let symbol = dlsym(UnsafeMutableRawPointer(bitPattern: handle), name)
        else { return nil }
        return unsafeBitCast(symbol, to: Function.self)
    }

    /// The file that the function named `symbol` came from, nil where the loader does not say.
    func file(of symbol: String) -> String? {
        // `dladdr` is an extension that the C library's module leaves out; its `Dl_info` is four pointers, the
        // first the file's name.
        typealias Information = (UnsafePointer<CChar>?, UInt, UInt, UInt)
        typealias Locate = @convention(c) (UnsafeRawPointer, UnsafeMutableRawPointer) -> Int32
        guard let locate: Locate = function("dladdr"),
            let address = dlsym(UnsafeMutableRawPointer(bitPattern: handle), symbol)
        else { return nil }
        var information: Information = (nil, 0, 0, 0)
        guard locate(address, &information) != 0, let path = information.0 else { return nil }
        return String(cString: path)
    }
}
