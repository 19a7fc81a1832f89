import MetaLearnersCore
import Testing

@testable import LinearEstimators

@Suite(.holdingBLAS) struct ElasticNetTests {
    @Test(
        "from the largest penalty up every coefficient is 0, and just below it one is not",
        arguments: [0.3, 1])
    func largestPenalty(l1Ratio: Double) throws {
        let sample = try SampleTask(rows: 80, seed: 1)
        let mean = sample.target.reduce(0, +) / 80
        let features = try sample.table()
        let problem = try leastSquares(sample)
        let whole = try DenseCovariance(
            [GramSums.of(problem, ExecutionContext())], heldOut: nil, width: problem.design.width)
        let deviation = (sample.target.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / 80).squareRoot()
        let largest = CoordinateDescent(whole, l1Ratio: l1Ratio).largestMoment / l1Ratio / deviation
        let above = try ElasticNetEstimator(ElasticNetSpec(l1Ratio: l1Ratio, lambda: largest * (1 + 1e-12)))
            .predictions(sample, of: features)
        #expect(above.allSatisfy { abs($0 - mean) < 1e-12 })
        let below = try ElasticNetEstimator(ElasticNetSpec(l1Ratio: l1Ratio, lambda: 0.999 * largest))
            .predictions(sample, of: features)
        #expect(below.contains { abs($0 - mean) > 1e-6 })
    }

    @Test("every point of the path satisfies the conditions of optimality", arguments: [40, 10], [0.2, 1])
    func optimality(rows: Int, l1Ratio: Double) throws {
        let sample = try SampleTask(rows: rows, seed: 2)
        let problem = try leastSquares(sample)
        let wide = problem.design.width > rows
        #expect(wide == (rows == 10))
        let context = ExecutionContext()
        let whole: any CovarianceProblem =
            wide
            ? try RowCovariance(RowCovariance.Rows(problem, context), heldOut: 0..<0)
            : try DenseCovariance([GramSums.of(problem, context)], heldOut: nil, width: problem.design.width)
        let descent = CoordinateDescent(whole, l1Ratio: l1Ratio)
        let largest = descent.largestMoment / l1Ratio
        for step in 0..<20 {
            let lambda = largest * Double.exp(-0.3 * Double(step))
            try descent.advance(to: lambda, context)
            #expect(descent.converged)
            for column in 0..<whole.width {
                let products = try whole.column(column)
                let value = descent.coefficients[column]
                var slope = whole.moments[column] - lambda * (1 - l1Ratio) * value
                for other in 0..<whole.width { slope -= products[other] * descent.coefficients[other] }
                let bound = lambda * l1Ratio
                #expect(
                    value == 0 ? abs(slope) < bound + 1e-9 : abs(slope - (value > 0 ? bound : -bound)) < 1e-9)
            }
        }
    }

    @Test("sums of products and the rows themselves give the same problem, with and without a fold")
    func sameProblem() throws {
        let problem = try leastSquares(SampleTask(rows: 60, seed: 3))
        let context = ExecutionContext()
        let folds = [0..<20, 20..<35, 35..<60]
        let parts = try GramSums.of(problem, groups: folds, context)
        let rows = try RowCovariance.Rows(problem, context)
        let width = problem.design.width
        let coefficients = (0..<width).map { Double($0 % 3) - 0.7 }
        for fold in 0..<3 {
            var others = parts
            let heldOut = others.remove(at: fold)
            let dense = try DenseCovariance(others, heldOut: heldOut, width: width)
            let lazy = try RowCovariance(rows, heldOut: folds[fold])
            #expect(largestDifference(dense.moments, lazy.moments) < 1e-12)
            #expect(largestDifference(dense.diagonal, lazy.diagonal) < 1e-12)
            for column in 0..<width {
                let (left, right) = (try dense.column(column), try lazy.column(column))
                #expect((0..<width).allSatisfy { abs(left[$0] - right[$0]) < 1e-12 })
            }
            let support = Array(0..<width)
            let losses = [dense, lazy as any CovarianceProblem].map {
                $0.heldOutLoss(coefficients, support: support)
            }
            #expect(abs(losses[0] - losses[1]) < 1e-9 * losses[1])
        }
    }

    @Test("sums of products over many chunks have the same bits on any number of threads")
    func chunks() throws {
        var stream = RandomStream(seed: 4)
        let values = (0..<20_000).map { _ in stream.uniform() }
        let features = try Table([Column("x", values)])
        let rows = values.indices.map { Int32($0) }
        let context = ExecutionContext()
        let encoder = try DesignEncoder(
            features, rows: rows, weights: rows.map { _ in 1 }, againstReference: false, context)
        let problem = LeastSquares(
            design: DesignBlocks(encoder: encoder, features: features, rows: rows),
            factors: rows.map { _ in 1 },
            responses: values, l2: 0)
        let one = try GramSums.of(problem, context)
        let three = try GramSums.of(problem, ExecutionContext(threads: 3))
        for column in 0..<3 {
            #expect((0...column).allSatisfy { one.column(column)[$0] == three.column(column)[$0] })
        }
        #expect(abs(one.column(0)[0] - 20_000) < 1e-6)
    }

    @Test("columns that depend on each other share or leave the effect, and the fit stands")
    func collinear() throws {
        var sample = try SampleTask(rows: 60, seed: 5)
        let features = try sample.table()
        let plain = try LassoEstimator(LassoSpec(lambda: 0.05)).predictions(sample, of: features)
        sample.columns.append(Column("again", sample.columns[0].values))
        sample.columns.append(Column("negative", sample.columns[1].values.doubles().map { -$0 }))
        let model = try LassoEstimator(LassoSpec(lambda: 0.05)).fit(sample.task(), ExecutionContext())
        #expect(model.warnings.isEmpty)
        let predicted = try model.predict(sample.table(), rows: nil, ExecutionContext())
        #expect(largestDifference(predicted, plain) < 1e-8)
    }

    @Test("threads change nothing in a cross-validated fit, to the bit", arguments: [30, 90])
    func threads(rows: Int) throws {
        let task = try SampleTask(rows: rows, seed: 6).task()
        let estimator = try ElasticNetEstimator()
        let fits = try [1, 2, 5].map { threads in
            try estimator.fit(task, ExecutionContext(threads: threads))
                .predict(task.features, rows: nil, ExecutionContext())
        }
        #expect(fits[0] == fits[1] && fits[0] == fits[2])
    }

    @Test("one standard error never takes the smaller penalty")
    func oneStandardError() {
        let losses = [[5.0, 3, 2, 2.5], [6, 2, 1, 1.5], [4, 2.6, 3, 3.5]]
        let weights = [1.0, 1, 1]
        #expect(PenaltyPath.choice(losses, weights: weights, .min) == 2)
        #expect(PenaltyPath.choice(losses, weights: weights, .oneStandardError) == 1)
    }

    @Test("noise is left out: with one_se only the columns that matter have effects")
    func selection() throws {
        var stream = RandomStream(seed: 7)
        let columns = (0..<12).map { index in
            Column("x\(index)", (0..<200).map { _ in stream.uniform() - 0.5 })
        }
        let signal = columns[3].values.doubles()
        let features = try Table(columns)
        let task = try TrainingTask(
            features: features, rows: (0..<200).map { Int32($0) },
            target: signal.map { 4 * $0 + 0.5 * (stream.uniform() - 0.5) })
        let model = try LassoEstimator(LassoSpec(selection: .oneStandardError)).fit(task, ExecutionContext())
        let plain = try model.predict(features, rows: nil, ExecutionContext())
        let other = try Table(columns.enumerated().map { $0 == 3 ? $1 : Column($1.name, signal) })
        #expect(try model.predict(other, rows: nil, ExecutionContext()) == plain)
        #expect(largestDifference(plain, task.target) < 0.6)
    }

    @Test("clusters stay whole, folds are even, and every row is in one")
    func folds() throws {
        let rows = (0..<100).map { Int32($0 * 2) }
        let clusters = (0..<200).map { Int32($0 / 2 % 7) }
        let folds = try HeldOutFolds(rows, clusters: clusters, count: 3, seed: 1)
        #expect(folds.order.sorted() == Array(0..<100))
        #expect(folds.ranges.count == 3)
        let owners = folds.ranges.map { range in Set(folds.order[range].map { clusters[Int(rows[$0])] }) }
        #expect(owners.reduce(0) { $0 + $1.count } == 7)
        let single = try HeldOutFolds(rows, clusters: nil, count: 7, seed: 1)
        #expect(single.ranges.allSatisfy { $0.count == 14 || $0.count == 15 })
        #expect(try HeldOutFolds(rows, clusters: nil, count: 7, seed: 2) != single)
        #expect(
            try HeldOutFolds(rows, clusters: [Int32](repeating: 3, count: 200), count: 4, seed: 1).ranges
                .count
                == 1)
    }

    @Test("rows of one cluster cannot be cross-validated, and a warning says so")
    func oneCluster() throws {
        let sample = try SampleTask(rows: 20, seed: 8)
        let task = try TrainingTask(
            features: sample.table(), rows: sample.rows, target: sample.target,
            clusters: sample.rows.map { _ in 0 })
        let model = try LassoEstimator().fit(task, ExecutionContext())
        #expect(model.warnings.count == 1)
        let mean = sample.target.reduce(0, +) / 20
        #expect(
            try model.predict(sample.table(), rows: nil, ExecutionContext()).allSatisfy {
                abs($0 - mean) < 1e-12
            })
    }

    private func leastSquares(_ sample: SampleTask) throws -> LeastSquares {
        let loss = try SquaredLoss(sample.task(), backend: "test")
        let encoder = try DesignEncoder(
            sample.table(), rows: loss.rows, weights: loss.importance, againstReference: false,
            ExecutionContext())
        return LeastSquares(
            design: DesignBlocks(encoder: encoder, features: try sample.table(), rows: loss.rows),
            factors: loss.factors, responses: loss.responses, l2: 0)
    }
}
