import MetaLearnersCore

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// XGBoost's own communicator among the processes of a collective fit, for the time of one fit: by it XGBoost adds up its
/// histograms.
///
/// Rank 0 runs XGBoost's tracker, by which the processes find each other; its arguments go to them by the fit's collective.
/// XGBoost keeps one communicator for each thread, so that this one is of a thread of its own: the calling thread may be in
/// another already, that of a cluster's Python package, which may have loaded the very same library.
struct JoinedProcesses {
    /// The environment variable of rank 0 that may name the address by which the others reach it.
    static let hostVariable = "METALEARNERS_XGBOOST_HOST"
    /// Seconds that a process waits for the others, in coming together and in each exchange.
    static let patience = 300

    private let library: XGBoostLibrary
    private let functions: XGBoostFunctions.Collective
    private let distribution: DistributedRows

    /// - Throws: `unsupported` where the library cannot join processes.
    private init(_ library: XGBoostLibrary, _ distribution: DistributedRows) throws(MetaLearnersError) {
        self.library = library
        self.distribution = distribution
        functions = try library.requireCollective()
    }

    /// Runs `body` on a thread whose communicator joins all processes; all of them call this.
    ///
    /// - Throws: what `body` throws; `inputOutput` where the processes do not come together.
    static func with<Result: Sendable>(
        _ library: XGBoostLibrary, _ distribution: DistributedRows,
        _ body: () throws(MetaLearnersError) -> Result
    ) throws(MetaLearnersError) -> Result {
        let processes = try JoinedProcesses(library, distribution)
        var result: Swift.Result<Result, MetaLearnersError>?
        Workers.onOwnStack(
            {
                do throws(MetaLearnersError) {
                    result = .success(try processes.run(body))
                } catch {
                    result = .failure(error)
                }
            }, waiting: {})
        guard let result else { throw MetaLearnersError(.internalFault, "a fit has not ended") }
        return try result.get()
    }

    private func run<Result>(_ body: () throws(MetaLearnersError) -> Result) throws(MetaLearnersError)
        -> Result
    {
        let host = try sharedHost()
        var tracker: Tracker?
        var arguments: [UInt8] = []
        if distribution.rank == 0 {
            let made = try Tracker(library, functions, host, distribution.size)
            arguments = Array(try made.arguments().utf8)
            tracker = made
        }
        let told = try distribution.gather(arguments)
        try join(String(decoding: told.first ?? [], as: UTF8.self))
        let result: Result
        do throws(MetaLearnersError) {
            result = try body()
        } catch {
            // Without a tracker nobody waits, while parting, for a process that is lost.
            tracker = nil
            _ = functions.finalize()
            throw error
        }
        try library.check(functions.finalize(), "part from the other processes", kind: .inputOutput)
        try tracker?.wait()
        return result
    }

    /// The address of rank 0, empty where XGBoost is to guess: this machine where all processes are on it.
    private func sharedHost() throws(MetaLearnersError) -> String {
        var bytes = [CChar](repeating: 0, count: 256)
        let isKnown = gethostname(&bytes, bytes.count - 1) == 0
        let name = isKnown ? bytes.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) } : []
        let names = try distribution.gather(Array(name))
        if let given = getenv(Self.hostVariable), given.pointee != 0 { return String(cString: given) }
        return isKnown && names.allSatisfy { $0 == names[0] } ? "127.0.0.1" : ""
    }

    private func join(_ arguments: String) throws(MetaLearnersError) {
        // Ranks are those of task numbers of equal length, in their order.
        let digits = String(distribution.rank + 1_000_000_000)
        let own = "{\"dmlc_task_id\":\"\(digits)\",\"dmlc_timeout\":\(Self.patience),\"dmlc_retry\":1,"
        guard arguments.first == "{" else {
            throw MetaLearnersError(.internalFault, at: "backend 'xgboost'", "its tracker gave no arguments")
        }
        // What it says of that, such as numbers of processes, is no warning of a model.
        _ = try XGBoostLog.capturing(library) { () throws(MetaLearnersError) in
            try library.check(
                functions.initialize(own + arguments.dropFirst()), "join the other processes",
                kind: .inputOutput)
        }
    }
}

/// XGBoost's tracker, running in this process.
private final class Tracker {
    private let handle: XGBoostHandle
    private let library: XGBoostLibrary
    private let functions: XGBoostFunctions.Collective

    init(
        _ library: XGBoostLibrary, _ functions: XGBoostFunctions.Collective, _ host: String, _ size: Int
    ) throws(MetaLearnersError) {
        let place = host.isEmpty ? "" : "\"host\":\(SpecValue.string(host).json()),"
        var handle: XGBoostHandle?
        try library.check(
            functions.createTracker(
                "{\(place)\"n_workers\":\(size),\"port\":0,\"dmlc_communicator\":\"rabit\",\"sortby\":1,"
                    + "\"timeout\":\(JoinedProcesses.patience)}", &handle),
            "start its tracker at \(host.isEmpty ? "this machine's address" : host)", kind: .inputOutput)
        guard let handle else {
            throw MetaLearnersError(.internalFault, at: "backend 'xgboost'", "XGBoost gave no tracker")
        }
        self.handle = handle
        self.library = library
        self.functions = functions
        try library.check(functions.runTracker(handle, "{}"), "run its tracker", kind: .inputOutput)
    }

    deinit { _ = functions.freeTracker(handle) }

    /// What processes join with, as JSON.
    func arguments() throws(MetaLearnersError) -> String {
        var text: UnsafePointer<CChar>?
        try library.check(
            functions.trackerArguments(handle, &text), "tell how its tracker is reached", kind: .inputOutput)
        return text.map { String(cString: $0) } ?? ""
    }

    /// Waits until all processes have parted.
    func wait() throws(MetaLearnersError) {
        try library.check(
            functions.awaitTracker(handle, "{\"timeout\":\(JoinedProcesses.patience)}"), "end its tracker",
            kind: .inputOutput)
    }
}
