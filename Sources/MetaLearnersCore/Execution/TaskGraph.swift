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
        let meter: TaskMeter?
        let body: @Sendable (ExecutionContext) throws(MetaLearnersError) -> Void
        var predecessors: [Int]
    }

    private(set) var entries: [Entry] = []

    /// Measures the tasks that are added while it is set; nil for none.
    package var meter: TaskMeter?

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
                stage: stage, bytes: max(0, bytes), meter: meter, body: body,
                predecessors: before.map(\.index).filter { $0 < entries.count }))
        return Node(index: entries.count - 1)
    }

    /// The most memory that a task takes, in bytes.
    public var largestTask: Int { entries.map(\.bytes).max() ?? 0 }

    /// How many tasks there are.
    public var count: Int { entries.count }

    /// The tasks that were added between two counts.
    package func nodes(_ tasks: Range<Int>) -> [Node] { tasks.clamped(to: 0..<count).map { Node(index: $0) } }
}

/// What some tasks of a graph took.
package final class TaskMeter: Sendable {
    private let state = Lock<(seconds: Double, fits: Int)>((0, 0))

    package init() {}

    /// The seconds that the tasks ran, all threads together.
    package var seconds: Double { state.withLock { $0.seconds } }

    /// How many of them belonged to a stage: fits, and not what puts their results together.
    package var fits: Int { state.withLock { $0.fits } }

    func add(_ seconds: Double, isFit: Bool) {
        state.withLock { state in
            state.seconds += seconds
            if isFit { state.fits += 1 }
        }
    }
}
