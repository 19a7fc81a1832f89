import MetaLearnersCore
import Testing
import TreeEstimators

@Suite struct StumpTests {
    private let feature = [1.0, 2, 3, 4, 5, 6]
    private let target = [0.0, 0, 0, 3, 3, 6]

    @Test("a stump parts where squared error falls most, and its leaves are means")
    func stump() throws {
        let table = try numericTable([feature])
        let model = try fitTrees(plainSpec(), table, target)
        // 3 | 3: left mean 0, right mean 4; every other place leaves more squared error.
        #expect(distance(try predictions(model, table), [0, 0, 0, 4, 4, 4]) < 1e-6)
        // The edge is half way between 3 and 4; a number equal to it goes left.
        let probes = try numericTable([[-.infinity, 3.5, 3.5.nextUp, .infinity]])
        #expect(distance(try predictions(model, probes), [0, 0, 4, 4]) < 1e-6)
    }

    @Test("l2 shrinks leaf values by H/(H+l2)")
    func ridge() throws {
        let table = try numericTable([feature])
        var spec = plainSpec()
        spec.l2 = 1
        // Residuals of the mean 2: −2 −2 −2 | 1 1 4; sums −6 and 6, Hessians 3: values −1.5 and 1.5.
        let model = try fitTrees(spec, table, target)
        #expect(distance(try predictions(model, table), [0.5, 0.5, 0.5, 3.5, 3.5, 3.5]) < 1e-6)
    }

    @Test("l1 takes its part off the gradient sums")
    func lasso() throws {
        let table = try numericTable([feature])
        var spec = plainSpec()
        spec.l1 = 3
        let model = try fitTrees(spec, table, target)
        #expect(distance(try predictions(model, table), [1, 1, 1, 3, 3, 3]) < 1e-6)
    }

    @Test("the learning rate scales leaf values")
    func learningRate() throws {
        let table = try numericTable([feature])
        let model = try fitTrees(plainSpec(learningRate: 0.5), table, target)
        #expect(distance(try predictions(model, table), [1, 1, 1, 3, 3, 3]) < 1e-6)
    }

    @Test("min_leaf_size, min_child_weight and min_split_gain each forbid what they should")
    func limits() throws {
        let table = try numericTable([feature])
        var spec = plainSpec()
        spec.minLeafSize = 4
        #expect(
            distance(try predictions(try fitTrees(spec, table, target), table), target.map { _ in 2 }) < 1e-6)
        spec = plainSpec()
        spec.minChildWeight = 3.5
        #expect(
            distance(try predictions(try fitTrees(spec, table, target), table), target.map { _ in 2 }) < 1e-6)
        spec = plainSpec()
        spec.minSplitGain = 24.1  // The best split gains 36/3 + 36/3 − 0 = 24.
        #expect(
            distance(try predictions(try fitTrees(spec, table, target), table), target.map { _ in 2 }) < 1e-6)
        spec.minSplitGain = 23.9
        #expect(
            distance(try predictions(try fitTrees(spec, table, target), table), [0, 0, 0, 4, 4, 4]) < 1e-6)
    }

    @Test(
        "of columns that part the rows alike the first is taken, wherever its histogram lies",
        arguments: 1...3)
    func ties(threads: Int) throws {
        // The first and the third share a code, and come after the second in histograms.
        let second = (0..<6000).map { Double($0 % 200) }
        let first = second.map { $0 < 100 ? 0.0 : 1 }
        let table = try numericTable([first, second, second.map { Double(Int($0) % 3) }])
        let model = try fitTrees(plainSpec(), table, first, threads: threads)
        let crossed = try numericTable([[0, 1], [199, 0], [0, 0]])
        #expect(try predictions(model, crossed) == [0, 1])
    }

    @Test("max_depth bounds the splits of a path, max_leaves their number")
    func depth() throws {
        let table = try numericTable([(0..<64).map(Double.init)])
        let target = (0..<64).map { Double($0 * $0) }
        var spec = plainSpec(leaves: 64)
        spec.maxDepth = 2
        #expect(Set(try predictions(try fitTrees(spec, table, target), table)).count == 4)
        spec.maxDepth = 0
        spec.maxLeaves = 7
        #expect(Set(try predictions(try fitTrees(spec, table, target), table)).count == 7)
    }

    @Test("depth-wise growth fills a level before it starts the next")
    func growth() throws {
        // The right half is steep: leaf-wise growth spends its splits there.
        let table = try numericTable([(0..<16).map(Double.init)])
        let target = (0..<16).map { (row: Int) -> Double in
            row < 8 ? 0.01 * Double(row) : 100 + 10 * Double(row)
        }
        var spec = plainSpec(leaves: 4)
        let leafWise = try predictions(try fitTrees(spec, table, target), table)
        #expect(Set(leafWise.prefix(8)).count == 1)
        spec.growth = .depthWise
        let depthWise = try predictions(try fitTrees(spec, table, target), table)
        #expect(Set(depthWise.prefix(8)).count == 2)
    }

    @Test("a logistic stump has the Newton step of each side")
    func logistic() throws {
        let table = try numericTable([feature])
        let labels = [0.0, 0, 1, 1, 1, 1]
        // p = 2/3: gradients −2/3 for 0 and 1/3 for 1, Hessian 2/9. Best 2 | 4: −4/3 / (4/9) = −3; 4/3 / (8/9) = 1.5.
        let model = try fitTrees(plainSpec(), table, labels, objective: .classification(classes: 2))
        let logOdds = 0.6931471805599453
        let shares = try predictions(model, table)
        #expect(model.outputCount == 2)
        for (row, score) in [logOdds - 3, logOdds - 3, logOdds + 1.5].enumerated() {
            let share = 1 / (1 + exponential(-score))
            #expect(abs(shares[2 * row + 1] - share) < 1e-6)
            #expect(abs(shares[2 * row] + shares[2 * row + 1] - 1) < 1e-12)
        }
    }

    private func exponential(_ value: Double) -> Double {
        // e^x by its series, halved until it converges fast; no library is imported for one number.
        var term = 1.0
        var sum = 1.0
        let small = value / 64
        for index in 1..<20 {
            term *= small / Double(index)
            sum += term
        }
        for _ in 0..<6 { sum *= sum }
        return sum
    }

    @Test("a softmax stump parts the classes and its shares sum to 1")
    func softmax() throws {
        let table = try numericTable([(0..<30).map(Double.init)])
        let labels = (0..<30).map { Double($0 / 10) }
        let model = try fitTrees(
            plainSpec(trees: 20, leaves: 3, learningRate: 0.3), table, labels,
            objective: .classification(classes: 3))
        let shares = try predictions(model, table)
        #expect(model.outputCount == 3)
        for row in 0..<30 {
            let part = shares[3 * row..<3 * row + 3]
            #expect(abs(part.reduce(0, +) - 1) < 1e-12)
            #expect(part[3 * row + row / 10] > 0.9)
        }
    }
}
