import MetaLearnersCore
import Testing
import TreeEstimators

@Suite struct ForestTests {
    @Test("a full tree on all rows learns every row by heart")
    func fullTree() throws {
        let (table, target) = try friedman(rows: 200, seed: 1)
        let forest = try fitForest(fullForest(), try forestTask(table, target))
        #expect(distance(try predictions(forest, table), target) < 1e-5)
    }

    @Test("a tree of two leaves makes the split with the least squared error")
    func stump() throws {
        let table = try numericTable([[1, 2, 3, 4, 5, 6], [3, 1, 2, 6, 4, 5]])
        var spec = fullForest()
        spec.maxLeaves = 2
        let forest = try fitForest(spec, try forestTask(table, [0, 0, 1, 1, 9, 9]))
        #expect(distance(try predictions(forest, table), [0.5, 0.5, 0.5, 0.5, 9, 9]) < 1e-6)
        spec.maxLeaves = 0
        spec.maxDepth = 1
        let shallow = try fitForest(spec, try forestTask(table, [0, 0, 1, 1, 9, 9]))
        #expect(try predictions(shallow, table) == predictions(forest, table))
    }

    @Test("missing values learn their side, and a category its own leaf")
    func missingAndCategories() throws {
        let gappy = (0..<40).map { $0 % 4 == 0 ? Double.nan : Double($0) }
        let missing = try numericTable([gappy])
        let high = gappy.map { $0.isNaN || $0 > 30 ? 5.0 : 1 }
        var spec = fullForest()
        spec.maxLeaves = 2
        #expect(distance(try predictions(fitForest(spec, forestTask(missing, high)), missing), high) < 1e-6)
        let codes = (0..<60).map { Int32($0 * 7 % 12) }
        let levels = (0..<12).map { "\($0)" }
        let table = try Table([Column("c", codes: StridedValues(codes), levels: levels)])
        let target = codes.map { [1, 4, 6, 11].contains($0) ? 3.0 : -1 }
        #expect(distance(try predictions(fitForest(spec, forestTask(table, target)), table), target) < 1e-6)
    }

    @Test(
        "permuting the columns' values by a monotone function changes no prediction",
        arguments: [false, true])
    func monotoneTransform(extraRandom: Bool) throws {
        let (table, target) = try friedman(rows: 200, seed: 3)
        var spec = ForestSpec()
        spec.trees = 10
        spec.extraRandom = extraRandom
        let stretched = try numericTable(table.columns.map { $0.values.doubles().map { $0 * $0 * $0 * 1e6 } })
        let plain = try predictions(fitForest(spec, forestTask(table, target)), table)
        #expect(
            distance(try predictions(fitForest(spec, forestTask(stretched, target)), stretched), plain) < 1e-9
        )
    }

    @Test("a weight of 2 equals a row twice, a weight of 0 no row, where trees see all rows")
    func duplication() throws {
        let (table, target) = try friedman(rows: 150, seed: 4)
        var numbers = TestNumbers(9)
        let weights = numbers.integers(150, below: 4)
        let rows = (0..<150).flatMap { [Int32](repeating: Int32($0), count: Int(weights[$0])) }
        let labels = target.map { $0 > 14 ? 2.0 : $0 > 10 ? 1 : 0 }
        let regressor = numbers.uniform(150).map { $0 - 0.5 }
        let goals: [([Double], TrainingTask.Objective, TrainingTask.Objective)] = [
            (target, .regression, .regression),
            (labels.map { min($0, 1) }, .classification(classes: 2), .classification(classes: 2)),
            (labels, .classification(classes: 3), .classification(classes: 3)),
            (
                target, .residual(regressor: regressor),
                .residual(regressor: rows.map { regressor[Int($0)] })
            ),
        ]
        var spec = fullForest()
        spec.maxLeaves = 12
        for (goal, objective, repeatedObjective) in goals {
            let weighted = try fitForest(
                spec, forestTask(table, goal, weights: weights, objective: objective))
            let repeated = table.selecting(rows: rows)
            let duplicated = try fitForest(
                spec, forestTask(repeated, rows.map { goal[Int($0)] }, objective: repeatedObjective))
            // Where a threshold lies between two rows may depend on rows of weight 0.
            #expect(
                distance(try predictions(weighted, repeated), try predictions(duplicated, repeated)) < 1e-4)
        }
    }

    @Test("the residual loss with regressor 1 is regression")
    func residualOfOne() throws {
        let (table, target) = try friedman(rows: 200, seed: 5)
        var spec = ForestSpec()
        spec.trees = 10
        let plain = try predictions(fitForest(spec, forestTask(table, target)), table)
        let residual = try fitForest(
            spec, forestTask(table, target, objective: .residual(regressor: target.map { _ in 1 })))
        #expect(distance(try predictions(residual, table), plain) < 1e-5)
    }

    @Test("out-of-bag errors are those on new rows, about", arguments: [false, true])
    func outOfBag(honest: Bool) throws {
        let (table, target) = try friedman(rows: 900, gaps: true, seed: 6)
        let training = (0..<Int32(450)).map { $0 }
        let others = (450..<Int32(900)).map { $0 }
        var spec = ForestSpec()
        spec.trees = 60
        spec.honest = honest
        let task = try forestTask(table, target, rows: training)
        let forest = try fitForest(spec, task)
        let outOfBag = try forest.outOfBagPredictions(of: task, ExecutionContext(threads: 2))
        let outOfBagError = meanSquare(outOfBag, training.map { target[Int($0)] })
        let testError = meanSquare(
            try predictions(forest, table, rows: others), others.map { target[Int($0)] })
        let fittedError = meanSquare(
            try predictions(forest, table, rows: training), training.map { target[Int($0)] })
        #expect(abs(outOfBagError / testError - 1) < 0.2)
        #expect(fittedError < 0.85 * outOfBagError)
    }

    @Test("a row's own target has no influence on its out-of-bag prediction")
    func outOfBagIsBlind() throws {
        // With constant features each tree predicts the mean of its rows.
        let table = try numericTable([[Double](repeating: 1, count: 40)])
        var target = [Double](repeating: 0, count: 40)
        target[7] = 1
        var spec = ForestSpec()
        spec.trees = 50
        let task = try forestTask(table, target)
        let forest = try fitForest(spec, task)
        let values = try forest.outOfBagPredictions(of: task, ExecutionContext())
        #expect(abs(values[7]) < 1e-9)
        #expect(values[8] > 0.005)
    }

    @Test("clusters are drawn whole")
    func clusters() throws {
        let (table, target) = try friedman(rows: 120, seed: 8)
        let clusters = (0..<120).map { Int32($0 % 12) }
        var spec = ForestSpec()
        spec.trees = 6
        spec.honest = true
        let task = try forestTask(table, target, clusters: clusters)
        let forest = try fitForest(spec, task)
        for tree in 0..<forest.treeCount {
            let drawn = forest.drawnRows(ofTree: tree, in: task)
            let structure = Set(drawn.structure.map { clusters[Int($0)] })
            let estimation = Set(drawn.estimation.map { clusters[Int($0)] })
            #expect(structure.isDisjoint(with: estimation))
            #expect(drawn.structure.count == structure.count * 10)
            #expect(drawn.estimation.count == estimation.count * 10)
        }
    }

    @Test("other rows than those of the fit have no out-of-bag predictions")
    func otherRows() throws {
        let (table, target) = try friedman(rows: 60, seed: 9)
        let forest = try fitForest(ForestSpec(), try forestTask(table, target, rows: (0..<50).map { $0 }))
        #expect(throws: MetaLearnersError.self) {
            try forest.outOfBagPredictions(of: forestTask(table, target), ExecutionContext())
        }
    }

    @Test("parameters that contradict each other are refused by name")
    func contradiction() throws {
        #expect {
            try ForestSpec(.object(SpecObject([("row_sample", .number(0.8))])))
        } throws: { error in
            (error as? MetaLearnersError)?.location == "row_sample"
        }
        var spec = ForestSpec()
        spec.trees = 7
        let (table, target) = try friedman(rows: 60, seed: 9)
        #expect(try fitForest(spec, forestTask(table, target)).treeCount == 8)
    }

    @Test("more than 62 classes are refused")
    func manyClasses() throws {
        let table = try numericTable([(0..<70).map(Double.init)])
        let labels = (0..<70).map(Double.init)
        for (classes, isRefused) in [(62, false), (63, true)] {
            let task = try forestTask(
                table, labels.map { min($0, Double(classes - 1)) },
                objective: .classification(classes: classes))
            if isRefused {
                #expect(throws: MetaLearnersError.self) { try fitForest(fullForest(), task) }
            } else {
                let shares = try predictions(fitForest(fullForest(), task), table)
                #expect(shares[0] == 1 && shares[62 + 1] == 1)
            }
        }
    }

    @Test(
        "each side of a split keeps the share of rows asked for", arguments: [0.05, 0.2, 0.5], [false, true])
    func childShare(share: Double, isRandom: Bool) throws {
        // The best splits part off a few rows: the highest, and one of the categories.
        let count = 100
        let codes = (0..<count).map { Int32($0 % 20) }
        let table = try Table([
            Column("x", (0..<count).map(Double.init)),
            Column("c", codes: StridedValues(codes), levels: (0..<20).map { "\($0)" }),
        ])
        let target = (0..<count).map { $0 > 97 ? 100 : codes[$0] == 3 ? -50.0 : Double($0 % 7) }
        func smallest(_ spec: ForestSpec) throws -> Int {
            let forest = try fitForest(spec, try forestTask(table, target))
            var sizes: [Double: Int] = [:]
            for value in try predictions(forest, table) { sizes[value, default: 0] += 1 }
            return sizes.values.min() ?? 0
        }
        var spec = fullForest()
        spec.maxDepth = 1
        spec.extraRandom = isRandom
        if !isRandom { #expect(try smallest(spec) < 6) }
        spec.minChildShare = share
        #expect(try smallest(spec) >= Int((share * 100).rounded(.up)))
    }
}
