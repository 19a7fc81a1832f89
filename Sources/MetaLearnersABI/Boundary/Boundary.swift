import CMetaLearners
import MetaLearnersCore

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// The edge between C and Swift: what every function that can fail goes through.
///
/// Errors become error objects and status codes here and nowhere else.
enum Boundary {
    /// Runs `body`, on a stack that is large enough; where it throws, hands the error to the caller and returns its status.
    static func run(
        _ error: UnsafeMutablePointer<OpaquePointer?>?, _ body: () throws(MetaLearnersError) -> Void
    ) -> mtlr_status {
        if let error { store(nil, at: error) }
        var status = MTLR_OK
        StackRoom.ensure {
            do throws(MetaLearnersError) {
                try body()
            } catch let failure {
                if let error { store(ErrorObject(failure).flatMap { Handle.make($0) }, at: error) }
                status = failure.kind.rawValue
            }
        }
        return status
    }

    /// Runs `body` as the caller's execution says: where it has a poll function, on another thread while this one asks it.
    static func run(
        _ error: UnsafeMutablePointer<OpaquePointer?>?, _ execution: UnsafePointer<mtlr_execution>?,
        _ body: (ExecutionOptions) throws(MetaLearnersError) -> Void
    ) -> mtlr_status {
        guard let poll = ExecutionView.poll(execution) else {
            return run(error) { () throws(MetaLearnersError) in try body(ExecutionView.read(execution)) }
        }
        let loop = CallerLoop(ExecutionView.token(execution))
        var status = MTLR_OK
        loop.run(poll) {
            status = run(error) { () throws(MetaLearnersError) in
                try body(ExecutionView.read(execution, loop))
            }
        }
        return status
    }

    /// Runs `body`, which makes an object as the caller's execution says, and hands the object to the caller.
    static func make<Object: HandledObject>(
        _ out: UnsafeMutablePointer<OpaquePointer?>?, _ execution: UnsafePointer<mtlr_execution>?,
        _ error: UnsafeMutablePointer<OpaquePointer?>?,
        _ body: (ExecutionOptions) throws(MetaLearnersError) -> Object
    ) -> mtlr_status {
        if let out { store(nil, at: out) }
        return run(error, execution) { options throws(MetaLearnersError) in
            try hand(to: out) { () throws(MetaLearnersError) in try body(options) }
        }
    }

    /// Runs `body`, which makes an object, and hands the object to the caller; NULL where it throws.
    static func make<Object: HandledObject>(
        _ out: UnsafeMutablePointer<OpaquePointer?>?, _ error: UnsafeMutablePointer<OpaquePointer?>?,
        _ body: () throws(MetaLearnersError) -> Object
    ) -> mtlr_status {
        if let out { store(nil, at: out) }
        return run(error) { () throws(MetaLearnersError) in try hand(to: out, body) }
    }

    private static func hand<Object: HandledObject>(
        to out: UnsafeMutablePointer<OpaquePointer?>?, _ body: () throws(MetaLearnersError) -> Object
    ) throws(MetaLearnersError) {
        guard let out else { throw missing("out") }
        guard let handle = Handle.make(try body()) else { throw outOfMemory("an object") }
        store(handle, at: out)
    }

    /// Runs `body`, which makes a text, and hands a copy of it to the caller; NULL where it throws.
    static func text(
        _ out: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?,
        _ error: UnsafeMutablePointer<OpaquePointer?>?, argument: String = "json",
        _ body: () throws(MetaLearnersError) -> String
    ) -> mtlr_status {
        if let out { store(nil, at: out) }
        return run(error) { () throws(MetaLearnersError) in try hand(to: out, argument, body) }
    }

    /// The same as the caller's execution says.
    static func text(
        _ out: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?,
        _ execution: UnsafePointer<mtlr_execution>?,
        _ error: UnsafeMutablePointer<OpaquePointer?>?, argument: String = "json",
        _ body: (ExecutionOptions) throws(MetaLearnersError) -> String
    ) -> mtlr_status {
        if let out { store(nil, at: out) }
        return run(error, execution) { options throws(MetaLearnersError) in
            try hand(to: out, argument) { () throws(MetaLearnersError) in try body(options) }
        }
    }

    private static func hand(
        to out: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?, _ argument: String,
        _ body: () throws(MetaLearnersError) -> String
    ) throws(MetaLearnersError) {
        guard let out else { throw missing(argument) }
        store(try CText.copy(try body()), at: out)
    }

    /// Runs `body` and hands its bytes to the caller, who frees them; NULL and 0 where it throws.
    static func bytes(
        _ out: UnsafeMutablePointer<UnsafeMutablePointer<UInt8>?>?, _ length: UnsafeMutablePointer<Int64>?,
        _ error: UnsafeMutablePointer<OpaquePointer?>?, _ body: () throws(MetaLearnersError) -> [UInt8]
    ) -> mtlr_status {
        if let out { store(nil, at: out) }
        if let length { store(0, at: length) }
        return run(error) { () throws(MetaLearnersError) in
            guard let out else { throw missing("bytes") }
            guard let length else { throw missing("length") }
            let made = try body()
            guard let copy = malloc(max(made.count, 1)) else { throw outOfMemory("the model's bytes") }
            made.withUnsafeBytes { source in
                if let start = source.baseAddress {
                    copy.copyMemory(from: start, byteCount: source.count)
                }
            }
            store(copy.assumingMemoryBound(to: UInt8.self), at: out)
            store(Int64(made.count), at: length)
        }
    }

    /// Writes to memory of the caller, which need not be aligned.
    static func store<Value: BitwiseCopyable>(_ value: Value, at target: UnsafeMutablePointer<Value>) {
        UnsafeMutableRawPointer(target).storeBytes(of: value, as: Value.self)
    }

    /// The error of an argument that is NULL and must not be.
    static func missing(_ argument: String) -> MetaLearnersError {
        MetaLearnersError(.invalidArgument, at: argument, "is NULL")
    }

    /// The error of memory that there is not.
    static func outOfMemory(_ purpose: String) -> MetaLearnersError {
        MetaLearnersError(.outOfMemory, "there is not enough memory for \(purpose)")
    }

    /// Checks the length of an output array.
    ///
    /// - Throws: `invalidArgument` where it is not rows × columns.
    static func requireLength(_ length: Int64, rows: Int, columns: Int, _ argument: String)
        throws(MetaLearnersError)
    {
        let (count, overflow) = rows.multipliedReportingOverflow(by: columns)
        guard !overflow, Int64(count) == length else {
            throw MetaLearnersError(
                .invalidArgument, at: argument,
                "is \(length), and the result has \(rows) × \(columns) numbers",
                remedy: "give an array of just that size")
        }
    }
}
