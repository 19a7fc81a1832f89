import CMetaLearners
import MetaLearners
import MetaLearnersCore
import MetaLearnersKit

/// How the caller wants a computation to be run.
enum ExecutionView {
    /// The most threads that make sense: a number beyond it is taken for a mistake.
    private static let threadLimit: Int32 = 1024

    private static func view(_ pointer: UnsafePointer<mtlr_execution>) throws(MetaLearnersError)
        -> mtlr_execution
    {
        try StructView.readGrowable(pointer, "execution")
    }

    /// Where learners and base learners are found; those built in for NULL.
    ///
    /// - Throws: `invalidArgument` for a size or a registry that cannot be.
    static func registry(_ pointer: UnsafePointer<mtlr_execution>?) throws(MetaLearnersError)
        -> Registry
    {
        guard let pointer, let registry = try view(pointer).registry else { return .default }
        return try Handle.required(RegistryObject.self, registry, "execution.registry").registry
    }

    /// What asks the caller whether to go on; nil where nobody is to be asked.
    static func poll(_ pointer: UnsafePointer<mtlr_execution>?) -> (() -> Bool)? {
        guard let pointer, let view = try? view(pointer), let function = view.poll else { return nil }
        return { function(view.payload) == 0 }
    }

    /// The caller's token; nil where there is none.
    static func token(_ pointer: UnsafePointer<mtlr_execution>?) -> CancellationToken? {
        guard let pointer, let handle = (try? view(pointer))?.cancel_token else { return nil }
        return Handle.object(CancelTokenObject.self, handle)?.token
    }

    /// The options; the defaults for NULL.
    ///
    /// - Parameter loop: the thread that made the call, where another one works.
    /// - Throws: `invalidArgument` for a size, a number of threads, a token or a limit that cannot be.
    static func read(_ pointer: UnsafePointer<mtlr_execution>?, _ loop: CallerLoop? = nil)
        throws(MetaLearnersError) -> ExecutionOptions
    {
        guard let pointer else { return ExecutionOptions() }
        let view = try self.view(pointer)
        let collective = try view.collective.map { pointer throws(MetaLearnersError) in
            try CallbackCollective(pointer)
        }
        do throws(MetaLearnersError) {
            var options = try read(view, loop)
            options.collective = collective
            return options
        } catch {
            // The other processes are about to begin.
            if let collective { collective.refuse(because: error) }
            throw error
        }
    }

    private static func read(_ view: mtlr_execution, _ loop: CallerLoop?) throws(MetaLearnersError)
        -> ExecutionOptions
    {
        guard view.threads >= 0, view.threads <= threadLimit else {
            throw MetaLearnersError(
                .invalidArgument, at: "execution.threads", "is \(view.threads), not 0 to \(threadLimit)")
        }
        guard view.reserved == 0 else {
            throw MetaLearnersError(
                .invalidArgument, at: "execution.reserved", "is \(view.reserved), must be 0")
        }
        guard view.memory_limit >= 0 else {
            throw MetaLearnersError(
                .invalidArgument, at: "execution.memory_limit",
                "is \(view.memory_limit), must not be negative")
        }
        var options = ExecutionOptions(threads: view.threads == 0 ? nil : Int(view.threads))
        if view.memory_limit > 0 { options.memoryLimit = Int(view.memory_limit) }
        if let token = view.cancel_token {
            options.cancellation = try Handle.required(
                CancelTokenObject.self, token, "execution.cancel_token"
            ).token
        }
        if let function = view.progress {
            let callback = ProgressCallback(function: function, payload: view.payload)
            options.progress = { progress in
                guard let loop else { return callback.call(progress) }
                var goesOn = true
                loop.perform { goesOn = callback.call(progress) }
                return goesOn
            }
        }
        if let loop { options.cancellation = loop.token }
        return options
    }
}

/// The caller's progress function with what it wants to be handed.
private struct ProgressCallback: @unchecked Sendable {
    // The header says that the function is called from any thread, one call at a time.
    let function: @convention(c) (UnsafeMutableRawPointer?, UnsafePointer<CChar>?, Int64, Int64) -> Int32
    let payload: UnsafeMutableRawPointer?

    func call(_ progress: Progress) -> Bool {
        progress.stage.withCString { function(payload, $0, Int64(progress.done), Int64(progress.total)) != 0 }
    }
}
