import MetaLearnersCore
import Testing
import TreeEstimators

/// Shapley values by their definition: means over all sets of columns.
private func shapley(columns: Int, value: (Int) -> Double) -> [Double] {
    var factorials = [1.0]
    for number in 1...columns { factorials.append(factorials[number - 1] * Double(number)) }
    return (0..<columns).map { column in
        var sum = 0.0
        for set in 0..<(1 << columns) where set >> column & 1 == 0 {
            let size = set.nonzeroBitCount
            let weight = factorials[size] * factorials[columns - size - 1] / factorials[columns]
            sum += weight * (value(set | 1 << column) - value(set))
        }
        return sum
    }
}

@Suite struct ContributionTests {
    private static let count = 160
    private let table: Table
    private let target: [Double]
    private let labels: [Double]
    private let regressor: [Double]

    init() throws {
        var numbers = TestNumbers(21)
        let count = Self.count
        var gappy = numbers.uniform(count)
        for row in stride(from: 0, to: count, by: 6) { gappy[row] = .nan }
        let codes = numbers.integers(count, below: 7).map { Int32($0) }
        let first = numbers.uniform(count)
        let second = numbers.integers(count, below: 5)
        table = try Table([
            Column("a", first), Column("b", gappy), Column("unused", [Double](repeating: 1, count: count)),
            Column("c", codes: StridedValues(codes), levels: (0..<7).map { "\($0)" }), Column("d", second),
        ])
        let noise = numbers.uniform(count)
        target = (0..<count).map { row in
            let gap: Double = gappy[row].isNaN ? 2 : gappy[row]
            return 3 * first[row] * gap + Double(codes[row] % 3) - second[row] * first[row] + noise[row]
        }
        labels = target.map { $0 > 2 ? 2 : $0 > 0.5 ? 1 : 0 }
        regressor = numbers.uniform(count).map { $0 + 0.1 }
    }

    private enum Kind: String, CaseIterable {
        case regression, residual, binary, multiclass, count, quantile
    }

    private func task(_ kind: Kind) throws -> TrainingTask {
        switch kind {
        case .regression: try forestTask(table, target)
        case .residual: try forestTask(table, target, objective: .residual(regressor: regressor))
        case .binary:
            try forestTask(table, labels.map { min($0, 1) }, objective: .classification(classes: 2))
        case .multiclass: try forestTask(table, labels, objective: .classification(classes: 3))
        case .count: try forestTask(table, labels, objective: .count)
        case .quantile: try forestTask(table, target, objective: .quantile(level: 0.3))
        }
    }

    private func models(_ kind: Kind, trees: Int, leafSize: Int = 5) throws -> [any ExplainableEstimator] {
        var boosted = TreesSpec()
        boosted.trees = .exactly(trees)
        boosted.minLeafSize = leafSize
        boosted.learningRate = 0.3
        var forest = ForestSpec()
        forest.trees = trees
        forest.minLeafSize = leafSize
        var honest = forest
        honest.honest = true
        honest.minLeafSize = 1
        let task = try task(kind)
        let context = ExecutionContext()
        let trees = try TreesEstimator(boosted).fit(task, context)
        if kind == .count || kind == .quantile {
            return [trees].compactMap { $0 as? any ExplainableEstimator }
        }
        return [
            trees, try ForestEstimator(forest).fit(task, context),
            try ForestEstimator(honest).fit(task, context),
        ].compactMap { $0 as? any ExplainableEstimator }
    }

    private func exponential(_ value: Double) -> Double {
        // exp without an import: e^x = (e^(x/1024))^1024.
        var result = 1 + value / 1_048_576
        for _ in 0..<20 { result *= result }
        return result
    }

    @Test(
        "contributions and the expected value add up to the prediction", arguments: Kind.allCases,
        [false, true])
    private func additivity(kind: Kind, interventional: Bool) throws {
        let background = interventional ? table.selecting(rows: [1, 6, 30, 77, 100]) : nil
        let models = try models(kind, trees: 12)
        #expect(models.count == (kind == .count || kind == .quantile ? 1 : 3))
        for model in models {
            let result = try model.contributions(
                table, rows: nil, background: background, ExecutionContext(threads: 2))
            let width = table.columns.count + 1
            #expect(result.values.count == Self.count * result.outputCount * width)
            #expect(result.columnCount == table.columns.count)
            let sums = (0..<Self.count * result.outputCount).map {
                result.values[$0 * width..<($0 + 1) * width].reduce(0, +)
            }
            let fitted = try predictions(model, table)
            switch result.scale {
            case .prediction: #expect(distance(sums, fitted) < 1e-6)
            case .logOdds:
                let odds = (0..<Self.count).map { fitted[2 * $0 + 1] / fitted[2 * $0] }
                #expect(distance(zip(sums, odds).map { exponential($0) / $1 }, odds.map { _ in 1 }) < 1e-4)
            case .logMean:
                #expect(kind == .count)
                #expect(
                    distance(zip(sums, fitted).map { exponential($0) / $1 }, fitted.map { _ in 1 }) < 1e-4)
            case .logProbability:
                for row in 0..<Self.count {
                    for output in 1..<3 {
                        let odds = exponential(sums[3 * row + output] - sums[3 * row])
                        #expect(abs(odds / (fitted[3 * row + output] / fitted[3 * row]) - 1) < 1e-4)
                    }
                }
            }
            for row in 0..<Self.count { #expect(result.values[row * result.outputCount * width + 2] == 0) }
        }
    }

    @Test("interventional values are Shapley values of the predictions on mixed rows")
    func interventional() throws {
        let others: [Int32] = [2, 12, 48, 99]
        for kind in [Kind.regression, .multiclass] {
            for model in try models(kind, trees: 6) {
                if kind == .multiclass, model.backendName == "trees" { continue }
                let outputs = model.outputCount
                for row: Int32 in [0, 17, 96] {
                    let result = try model.contributions(
                        table, rows: [row], background: table.selecting(rows: others), ExecutionContext())
                    for output in 0..<outputs {
                        let expected = shapley(columns: 5) { set in
                            let mixed = try? Table(
                                table.columns.enumerated().map { place, column in
                                    let own = set >> place & 1 == 1
                                    return column.selecting(own ? others.map { _ in row } : others)
                                })
                            guard let mixed, let values = try? predictions(model, mixed) else { return .nan }
                            return others.indices.reduce(0) { $0 + values[$1 * outputs + output] } / 4
                        }
                        let first = output * 6
                        #expect(distance(Array(result.values[first..<first + 5]), expected) < 1e-9)
                    }
                }
            }
        }
    }

    @Test(
        "path-dependent values of a full tree are Shapley values of means over the training rows it implies")
    func pathDependent() throws {
        // Two columns, each splitting once: conditional means can be written down.
        let features = try numericTable([[0, 0, 0, 0, 1, 1, 1, 1], [0, 1, 1, 1, 0, 0, 1, 1]])
        let goal = [1.0, 2, 2, 2, 5, 5, 9, 9]
        let forest = try fitForest(fullForest(), try forestTask(features, goal))
        var boosted = plainSpec(leaves: 4)
        boosted.minLeafSize = 1
        let trees = try #require(try fitTrees(boosted, features, goal) as? any ExplainableEstimator)
        // The root splits by x0 (means 1.75 and 7): absent x1 is a mean within its side, absent x0 a mean of sides.
        let cells = [[1.0, 2], [5, 9]]
        let shares = [[0.25, 0.75], [0.5, 0.5]]
        for model in [forest, trees] as [any ExplainableEstimator] {
            let result = try model.contributions(features, rows: [0, 7], background: nil, ExecutionContext())
            for (index, x) in [(0, 0), (1, 1)].enumerated() {
                let expected = shapley(columns: 2) { set in
                    var value = 0.0
                    for side in 0..<2 where set & 1 == 0 || side == x.0 {
                        let within =
                            set & 2 == 0
                            ? shares[side][0] * cells[side][0] + shares[side][1] * cells[side][1]
                            : cells[side][x.1]
                        value += (set & 1 == 0 ? 0.5 : 1) * within
                    }
                    return value
                }
                #expect(
                    distance(Array(result.values[index * 3..<index * 3 + 2]), expected) < 2e-2,
                    "\(model.backendName)")
            }
            #expect(abs(result.values[2] - 4.375) < 2e-2)
        }
        let exact = try forest.contributions(features, rows: [0], background: nil, ExecutionContext())
        #expect(abs(exact.values[2] - 4.375) < 1e-6)
    }

    @Test("path-dependent values of trees in which columns come again are Shapley values", arguments: 1...4)
    func repeatedColumns(seed: Int) throws {
        var numbers = TestNumbers(UInt64(seed))
        let columns = (0..<3).map { _ in numbers.integers(60, below: 12) }
        let features = try numericTable(columns)
        let goal = numbers.uniform(60)
        var spec = fullForest(leafSize: 2)
        spec.maxLeaves = 12
        let forest = try fitForest(spec, forestTask(features, goal))
        let nodes = forest.explainedNodes(ofTree: 0)
        for row in 0..<60 {
            func value(_ set: Int, _ index: Int) -> Double {
                let node = nodes[index]
                guard let column = node.column else { return node.value }
                if set >> column & 1 == 1 {
                    return value(set, columns[column][row] > node.threshold ? node.right : index + 1)
                }
                let (left, right) = (nodes[index + 1].cover, nodes[node.right].cover)
                return (left * value(set, index + 1) + right * value(set, node.right)) / (left + right)
            }
            let result = try forest.contributions(
                features, rows: [Int32(row)], background: nil, ExecutionContext())
            #expect(distance(Array(result.values.prefix(3)), shapley(columns: 3) { value($0, 0) }) < 1e-9)
        }
    }

    @Test("importances name the columns that matter, and no other")
    func importances() throws {
        for model in try models(.regression, trees: 20) {
            for kind in ImportanceKind.allCases {
                let values = model.importances(kind)
                #expect(values.count == 5 && values[2] == 0)
                #expect(values[0] > 0 && values[3] > 0)
                #expect(values.allSatisfy { $0 >= 0 && $0.isFinite })
            }
            #expect(model.importances(.splits).allSatisfy { $0 == $0.rounded() })
        }
    }

    @Test("a background without rows, other columns and rows out of range are refused")
    func badInput() throws {
        let context = ExecutionContext()
        for model in try models(.regression, trees: 2) {
            let narrow = table.selecting(columns: [0, 1])
            #expect(throws: MetaLearnersError.self) {
                try model.contributions(table, rows: nil, background: table.selecting(rows: []), context)
            }
            #expect(throws: MetaLearnersError.self) {
                try model.contributions(narrow, rows: nil, background: nil, context)
            }
            #expect(throws: MetaLearnersError.self) {
                try model.contributions(table, rows: nil, background: narrow, context)
            }
            #expect(throws: MetaLearnersError.self) {
                try model.contributions(table, rows: [160], background: nil, context)
            }
            #expect(try model.contributions(table, rows: [], background: nil, context).values.isEmpty)
        }
    }
}
