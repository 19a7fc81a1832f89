import MetaLearnersCore
import Testing
import _TestSupport

@testable import TreeEstimators

/// Rows with numbers, gaps, categories, weights and clusters, which processes share.
private struct ForestSample: Sendable {
    let table: Table
    let target: [Double]
    let weights: [Double]
    let clusters: [Int32]
    /// The rows to learn from: not all.
    let rows: [Int32]

    init(rows count: Int, seed: UInt64) throws {
        var numbers = TestNumbers(seed)
        let first = numbers.uniform(count)
        var second = numbers.integers(count, below: 30)
        for row in stride(from: 3, to: count, by: 9) { second[row] = .nan }
        let levels = numbers.integers(count, below: 12)
        // A column that is the same in all rows, and one that is so in some processes.
        let columns = [
            Column("x1", first), Column("x2", second),
            Column(
                "level", codes: StridedValues(levels.enumerated().map { $0 % 11 == 5 ? -1 : Int32($1) }),
                levels: (0..<12).map { "\($0)" }),
            Column("constant", [Double](repeating: 4, count: count)),
            Column("late", (0..<count).map { $0 < count / 2 ? 0 : Double($0 % 3) }),
        ]
        table = try Table(columns)
        let noise = numbers.uniform(count)
        target = (0..<count).map { row in
            3 * first[row] + (second[row].isNaN ? 1 : second[row] / 10) + (levels[row] > 7 ? 2 : 0)
                + noise[row]
        }
        weights = numbers.integers(count, below: 4)
        clusters = numbers.integers(count, below: max(count / 8, 1)).map { Int32($0) }
        rows = (0..<Int32(count)).filter { $0 % 7 != 2 }
    }

    /// The sample's task on the rows of `range`, which `distribution` says others have the rest of; all rows where that is nil.
    func task(
        _ kind: Kind, _ range: Range<Int>, _ distribution: DistributedRows?, seed: UInt64 = 11
    ) throws -> TrainingTask {
        let own = table.selecting(rows: range.map { Int32($0) }).distributed(distribution)
        let objective: TrainingTask.Objective
        var values = target
        switch kind.classes {
        case 0: objective = kind.isRatio ? .residual(regressor: target[range].map { $0 - 2.5 }) : .regression
        case let classes:
            values = target.map { Double(min(Int($0 * Double(classes) / 9), classes - 1)) }
            objective = .classification(classes: classes)
        }
        return try TrainingTask(
            features: own,
            rows: rows.filter { range.contains(Int($0)) }.map { $0 - Int32(range.lowerBound) },
            target: Array(values[range]), weights: kind.isWeighted ? Array(weights[range]) : nil,
            clusters: kind.isClustered ? Array(clusters[range]) : nil, objective: objective, seed: seed)
    }

    /// What a task is about.
    struct Kind: Sendable, CustomTestStringConvertible {
        var classes = 0
        var isRatio = false
        var isWeighted = false
        var isClustered = false
        var testDescription: String {
            (classes > 0 ? "\(classes) classes" : isRatio ? "residual loss" : "regression")
                + (isWeighted ? ", weights" : "") + (isClustered ? ", clusters" : "")
        }

        static let all = [
            Kind(), Kind(isWeighted: true), Kind(isClustered: true), Kind(isRatio: true),
            Kind(isRatio: true, isWeighted: true, isClustered: true), Kind(classes: 2),
            Kind(classes: 2, isWeighted: true, isClustered: true), Kind(classes: 3, isWeighted: true),
            Kind(classes: 9, isClustered: true),
        ]
    }
}

@Suite("Forests of rows that several processes hold")
struct CollectiveForestTests {
    private static let partitions = [[1, 1], [9, 1], [1, 0], [2, 0, 3], [0, 5, 1]]

    private static func ranges(_ count: Int, _ shares: [Int]) -> [Range<Int>] {
        let total = shares.reduce(0, +)
        return shares.indices.map { rank in
            shares[..<rank].reduce(0, +) * count / total..<shares[...rank].reduce(0, +) * count / total
        }
    }

    private static var plain: ForestSpec {
        var spec = ForestSpec()
        spec.trees = 7
        return spec
    }

    private static var specs: [(name: String, spec: ForestSpec)] {
        var honest = plain
        honest.honest = true
        honest.ciGroupSize = 4
        var drawn = plain
        drawn.bootstrap = true
        drawn.rowSample = 1
        drawn.ciGroupSize = 1
        drawn.maxLeaves = 9
        var both = drawn
        both.honest = true
        both.ciGroupSize = 3
        var random = plain
        random.extraRandom = true
        random.minChildShare = 0.1
        random.maxBins = 20
        return [
            ("little bags", plain), ("honest", honest), ("bootstrap", drawn), ("honest bootstrap", both),
            ("extra random", random),
        ]
    }

    private func fit(
        _ sample: ForestSample, _ kind: ForestSample.Kind, _ spec: ForestSpec, _ shares: [Int],
        threads: Int = 1
    ) throws -> [FittedForest] {
        let ranges = Self.ranges(sample.target.count, shares)
        return try ThreadGroup.run(shares.count) { collective in
            let range = ranges[collective.rank]
            let distribution = try DistributedRows(collective, rows: range.count)
            let forest = try fitForest(
                spec, try sample.task(kind, range, distribution), threads: threads + collective.rank)
            try distribution.finish()
            return forest
        }.results.map { try $0.get() }
    }

    @Test(
        "They are to the byte those of one process, whatever they learn and whoever holds the rows",
        arguments: ForestSample.Kind.all)
    fileprivate func bytes(kind: ForestSample.Kind) throws {
        let sample = try ForestSample(rows: 260, seed: 3)
        for (name, spec) in Self.specs {
            let alone = try fitForest(spec, try sample.task(kind, 0..<260, nil))
            #expect(alone.treeCount == spec.treeCount)
            for shares in Self.partitions {
                for forest in try fit(sample, kind, spec, shares) {
                    let isSame = encoded(forest) == encoded(alone)
                    #expect(isSame, "\(name), \(shares)")
                }
            }
        }
    }

    @Test("More trees than all threads grow between two exchanges come in their order")
    func manyTrees() throws {
        let sample = try ForestSample(rows: 150, seed: 4)
        var spec = Self.plain
        spec.trees = 75
        spec.maxDepth = 3
        let alone = encoded(try fitForest(spec, try sample.task(.init(), 0..<150, nil), threads: 2))
        // Processes have one, two, three and four threads: 8, 32 and 128 trees go between two exchanges.
        for shares in [[1], [1, 2], [1, 1, 1, 1]] {
            for forest in try fit(sample, .init(), spec, shares) {
                let isSame = encoded(forest) == alone
                #expect(isSame, "\(shares)")
            }
        }
    }

    @Test("A constant target has no trees, and rows of no weight in any process are refused in all")
    func nothingToLearn() throws {
        let sample = try ForestSample(rows: 60, seed: 5)
        let results = ThreadGroup.run(2) { collective in
            let range = collective.rank * 30..<(collective.rank + 1) * 30
            let distribution = try DistributedRows(collective, rows: 30)
            let task = try sample.task(.init(), range, distribution)
            func fit(weights: [Double]?) throws -> FittedForest {
                try fitForest(
                    Self.plain,
                    try TrainingTask(
                        features: task.features, rows: task.rows, target: [Double](repeating: 2.5, count: 30),
                        weights: weights))
            }
            let constant = try fit(weights: nil)
            let error = #expect(throws: MetaLearnersError.self) {
                try fit(weights: [Double](repeating: 0, count: 30))
            }
            return (constant.treeCount, error?.problem ?? "")
        }.results
        for result in results {
            let (trees, problem) = try result.get()
            #expect(trees == 0 && problem.contains("no rows to learn from in any process"))
        }
    }

    @Test("All fits of a dataset share the bins, of which each process sends its own once")
    func sharedBins() throws {
        let sample = try ForestSample(rows: 400, seed: 6)
        var spec = Self.plain
        spec.trees = 2
        spec.maxDepth = 1
        func sent(fits: Int) throws -> Int {
            let run = ThreadGroup.run(2) { [spec] collective in
                let distribution = try DistributedRows(collective, rows: 200)
                let task = try sample.task(
                    .init(), collective.rank * 200..<(collective.rank + 1) * 200, distribution)
                for _ in 0..<fits {
                    _ = try fitForest(spec, try task.restricted(to: task.rows, seed: 3))
                }
                try distribution.finish()
            }
            for result in run.results { try result.get() }
            return run.traffic.gathers
        }
        let one = try sent(fits: 1)
        let three = try sent(fits: 3)
        // Row numbers of 4 bytes and targets of 8; a tree of two leaves in either process, and its gains.
        let learned = sample.rows.count { $0 < 200 }
        let perFit = (three - one) / 2
        #expect((30...65).contains(perFit - 12 * learned))
        // Of three columns of numbers and one of levels that vary, beside the sample that gives the bins.
        #expect(one - perFit == 4 * 200 + 4 * 200 * 8)
    }

    @Test("Columns that share memory in one process need not do so in another", arguments: [true, false])
    func sharedMemory(isForest: Bool) throws {
        var numbers = TestNumbers(12)
        let first = numbers.uniform(80)
        let second = numbers.uniform(40)
        let noise = numbers.uniform(80)
        let other = Array(first[..<40]) + second
        let target = (0..<80).map { (row: Int) -> Double in 2 * first[row] + other[row] + noise[row] }
        var spec = TreesSpec()
        spec.trees = 4
        spec.minLeafSize = 3
        let estimator: any BaseEstimator =
            isForest ? try ForestEstimator(Self.plain) : try TreesEstimator(spec)
        let alone = encoded(
            try estimator.fit(
                forestTask(
                    Table([Column("a", first), Column("b", other)]), target),
                ExecutionContext()))
        let run = ThreadGroup.run(2) { collective in
            let range = collective.rank * 40..<(collective.rank + 1) * 40
            let distribution = try DistributedRows(collective, rows: 40)
            let own = StridedValues(Array(first[range]))
            let table = try Table([
                Column("a", own), Column("b", collective.rank == 0 ? own : StridedValues(second)),
            ])
            let task = try forestTask(table.distributed(distribution), Array(target[range]))
            let model = try estimator.fit(task, ExecutionContext())
            try distribution.finish()
            return encoded(model)
        }
        for result in run.results {
            let isSame = try result.get() == alone
            #expect(isSame)
        }
    }

    @Test("Predictions out of bag need the rows of all processes")
    func outOfBag() throws {
        let sample = try ForestSample(rows: 120, seed: 7)
        let whole = try sample.task(.init(), 0..<120, nil)
        let forests = try fit(sample, .init(), Self.plain, [1, 1])
        let alone = try fitForest(Self.plain, whole)
        let context = ExecutionContext()
        func bits(_ forest: FittedForest, _ task: TrainingTask) throws -> [UInt64] {
            try forest.outOfBagPredictions(of: task, context).map(\.bitPattern)
        }
        for forest in forests { #expect(try bits(forest, whole) == bits(alone, whole)) }
        for range in [0..<60, 60..<120, 0..<0] {
            let distribution = ThreadGroup(size: 1).member(0)
            let part = try sample.task(.init(), range, DistributedRows(distribution, rows: range.count))
            let error = #expect(throws: MetaLearnersError.self) {
                try forests[0].outOfBagPredictions(of: part, context)
            }
            #expect(
                error?.problem.contains("other rows") == true
                    && error?.remedy?.contains("all of them") == true)
            #expect(throws: MetaLearnersError.self) { try forests[0].outOfBagVariance(of: part, context) }
        }
    }

    @Test("Whichever call fails, every process ends with an error and none with a forest")
    func failingCalls() throws {
        let sample = try ForestSample(rows: 80, seed: 8)
        var calls = 0
        while true {
            let after = calls
            let run = ThreadGroup.run(2, failing: (rank: 1, after: after)) { collective in
                let distribution = try DistributedRows(collective, rows: 40)
                let task = try sample.task(
                    .init(isWeighted: true), collective.rank * 40..<(collective.rank + 1) * 40, distribution)
                return try fitForest(Self.plain, task)
            }
            let errors = run.results.map { result -> MetaLearnersError? in
                guard case .failure(let error) = result else { return nil }
                return error as? MetaLearnersError
            }
            if errors[1] == nil { break }
            #expect(errors[1]?.problem.contains("the network is gone") == true, "\(after)")
            #expect(errors[0]?.description.contains("another process has left") == true, "\(after)")
            calls += 1
        }
        #expect(calls > 20)
    }

    @Test("A process that cannot grow its trees tells the others why", arguments: [0, 1, 2])
    func told(failing: Int) throws {
        let sample = try ForestSample(rows: 90, seed: 9)
        let ranges = Self.ranges(90, [1, 1, 1])
        let token = CancellationToken()
        let run = ThreadGroup.run(3) { collective -> [MetaLearnersError?] in
            let range = ranges[collective.rank]
            let distribution = try DistributedRows(collective, rows: range.count)
            let task = try sample.task(.init(), range, distribution)
            let growth = SharedGrowth(
                distribution: distribution, columns: 1, output: .mean(base: 0, scale: 1),
                context: ExecutionContext(threads: 1))
            _ = try fitForest(Self.plain, task)
            do throws(MetaLearnersError) {
                _ = try growth.grow(40) { numbers throws(MetaLearnersError) in
                    // Trees of the second exchange fail in one process.
                    guard numbers.contains(where: { $0 >= 24 }), collective.rank == failing else {
                        var tree = GrownForestTree(gains: [0])
                        tree.tree.appendLeaf([1], cover: 1)
                        return numbers.map { _ in tree }
                    }
                    token.cancel()
                    try ExecutionContext(cancellation: token).checkCancellation()
                    return []
                }
                return [nil]
            } catch {
                distribution.leave(for: error)
                return [error]
            }
        }
        for (rank, result) in run.results.enumerated() {
            let error = try result.get()[0]
            #expect(error?.kind == .cancelled)
            #expect(rank == failing || error?.problem.contains("process \(failing) of 3 ended") == true)
        }
    }

    @Test("More rows than 32 bits tell apart are refused before anything is exchanged")
    func tooManyRows() throws {
        let sample = try ForestSample(rows: 40, seed: 10)
        let many = ManyRows()
        let distribution = try DistributedRows(many, rows: 40)
        let task = try sample.task(.init(), 0..<40, distribution)
        let before = many.calls.value
        let error = #expect(throws: MetaLearnersError.self) { try fitForest(Self.plain, task) }
        #expect(
            error?.kind == .unsupported
                && error?.problem.contains("a forest takes at most 2147483647") == true)
        #expect(many.calls.value == before)
    }

    @Test("The memory that a fit says it takes counts the rows of all processes")
    func footprint() throws {
        let sample = try ForestSample(rows: 1000, seed: 11)
        let estimator = try ForestEstimator(Self.plain)
        @Sendable func footprint(_ range: Range<Int>, _ distribution: DistributedRows?) throws -> Footprint {
            let task = try sample.task(.init(), range, distribution)
            return estimator.footprint(rows: task.rowCount, of: task.features, for: task.objective)
        }
        let alone = try footprint(0..<1000, nil)
        let parts = try ThreadGroup.run(2) { collective in
            let range = collective.rank == 0 ? 0..<1000 : 1000..<1000
            return try footprint(range, try DistributedRows(collective, rows: range.count))
        }.results.map { try $0.get() }
        #expect(parts[0].shared == alone.shared + 5 * 1000)
        #expect(parts[1].shared >= 5 * 1000)
        for part in parts { #expect(part.working >= alone.working + 36 * 1000) }
    }

    @Test(
        "What processes gather does not depend on how much a message may hold",
        arguments: [8, 24, 100, 1 << 20])
    func pieces(limit: Int) throws {
        let counts = [5, 0, 17, 1]
        let run = ThreadGroup.run(4) { collective in
            let distribution = try DistributedRows(collective, rows: 0)
            let own = (0..<counts[collective.rank]).map { Int64(1000 * collective.rank + $0) }
            let all = try AlignedBuffer<Int64>(uninitialized: 23)
            try own.withUnsafeBufferPointer { own throws(MetaLearnersError) in
                try distribution.gather(own, counts: counts, into: all.start, limit: limit)
            }
            try distribution.finish()
            return Array(UnsafeBufferPointer(start: all.start, count: 23))
        }
        let expected = counts.indices.flatMap { rank in (0..<counts[rank]).map { Int64(1000 * rank + $0) } }
        for result in run.results { #expect(try result.get() == expected) }
    }
}

/// Two processes of which the other one says that it has 2³¹ rows.
private final class ManyRows: Collective {
    let rank = 0
    let size = 2
    let calls = Counter()

    func sum(_ values: UnsafeMutableBufferPointer<Int64>) throws(MetaLearnersError) {
        calls.add(1)
        if values.count == 2 { values[1] = 1 << 31 }
    }
    func sum(_ values: UnsafeMutableBufferPointer<Double>) throws(MetaLearnersError) { calls.add(1) }
    func maximum(_ values: UnsafeMutableBufferPointer<Int64>) throws(MetaLearnersError) { calls.add(1) }
    func broadcast(_ bytes: UnsafeMutableRawBufferPointer, from root: Int) throws(MetaLearnersError) {
        calls.add(1)
    }
    func gather(
        _ bytes: UnsafeRawBufferPointer, sizes: [Int], into all: UnsafeMutableRawBufferPointer
    ) throws(MetaLearnersError) { calls.add(1) }
}
