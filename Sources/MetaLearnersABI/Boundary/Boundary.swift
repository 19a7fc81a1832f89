import CMetaLearners
import MetaLearnersCore

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

    /// Runs `body`, which makes an object, and hands the object to the caller; NULL where it throws.
    static func make<Object: HandledObject>(
        _ out: UnsafeMutablePointer<OpaquePointer?>?, _ error: UnsafeMutablePointer<OpaquePointer?>?,
        _ body: () throws(MetaLearnersError) -> Object
    ) -> mtlr_status {
        run(error) { () throws(MetaLearnersError) in
            guard let out else { throw missing("out") }
            store(nil, at: out)
            guard let handle = Handle.make(try body()) else { throw outOfMemory("an object") }
            store(handle, at: out)
        }
    }

    /// Runs `body`, which makes a text, and hands a copy of it to the caller; NULL where it throws.
    static func text(
        _ out: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?,
        _ error: UnsafeMutablePointer<OpaquePointer?>?, argument: String = "json",
        _ body: () throws(MetaLearnersError) -> String
    ) -> mtlr_status {
        run(error) { () throws(MetaLearnersError) in
            guard let out else { throw missing(argument) }
            store(nil, at: out)
            store(try CText.copy(try body()), at: out)
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
