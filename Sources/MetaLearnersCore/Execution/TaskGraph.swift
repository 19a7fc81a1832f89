/// Tasks of a computation, and which come before which.
///
/// A task may begin once those that it comes after are done; among those that may begin, the one that was added first goes
/// first. Results never depend on the order.
public struct TaskGraph: Sendable {
    /// A task of a graph.
    public struct Node: Sendable, Hashable {
        let index: Int
    }

    struct Entry: Sendable {
        let stage: String?
        let bytes: Int
        let body: @Sendable (ExecutionContext) throws(MetaLearnersError) -> Void
        var predecessors: [Int]
    }

    private(set) var entries: [Entry] = []

    /// Creates an empty graph.
    public init() {}

    /// Adds a task.
    ///
    /// - Parameters:
    ///   - stage: the stage that progress counts it under; nil for none.
    ///   - before: tasks of this graph that must be done before.
    ///   - bytes: the memory it takes while it runs.
    ///   - body: the work, on the share of the threads that its context names.
    public mutating func add(
        _ stage: String?, after before: [Node] = [], bytes: Int = 0,
        _ body: @escaping @Sendable (ExecutionContext) throws(MetaLearnersError) -> Void
    ) -> Node {
        entries.append(
            Entry(
                stage: stage, bytes: max(0, bytes), body: body,
                predecessors: before.map(\.index).filter { $0 < entries.count }))
        return Node(index: entries.count - 1)
    }

    /// The most memory that a task takes, in bytes.
    public var largestTask: Int { entries.map(\.bytes).max() ?? 0 }

    /// How many tasks there are.
    public var count: Int { entries.count }
}
