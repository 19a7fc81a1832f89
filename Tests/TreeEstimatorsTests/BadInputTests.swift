import MetaLearnersCore
import Testing
import TreeEstimators

@Suite struct BadInputTests {
    @Test(
        "a parameter out of range is named with its range",
        arguments: [
            ("trees", 0), ("learning_rate", 0), ("learning_rate", 1.5), ("max_leaves", 1),
            ("max_leaves", 257),
            ("max_depth", -1), ("min_leaf_size", 0), ("min_child_weight", -1), ("min_split_gain", -0.1),
            ("l1", -1), ("l2", -1), ("max_bins", 1), ("max_bins", 65_536), ("row_sample", 0),
            ("row_sample", 1.1),
            ("column_sample", 0), ("column_sample_node", 0), ("column_sample_node", 1.5),
            ("early_stopping", -1), ("validation_share", 0), ("validation_share", 1),
            ("category_smoothing", -1), ("category_l2", -1), ("max_depth", 256),
        ] as [(String, Double)])
    func parameters(name: String, value: Double) throws {
        #expect {
            try TreesSpec(.object(SpecObject([(name, .number(value))])))
        } throws: { error in
            let error = error as? MetaLearnersError
            return error?.kind == .invalidSpec && error?.location == name
        }
    }

    @Test(
        "so is one of a forest",
        arguments: [
            ("trees", 0), ("max_depth", -1), ("max_leaves", -1), ("min_leaf_size", 0),
            ("min_child_share", -0.1),
            ("min_child_share", 0.6), ("column_sample", -0.1), ("row_sample", 0), ("honesty_share", 1),
            ("ci_group_size", 0), ("max_bins", 1), ("max_bins", 256),
        ] as [(String, Double)])
    func forestParameters(name: String, value: Double) throws {
        #expect {
            try ForestSpec(.object(SpecObject([(name, .number(value))])))
        } throws: { error in
            let error = error as? MetaLearnersError
            return error?.kind == .invalidSpec && error?.location == name
        }
    }

    @Test("values set in code pass the same checks")
    func valuesInCode() {
        var spec = TreesSpec()
        spec.maxLeaves = 1
        #expect(throws: MetaLearnersError.self) { try TreesEstimator(spec) }
        spec = TreesSpec()
        spec.l2 = .nan
        #expect(throws: MetaLearnersError.self) { try TreesEstimator(spec) }
    }

    @Test("without columns, or with columns that say nothing, the model is the weighted mean")
    func nothingToSplit() throws {
        let target = [1.0, 2, 6]
        for table in [
            try Table([], rowCount: 3), try numericTable([[4, 4, 4]]),
            try numericTable([[.nan, .nan, .nan]]),
        ] {
            let model = try fitTrees(plainSpec(), table, target, weights: [1, 1, 2])
            #expect(try predictions(model, table) == [3.75, 3.75, 3.75])
        }
    }

    @Test("infinite, denormal and huge features are numbers like others")
    func extremeFeatures() throws {
        let least = Double.leastNonzeroMagnitude
        let values = [-.infinity, -1e300, -least, 0, least, 1e300, .greatestFiniteMagnitude, .infinity]
        let table = try numericTable([values])
        let target = [1.0, 2, 3, 4, 5, 6, 7, 8]
        let fitted = try predictions(try fitTrees(plainSpec(leaves: 8), table, target), table)
        #expect(distance(fitted, target) < 1e-6)
    }

    @Test("a constant target gives that constant and no trees", arguments: [0.0, 0.1, -1e9, 1e-300])
    func constantTarget(value: Double) throws {
        let table = try numericTable([(0..<50).map(Double.init)])
        let model = try fitTrees(plainSpec(trees: 50), table, [Double](repeating: value, count: 50))
        #expect(
            distance(try predictions(model, table), [Double](repeating: value, count: 50)) <= abs(value)
                * 1e-15)
        #expect(encoded(model).count < 100)
    }

    @Test("targets of any magnitude are fitted", arguments: [1e-140, 1e-30, 1e30, 1e100])
    func targetMagnitude(scale: Double) throws {
        let table = try numericTable([(0..<20).map(Double.init)])
        let target = (0..<20).map { $0 < 10 ? 0 : scale }
        let fitted = try predictions(try fitTrees(plainSpec(), table, target), table)
        #expect(distance(fitted, target) < scale * 1e-6)
    }

    @Test("a target with one huge value still learns the others once that one is parted")
    func heavyTail() throws {
        let table = try numericTable([(0..<400).map(Double.init)])
        let target = (0..<400).map { $0 == 399 ? 1e6 : $0 < 200 ? 0.0 : 1 }
        let fitted = try predictions(try fitTrees(plainSpec(trees: 1, leaves: 3), table, target), table)
        #expect(distance(fitted, target) < 1e-2)
    }

    @Test("weights of any magnitude serve, and rows of weight 0 do not count", arguments: [1e-30, 1.0, 1e30])
    func weightMagnitude(scale: Double) throws {
        let table = try numericTable([[1, 2, 3, 4, 5, 6]])
        let model = try fitTrees(
            plainSpec(), table, [1, 1, 50, 3, 3, -70], weights: [1, 2, 0, 1, 3, 0].map { $0 * scale })
        #expect(distance(try predictions(model, table, rows: [0, 1, 3, 4]), [1, 1, 3, 3]) < 1e-5)
    }

    @Test("a class that no row has is warned of and all but impossible")
    func absentClass() throws {
        let table = try numericTable([(0..<20).map(Double.init)])
        let labels = (0..<20).map { $0 < 10 ? 0.0 : 2 }
        let model = try fitTrees(plainSpec(trees: 5), table, labels, objective: .classification(classes: 4))
        #expect(model.warnings.count == 2)
        let shares = try predictions(model, table)
        for row in 0..<20 { #expect(shares[4 * row + 1] < 1e-6 && shares[4 * row + 3] < 1e-6) }
        let only = try fitTrees(
            plainSpec(trees: 5), table, labels.map { _ in 1 }, objective: .classification(classes: 2))
        #expect(try predictions(only, table)[1] > 0.999_999)
    }

    @Test("a single row, and fewer rows than a leaf needs, give the mean")
    func fewRows() throws {
        let single = try numericTable([[1]])
        #expect(try predictions(try fitTrees(TreesSpec(), single, [5]), single) == [5])
        let table = try numericTable([(0..<39).map(Double.init)])
        let fitted = try predictions(try fitTrees(TreesSpec(), table, (0..<39).map(Double.init)), table)
        #expect(Set(fitted).count == 1)
    }

    @Test("a residual loss without any regressor gives zero")
    func emptyRegressor() throws {
        let table = try numericTable([[1, 2, 3, 4]])
        let model = try fitTrees(
            plainSpec(), table, [1, 2, 3, 4], objective: .residual(regressor: [0, 0, 0, 0]))
        #expect(try predictions(model, table) == [0, 0, 0, 0])
    }

    @Test(
        "tables of no rows, weights that are all 0, negative or no numbers, and 2³¹ rows are refused with the reason"
    )
    func refusedData() throws {
        let table = try numericTable([[1, 2, 3]])
        func reason(_ body: () throws -> Void) -> String? {
            do {
                try body()
                return nil
            } catch {
                return (error as? MetaLearnersError).map { "\($0)" }
            }
        }
        for rows in [[], [3], [-1], [1, 1]] as [[Int32]] {
            #expect(reason { _ = try fitTrees(plainSpec(), table, [1, 2, 3], rows: rows) } != nil)
        }
        for weights in [[0, 0, 0], [1, -1, 1], [1, .nan, 1], [1, .infinity, 1]] as [[Double]] {
            let text = reason { _ = try fitTrees(plainSpec(), table, [1, 2, 3], weights: weights) }
            #expect(text?.contains("weight") == true)
        }
        for target in [[1, .nan, 2], [1, .infinity, 2]] as [[Double]] {
            #expect(reason { _ = try fitTrees(plainSpec(), table, target) } != nil)
        }
        let many = StridedValues(repeating: 1 as Int32, count: 1 << 31)
        #expect(reason { _ = try Table([Column("x", many)]) }?.contains("2147483648") == true)
    }

    @Test("one bin, of values or of missing ones, says nothing beside a column that does")
    func oneBin() throws {
        let count = 40
        let values = (0..<count).map { Double($0 % 2) }
        let table = try numericTable([
            [Double](repeating: 3, count: count), values, [Double](repeating: .nan, count: count),
        ])
        var spec = plainSpec()
        spec.maxBins = 2
        #expect(distance(try predictions(try fitTrees(spec, table, values), table), values) < 1e-6)
    }

    @Test("more columns than trees take are refused", arguments: [70_000])
    func tooManyColumns(count: Int) throws {
        let memory = ColumnMemory(copying: [1.0, 2.0])
        let columns = try (0..<count).map { index in
            Column("c\(index)", try StridedValues(memory, element: .float64, count: 2, stride: 8))
        }
        let table = try Table(columns)
        let error = #expect(throws: MetaLearnersError.self) { try fitTrees(plainSpec(), table, [1, 2]) }
        #expect(error?.kind == .unsupported)
    }

    @Test("a table of another width and rows out of range are refused")
    func predictionInput() throws {
        let table = try numericTable([[1, 2, 3]])
        let model = try fitTrees(plainSpec(), table, [1, 2, 3])
        let wider = try numericTable([[1], [2]])
        #expect(throws: MetaLearnersError.self) { try predictions(model, wider) }
        #expect(throws: MetaLearnersError.self) { try predictions(model, table, rows: [3]) }
        #expect(throws: MetaLearnersError.self) { try predictions(model, table, rows: [-1]) }
        #expect(try predictions(model, table, rows: []).isEmpty)
    }
}
