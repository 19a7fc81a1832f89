import MetaLearnersCore

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// XGBoost as it was found on this machine, once for the process.
struct XGBoostLibrary: Sendable {
    /// The environment variable that may hold the path of the library.
    static let variable = "METALEARNERS_XGBOOST"

    /// What was found, or why nothing was. Looked for when it is first asked for.
    static let found: Result<XGBoostLibrary, MetaLearnersError> = Result {
        () throws(MetaLearnersError) in try find(path: path)
    }

    /// The version and the place as `backends` shows them.
    static var engine: BackendDescription.Engine {
        switch found {
        case .success(let library):
            BackendDescription.Engine(version: library.version.description, location: library.location)
        case .failure:
            BackendDescription.Engine(version: "", location: "not found")
        }
    }

    /// The functions.
    let functions: XGBoostFunctions
    /// The version.
    let version: XGBoostVersion
    /// The file, as far as the loader tells.
    let location: String

    private static var path: String? {
        guard let value = getenv(variable) else { return nil }
        let path = String(cString: value)
        return path.isEmpty ? nil : path
    }

    /// Loads the library at `path`, or, where there is none, the one that the system knows.
    ///
    /// - Throws: `unsupported`, saying what to install.
    static func find(path: String?) throws(MetaLearnersError) -> XGBoostLibrary {
        #if canImport(Darwin)
            let names = ["libxgboost.dylib"]
        #else
            let names = ["libxgboost.so", "libxgboost.so.0"]
        #endif
        var problem = ""
        for name in path.map({ [$0] }) ?? names {
            guard let library = SharedLibrary(name, problem: &problem) else { continue }
            return try XGBoostLibrary(library)
        }
        let install = "'apt install libxgboost-dev', 'brew install xgboost' or 'pip install xgboost-cpu'"
        let remedy =
            path == nil
            ? "install it (\(install)) and, where the system does not find it, set \(variable) to the path of its library"
            : "set \(variable) to the path of XGBoost's library, or leave it unset to use the system's (\(install))"
        throw MetaLearnersError(
            .unsupported, at: "backend 'xgboost'", "XGBoost is not found (\(problem))", remedy: remedy)
    }

    private init(_ library: SharedLibrary) throws(MetaLearnersError) {
        var missing: String?
        guard let functions = XGBoostFunctions(library, missing: &missing) else {
            throw MetaLearnersError(
                .unsupported, at: "backend 'xgboost'",
                "the library '\(library.name)' has no function \(missing ?? "")",
                remedy: "it must be XGBoost 1.7 or newer")
        }
        var numbers: (Int32, Int32, Int32) = (0, 0, 0)
        functions.version(&numbers.0, &numbers.1, &numbers.2)
        self.functions = functions
        version = XGBoostVersion(major: numbers.0, minor: numbers.1, patch: numbers.2)
        location = library.file(of: "XGBoostVersion") ?? library.name
    }

    /// Turns the status of a call into an error that quotes XGBoost's message.
    ///
    /// - Throws: `kind` where `status` is not 0; `outOfMemory` where the message says so.
    func check(
        _ status: Int32, _ action: String, kind: MetaLearnersError.Kind = .numericalFailure
    ) throws(MetaLearnersError) {
        guard status != 0 else { return }
        let message = functions.lastError().map { XGBoostMessage.plain(String(cString: $0)) } ?? ""
        let isMemory = message.contains("bad_alloc") || message.contains("length_error")
        throw MetaLearnersError(
            isMemory ? .outOfMemory : kind, at: "backend 'xgboost'",
            "XGBoost \(version) could not \(action): \(message.isEmpty ? "no message" : message)")
    }
}
