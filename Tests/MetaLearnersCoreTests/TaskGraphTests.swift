import MetaLearnersCore
import Synchronization
import Testing

@Suite("Task graph")
struct TaskGraphTests {
    @Test("Every task runs once, after all that it comes after", arguments: [1, 2, 4])
    func order(threads: Int) throws {
        var stream = RandomStream(seed: 4)
        for _ in 0..<20 {
            let finished = Mutex<[Int]>([])
            var graph = TaskGraph()
            var nodes: [TaskGraph.Node] = []
            var before: [[Int]] = []
            for index in 0..<30 {
                let chosen = (0..<min(index, 3)).map { _ in stream.integer(below: index) }
                before.append(chosen)
                nodes.append(
                    graph.add(index.isMultiple(of: 2) ? "even" : nil, after: chosen.map { nodes[$0] }) { _ in
                        finished.withLock { $0.append(index) }
                    })
            }
            try Scheduler(ExecutionOptions(threads: threads)).run(graph)
            let order = finished.withLock { $0 }
            #expect(order.sorted() == Array(0..<30))
            for (position, index) in order.enumerated() {
                #expect(before[index].allSatisfy { order.prefix(position).contains($0) })
            }
        }
    }

    @Test("A task that fails stops the graph with its error, and nothing after it runs", arguments: [1, 3])
    func failure(threads: Int) {
        let ran = Mutex(false)
        var graph = TaskGraph()
        let bad = graph.add("s") { _ throws(MetaLearnersError) in
            throw MetaLearnersError(.numericalFailure, "broken")
        }
        _ = graph.add("s", after: [bad]) { _ in ran.withLock { $0 = true } }
        let error = #expect(throws: MetaLearnersError.self) {
            try Scheduler(ExecutionOptions(threads: threads)).run(graph)
        }
        #expect(error?.problem == "broken")
        #expect(!ran.withLock { $0 })
    }

    @Test("Tasks never take more memory together than the limit; one that is larger is refused")
    func memory() throws {
        let running = Mutex((now: 0, most: 0))
        var graph = TaskGraph()
        for _ in 0..<24 {
            _ = graph.add("s", bytes: 40) { _ in
                running.withLock { state in
                    state.now += 40
                    state.most = max(state.most, state.now)
                }
                for _ in 0..<1000 { _ = RandomStream(seed: 1) }
                running.withLock { $0.now -= 40 }
            }
        }
        let notices = Mutex<[String]>([])
        let options = ExecutionOptions(
            threads: 4, memoryLimit: 90, notice: { text in notices.withLock { $0.append(text) } })
        try Scheduler(options).run(graph)
        #expect(running.withLock { $0.most } <= 80)
        #expect(notices.withLock { $0.count } <= 1)
        _ = graph.add("s", bytes: 91) { _ in }
        let error = #expect(throws: MetaLearnersError.self) { try Scheduler(options).run(graph) }
        #expect(error?.kind == .outOfMemory)
    }

    @Test("A graph that is cancelled stops", arguments: [1, 3])
    func cancellation(threads: Int) {
        var graph = TaskGraph()
        for _ in 0..<10 { _ = graph.add("s") { _ in } }
        let options = ExecutionOptions(threads: threads, progress: { $0.done < 3 })
        let error = #expect(throws: MetaLearnersError.self) { try Scheduler(options).run(graph) }
        #expect(error?.kind == .cancelled)
    }
}
