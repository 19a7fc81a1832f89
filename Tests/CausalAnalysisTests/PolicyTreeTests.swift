import MetaLearners
import MetaLearnersCore
import Testing
import _TestSupport

@testable import CausalAnalysis

@Suite("Policy trees")
struct PolicyTreeTests {
    private func columns(_ entry: Fixture) throws -> [PolicyTreeColumn] {
        let table = try Table(try entry.lists("x").enumerated().map { Column("\($0)", $1) })
        return PolicyTreeColumn.columns(of: table, most: 0).columns
    }

    /// The tree in the fixture's form.
    private func plain(_ node: PolicyTree.Node, _ columns: [PolicyTreeColumn]) -> SpecValue {
        switch node {
        case .leaf(let arm): return ["arm": .integer(arm)]
        case .split(let column, let bin, let left, let right):
            return [
                "column": .integer(column), "threshold": .normalized(columns[column].uppers[bin]),
                "left": plain(left, columns), "right": plain(right, columns),
            ]
        }
    }

    @Test("The tree is the one that trying every pair of splits finds")
    func bruteForce() throws {
        let entries = try Fixture("policies").part("trees").parts()
        #expect(entries.count == 3)
        for entry in entries {
            let columns = try columns(entry)
            let scores = try entry.lists("scores")
            let search = PolicyTreeSearch(
                columns: columns, scores: scores, leastRows: Int(try entry.number("min_leaf")))
            let rows = scores[0].indices.map { Int32($0) }
            for threads in [1, 2] {
                let tree = try search.tree(
                    Int(try entry.number("depth")), rows, Scheduler(ExecutionOptions(threads: threads)))
                let decisions = tree.decisions(columns, rowCount: rows.count)
                let value = decisions.enumerated().reduce(0) { $0 + scores[Int($1.element)][$1.offset] }
                #expect(Approximate.equal(value, try entry.number("value"), 1e-9))
                #expect(
                    Self.normalised(plain(tree.root, columns))
                        == Self.normalised(try entry.part("tree").value))
            }
        }
    }

    /// A split of two equal leaves is that leaf; whole thresholds are numbers like others.
    private static func normalised(_ value: SpecValue) -> SpecValue {
        guard var object = value.objectValue, let left = object["left"], let right = object["right"] else {
            return value
        }
        let (one, two) = (normalised(left), normalised(right))
        if one == two { return one }
        object["left"] = one
        object["right"] = two
        object["threshold"] = object["threshold"]?.doubleValue.map { .number($0) }
        return .object(object)
    }

    @Test("Prefix sums are those of a plain loop, whatever is left on either side")
    func prefixes() {
        var stream = RandomStream(seed: 5)
        var values: [(bin: Int, value: Double)] = []
        let tree = PrefixExtremes(bins: 13)
        for count in 1...60 {
            values.append((stream.integer(below: 13), stream.uniform() - 0.5))
            tree.add(values[count - 1].value, to: values[count - 1].bin)
            for least in [1, 3, 7] {
                var (largest, smallest, found) = (-Double.infinity, Double.infinity, false)
                for end in 0..<13 {
                    let prefix = values.filter { $0.bin <= end }
                    guard prefix.count >= least, count - prefix.count >= least else { continue }
                    let sum = prefix.reduce(0) { $0 + $1.value }
                    (largest, smallest, found) = (max(largest, sum), min(smallest, sum), true)
                }
                let extremes = tree.extremes(leaving: least)
                #expect((extremes != nil) == found)
                if let extremes, found {
                    #expect(
                        abs(extremes.largest - largest) < 1e-12 && abs(extremes.smallest - smallest) < 1e-12)
                }
            }
        }
    }

    private func study(rows: Int = 400, seed: Int = 1) throws -> CausalStudy {
        var stream = RandomStream(seed: UInt64(seed))
        let regions = ["north", "south", "west"]
        var x: [Double] = []
        var region: [String?] = []
        var arms: [Int32] = []
        var outcome: [Double] = []
        var means: [[Double]] = [[], []]
        for row in 0..<rows {
            x.append(row % 40 == 0 ? .nan : stream.uniform())
            region.append(regions[stream.integer(below: 3)])
            let gains = (x[row].isNaN || x[row] <= 0.5) == (region[row] == "north")
            arms.append(Int32(stream.integer(below: 2)))
            means[0].append(0)
            means[1].append(gains ? 1 : -1)
            outcome.append(means[Int(arms[row])][row] + stream.uniform() - 0.5)
        }
        let dataset = try CausalDataset(
            covariates: Table([Column("x", x), Column("region", categories: region)]),
            treatment: Treatment(arms: arms, labels: ["control", "drug"]), outcome: Outcome(outcome),
            clusters: (0..<rows).map { Int32($0 / 4) })
        let halves = [Double](repeating: 0.5, count: rows)
        return try CausalStudy(dataset, given: GivenColumns(propensities: [halves, halves], armMeans: means))
    }

    @Test("Rules read as sentences, say what is missing, and hold on rows that they did not see")
    func sentences() throws {
        let result = try PolicyTreeAnalysis().run(study())
        let rules = try #require(result.table(named: "rules")).column("rule").compactMap(\.stringValue)
        #expect(rules.count == 4)
        #expect(rules.allSatisfy { $0.contains("region is ") && $0.contains("x ") })
        #expect(rules.contains { $0.contains("or missing") })
        let gains = try #require(result.table(named: "gains"))
        #expect(gains.column("over") == ["nobody", "everybody"])
        #expect(abs(gains.numbers("estimate")[0] - 0.5) < 0.1 && gains.numbers("lower")[0] > 0.3)
        #expect((result.values["agreement"]?.doubleValue ?? 0) > 0.95)
        #expect(result.findings.first?.hasPrefix("Where ") == true)
        #expect(result.rowColumns.first?.labels == ["control", "drug"])
    }

    @Test("A cost that no gain exceeds leaves one rule: nobody")
    func costs() throws {
        var analysis = PolicyTreeAnalysis()
        analysis.cost = try PolicyCosts(5, at: .root)
        let rules = try #require(try analysis.run(study()).table(named: "rules"))
        #expect(rules.column("rule") == ["everybody"] && rules.column("arm") == ["control"])
    }

    @Test("Three questions are never worse than two, two than one")
    func depths() throws {
        var stream = RandomStream(seed: 3)
        let x = (0..<4).map { _ in (0..<150).map { _ in stream.uniform() } }
        let scores = (0..<2).map { _ in (0..<150).map { _ in stream.uniform() - 0.5 } }
        let (columns, _) = PolicyTreeColumn.columns(
            of: try Table(x.enumerated().map { Column("\($0)", $1) }), most: 0)
        let search = PolicyTreeSearch(columns: columns, scores: scores, leastRows: 5)
        var before = -Double.infinity
        for depth in 1...3 {
            let tree = try search.tree(depth, (0..<150).map { Int32($0) }, Scheduler(ExecutionOptions()))
            let decisions = tree.decisions(columns, rowCount: 150)
            let value = decisions.enumerated().reduce(0) { $0 + scores[Int($1.element)][$1.offset] }
            #expect(value > before)
            before = value
            for leaf in tree.leaves(columns) { #expect(leaf.conditions.count <= depth) }
            #expect(Set(decisions).isSubset(of: [0, 1]))
        }
    }

    @Test("Bins of equal counts limit the thresholds")
    func bins() throws {
        let column = Column("x", (0..<1000).map { Double($0) })
        let (columns, _) = PolicyTreeColumn.columns(of: try Table([column]), most: 10)
        #expect(columns[0].uppers.count == 10 && columns[0].uppers.last == 999)
        #expect((0..<10).allSatisfy { bin in columns[0].bins.filter { $0 == Int32(bin) }.count == 100 })
        #expect(columns[0].conditions(bin: 0).left == "x ≤ 99")
    }

    @Test("An interrupt leaves the tree and says that it is not all")
    func interruption() throws {
        let token = CancellationToken()
        let seen = Counter()
        var options = ExecutionOptions(threads: 1, cancellation: token)
        options.progress = { progress in
            if progress.done == progress.total, progress.total > 0 { seen.add(1) }
            return seen.value < 2
        }
        let result = try PolicyTreeAnalysis().run(study(), options)
        #expect(
            !result.isComplete && result.table(named: "rules") != nil && result.table(named: "gains") == nil)
    }
}
