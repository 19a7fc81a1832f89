import MetaLearnersCore
import Testing
import TreeEstimators

@Suite struct MissingAndCategoricalTests {
    @Test("missing values go to the side that fits them")
    func learnedSide() throws {
        let table = try numericTable([[1, 2, 3, 4, .nan, .nan]])
        let low = try fitTrees(plainSpec(), table, [0, 0, 5, 5, 0, 0])
        #expect(distance(try predictions(low, table), [0, 0, 5, 5, 0, 0]) < 1e-6)
        let high = try fitTrees(plainSpec(), table, [0, 0, 5, 5, 5, 5])
        #expect(distance(try predictions(high, table), [0, 0, 5, 5, 5, 5]) < 1e-6)
    }

    @Test("being missing can itself be the split")
    func missingAgainstRest() throws {
        let table = try numericTable([[1, .nan, 2, .nan, 3, 4]])
        let model = try fitTrees(plainSpec(), table, [1, 9, 1, 9, 1, 1])
        #expect(distance(try predictions(model, table), [1, 9, 1, 9, 1, 1]) < 1e-6)
    }

    @Test("missing values never seen in training go with the majority")
    func unseenMissing() throws {
        let model = try fitTrees(
            plainSpec(), try numericTable([[1, 2, 3, 4, 5, 6, 7]]), [0, 0, 0, 0, 0, 9, 9])
        #expect(distance(try predictions(model, try numericTable([[.nan]])), [0]) < 1e-6)
    }

    @Test("a category is one against the rest where levels are few")
    func fewLevels() throws {
        let column = Column("colour", categories: ["red", "green", "blue", "green", "red", "blue"])
        let table = try Table([column])
        let model = try fitTrees(plainSpec(), table, [1, 7, 1, 7, 1, 1])
        #expect(distance(try predictions(model, table), [1, 7, 1, 7, 1, 1]) < 1e-6)
    }

    @Test("levels are parted by their effect, not by their order")
    func manyLevels() throws {
        var numbers = TestNumbers(3)
        let levels = (0..<40).map { "level \($0)" }
        let codes = numbers.integers(2000, below: 40).map { Int32($0) }
        let column = Column("level", codes: StridedValues(codes), levels: levels)
        let table = try Table([column])
        let target = codes.map { $0 % 2 == 0 ? 10.0 : -10.0 }
        var spec = plainSpec()
        spec.categorySmoothing = 0
        spec.categoryL2 = 0
        let fitted = try predictions(try fitTrees(spec, table, target), table)
        #expect(distance(fitted, target) < 1e-4)
    }

    @Test("with two categories sorting by gradient finds the best of all subsets")
    func optimalSubset() throws {
        var numbers = TestNumbers(17)
        let codes = numbers.integers(120, below: 6)
        let noise = numbers.uniform(120)
        let target = zip(codes, noise).map { ($0 * 7).truncatingRemainder(dividingBy: 5) + $1 }
        let column = Column(
            "level", codes: StridedValues(codes.map { Int32($0) }), levels: (0..<6).map { "\($0)" })
        let table = try Table([column])
        var spec = plainSpec()
        spec.categorySmoothing = 0
        spec.categoryL2 = 0
        let fitted = try predictions(try fitTrees(spec, table, target), table)
        var best = Double.infinity
        for subset in 1..<63 {
            let isRight = codes.map { subset >> Int($0) & 1 == 1 }
            var loss = 0.0
            for side in [true, false] {
                let values = zip(target, isRight).filter { $0.1 == side }.map(\.0)
                let mean = values.reduce(0, +) / Double(max(values.count, 1))
                loss += values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
            }
            best = min(best, loss)
        }
        #expect(abs(meanSquare(fitted, target) * 120 - best) < 1e-4)
    }

    @Test("codes out of range and levels without rows count as missing")
    func unseenLevels() throws {
        let levels = ["a", "b", "never", "c"]
        let column = Column(
            "level", codes: StridedValues([0, 1, 3, 0, 1, 3, -1, -1] as [Int32]), levels: levels)
        let table = try Table([column])
        let target = [1.0, 1, 1, 1, 1, 1, 8, 8]
        let model = try fitTrees(plainSpec(), table, target)
        let probe = try Table([
            Column("level", codes: StridedValues([2, 4, 99, -7, 1] as [Int32]), levels: levels)
        ])
        #expect(distance(try predictions(model, probe), [8, 8, 8, 8, 1]) < 1e-6)
    }

    @Test("a level never seen is predicted near the mean, not where the majority of each tree adds up to")
    func unseenLevelIsUnbiased() throws {
        // Most groups are a little above zero and a few far below: majorities are above in every tree.
        let groups = 40
        var stream = RandomStream(seed: 5)
        let codes = (0..<2000).map { Int32($0 % groups) }
        let effect = (0..<groups).map { $0 < 8 ? -4.0 : 1.0 }
        let target = codes.map { effect[Int($0)] + stream.uniform() - 0.5 }
        let levels = (0..<groups).map { "\($0)" }
        var spec = TreesSpec()
        spec.trees = 100
        let table = try Table([Column("group", codes: StridedValues(codes), levels: levels)])
        let model = try fitTrees(spec, table, target)
        let unseen = try Table([Column("group", codes: StridedValues([-1] as [Int32]), levels: levels)])
        #expect(abs(try predictions(model, unseen)[0]) < 0.75)
    }

    @Test("of more levels than bins the most frequent keep a bin")
    func moreLevelsThanBins() throws {
        // Level 0 is frequent and stands apart; 600 rare levels share bins.
        let codes = (0..<3000).map { (row: Int) -> Int32 in
            let rare: Int = 1 + (row / 2) % 600
            return Int32(row % 2 == 0 ? 0 : rare)
        }
        let column = Column("level", codes: StridedValues(codes), levels: (0..<601).map { "\($0)" })
        let table = try Table([column])
        let target = codes.map { $0 == 0 ? 5.0 : 0 }
        var spec = plainSpec()
        spec.maxBins = 16
        spec.categorySmoothing = 0
        spec.categoryL2 = 0
        #expect(distance(try predictions(try fitTrees(spec, table, target), table), target) < 1e-4)
    }
}
