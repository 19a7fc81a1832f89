import MetaLearnersCore

/// XGBoost as it was found on this machine, once for the process.
struct XGBoostLibrary: Sendable {
    /// The environment variable that may hold the path of the library, or of a folder with it.
    static let variable = XGBoostPlaces.variable

    /// What was found, or why nothing was. Looked for when it is first asked for.
    static let found: Result<XGBoostLibrary, MetaLearnersError> = Result {
        () throws(MetaLearnersError) in try find(XGBoostPlaces.ofProcess)
    }

    /// The version and the place as `backends` shows them.
    static var engine: BackendDescription.Engine {
        switch found {
        case .success(let library):
            BackendDescription.Engine(
                version: library.version.description, location: library.location,
                capabilities: (try? library.requireCollective()) == nil ? [] : .collective)
        case .failure:
            BackendDescription.Engine(version: "", location: "not found")
        }
    }

    private let loaded: XGBoostFunctions
    /// The version.
    let version: XGBoostVersion
    /// The file, as far as the loader tells.
    let location: String

    /// The functions.
    ///
    /// The threads of OpenMP do not survive a fork, and it waits for them for ever, or follows what they left. `nthread` does
    /// not reach every part of XGBoost, so that OpenMP itself is told, on each thread that calls.
    var functions: XGBoostFunctions {
        if ProcessFork.isChild { loaded.setThreads?(1) }
        return loaded
    }

    /// Loads the first library of `places` that there is.
    ///
    /// - Throws: `unsupported`, saying what to install.
    static func find(_ places: XGBoostPlaces) throws(MetaLearnersError) -> XGBoostLibrary {
        var problem = ""
        for name in places.candidates {
            guard let library = SharedLibrary(name, problem: &problem) else { continue }
            return try XGBoostLibrary(library)
        }
        let install = "'apt install libxgboost-dev', 'brew install xgboost' or 'pip install xgboost-cpu'"
        let remedy =
            places.named == nil
            ? "install it (\(install)) and, where it is not found, set \(variable) to its library or to a folder with it"
            : "set \(variable) to XGBoost's library or to a folder with it, or leave it unset to use the system's (\(install))"
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
        loaded = functions
        version = XGBoostVersion(major: numbers.0, minor: numbers.1, patch: numbers.2)
        location = library.file(of: "XGBoostVersion") ?? library.name
    }

    /// What joins processes.
    ///
    /// - Throws: `unsupported` where the library cannot: 3.0 is the first that can.
    func requireCollective() throws(MetaLearnersError) -> XGBoostFunctions.Collective {
        guard version.major >= 3, let collective = loaded.collective else {
            throw MetaLearnersError(
                .unsupported, at: "backend", "XGBoost \(version) cannot join processes",
                remedy: "use XGBoost 3.0 or later, as 'pip install xgboost-cpu' brings it, and set "
                    + "\(Self.variable) to its library or to a folder with it; or use the backend 'trees'")
        }
        return collective
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
