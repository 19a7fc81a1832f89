import MetaLearnersCore
import Testing

@Suite struct EarlyStoppingTests {
    private static let count = 200

    private func task(
        rows: [Int32] = (0..<Int32(count)).map { $0 }, weights: [Double]? = nil, clusters: [Int32]? = nil,
        seed: UInt64 = 1
    ) throws -> TrainingTask {
        try TrainingTask(
            features: Table([Column("x", [Double](repeating: 0, count: Self.count))]), rows: rows,
            target: [Double](repeating: 0, count: Self.count), weights: weights, clusters: clusters,
            seed: seed)
    }

    @Test("the share asked for is held out, the rest is learned from, both in order")
    func shares() throws {
        let rows = (0..<Int32(Self.count)).filter { $0 % 2 == 0 }
        let parting = HeldOutRows(try task(rows: rows), share: 0.3, patience: 5)
        #expect(parting.heldOut.count == 30)
        #expect((parting.heldOut + parting.learned).sorted() == rows)
        #expect(parting.heldOut == parting.heldOut.sorted())
        #expect(parting.learned == parting.learned.sorted())
        #expect(parting.heldOutPositions.map { parting.rows[$0] } == parting.heldOut)
        #expect(parting.learnedPositions.map { parting.rows[$0] } == parting.learned)
        #expect(parting.warnings == [])
    }

    @Test("which rows are held out depends on the seed alone")
    func seeds() throws {
        let first = HeldOutRows(try task(), share: 0.2, patience: 1)
        #expect(HeldOutRows(try task(), share: 0.2, patience: 30).heldOut == first.heldOut)
        #expect(HeldOutRows(try task(seed: 2), share: 0.2, patience: 1).heldOut != first.heldOut)
    }

    @Test("nothing is held out where training never stops early, and nothing is said")
    func unwanted() throws {
        let parting = HeldOutRows(try task(), share: 0.2, patience: 0)
        #expect(parting.heldOut == [])
        #expect(parting.learned.count == Self.count)
        #expect(parting.learnedPositions.count == Self.count)
        #expect(parting.warnings == [])
    }

    @Test("rows of weight 0 are neither learned from nor held out")
    func weights() throws {
        let weights = (0..<Self.count).map { $0 % 4 == 0 ? 0.0 : 1.5 }
        for patience in [0, 3] {
            let parting = HeldOutRows(try task(weights: weights), share: 0.2, patience: patience)
            #expect(parting.rows.allSatisfy { $0 % 4 != 0 })
            #expect(parting.learned.count + parting.heldOut.count == 150)
            #expect(parting.heldOut.count == (patience > 0 ? 30 : 0))
        }
    }

    @Test("clusters are held out whole, about as many rows as asked for, and one at least is learned from")
    func clusters() throws {
        let clusters = (0..<Self.count).map { Int32($0 / 10) }
        let parting = HeldOutRows(try task(clusters: clusters), share: 0.25, patience: 3)
        let held = Set(parting.heldOut.map { clusters[Int($0)] })
        #expect(held.isDisjoint(with: parting.learned.map { clusters[Int($0)] }))
        #expect(parting.heldOut.count == 50)
        let two = HeldOutRows(
            try task(clusters: (0..<Self.count).map { $0 < 190 ? 0 : 1 }), share: 0.9, patience: 3)
        #expect(!two.learned.isEmpty && !two.heldOut.isEmpty)
    }

    @Test("one row, or one cluster, cannot be parted, and the user is told")
    func tooFew() throws {
        let row = HeldOutRows(try task(rows: [7]), share: 0.2, patience: 3)
        let cluster = HeldOutRows(
            try task(clusters: [Int32](repeating: 4, count: Self.count)), share: 0.2, patience: 3)
        for parting in [row, cluster] {
            #expect(parting.heldOut == [])
            #expect(parting.learned == parting.rows)
            #expect(parting.warnings.contains { $0.contains("clusters") })
        }
        let pair = HeldOutRows(try task(rows: [7, 9]), share: 0.01, patience: 3)
        #expect(pair.heldOut.count == 1 && pair.learned.count == 1)
    }

    @Test("training stops after so many rounds without improvement, and the best round is known")
    func patience() {
        var stopping = EarlyStopping(patience: 2, initialLoss: 10)
        let losses = [9, 8.5, 8.5, 7, 7.5, 7, 6.0]
        var stopped = 0
        for (round, loss) in losses.enumerated() where stopped == 0 {
            if stopping.shouldStop(loss, rounds: round + 1) { stopped = round + 1 }
        }
        #expect(stopped == 6)
        #expect(stopping.bestRounds == 4)
    }

    @Test("no round is best where none improves on the constant")
    func nothingLearned() {
        var stopping = EarlyStopping(patience: 3, initialLoss: 1)
        let losses = [1, Double.nan, .infinity]
        let answers = losses.enumerated().map { stopping.shouldStop($1, rounds: $0 + 1) }
        #expect(answers == [false, false, true])
        #expect(stopping.bestRounds == 0)
    }

    @Test(
        "a loss that is NaN at first does not keep later ones from being best",
        arguments: [Double.nan, .infinity])
    func undefinedStart(loss: Double) {
        var stopping = EarlyStopping(patience: 3, initialLoss: loss)
        let isOver = stopping.shouldStop(5, rounds: 1)
        #expect(!isOver)
        #expect(stopping.bestRounds == 1)
    }

    @Test("positions are drawn as many as wanted, each about equally often")
    func selection() {
        var counts = [Int](repeating: 0, count: 10)
        for seed in 0..<2000 {
            var stream = RandomStream(seed: UInt64(seed))
            var drawn = 0
            var seen = 0
            stream.select(3, of: 10) { position, isDrawn in
                #expect(position == seen)
                seen += 1
                if isDrawn {
                    drawn += 1
                    counts[position] += 1
                }
            }
            #expect(drawn == 3 && seen == 10)
        }
        // Of 2000 · 3/10, with a standard deviation of 20.5.
        #expect(counts.allSatisfy { abs($0 - 600) < 100 })
        var stream = RandomStream(seed: 1)
        stream.select(5, of: 5) { #expect($1, "position \($0)") }
        stream.select(0, of: 5) { #expect(!$1, "position \($0)") }
    }
}
