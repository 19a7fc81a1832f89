import MetaLearnersCore

/// Computes independent parts of a fit on the threads that it has.
enum ParallelParts {
    /// The values of `body` for each index of 0..<`count`, in order.
    ///
    /// - Parameter oneByOne: whether each part comes after the one before it, because processes tell each other something in it.
    /// - Throws: the error of the lowest index that failed.
    static func run<Value: Sendable>(
        _ count: Int, oneByOne: Bool = false, _ context: ExecutionContext,
        _ body: @Sendable (Int) throws(MetaLearnersError) -> Value
    ) throws(MetaLearnersError) -> [Value] {
        if oneByOne { return try (0..<count).map(body) }
        let results = Lock([Result<Value, MetaLearnersError>?](repeating: nil, count: count))
        context.concurrently(count) { index in
            let result = Result { () throws(MetaLearnersError) in try body(index) }
            results.withLock { $0[index] = result }
        }
        var values: [Value] = []
        for result in results.withLock({ $0 }) {
            guard let result else {
                throw MetaLearnersError(.internalFault, at: "linear model", "a part of the work is missing")
            }
            values.append(try result.get())
        }
        return values
    }
}
