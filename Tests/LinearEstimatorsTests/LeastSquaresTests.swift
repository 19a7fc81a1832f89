import MetaLearnersCore
import Testing

@testable import LinearEstimators

@Suite(.holdingBLAS) struct LeastSquaresTests {
    @Test("an exact linear relation is recovered", arguments: [3, 40, 700])
    func recovery(rows: Int) throws {
        var sample = try SampleTask(rows: rows, seed: 1)
        sample.columns = [sample.columns[0], sample.columns[1]]
        let first = sample.columns[0].values.doubles()
        let second = sample.columns[1].values.doubles()
        sample.target = zip(first, second).map { 3 - 2 * $0 + 0.01 * $1 }
        let predicted = try OLSEstimator().predictions(sample, of: sample.table())
        #expect(largestDifference(predicted, sample.target) < 1e-10)
    }

    @Test("columns that depend on each other give one warning and the fit of the others")
    func collinear() throws {
        var sample = try SampleTask(rows: 700, seed: 2)
        let plain = try OLSEstimator().predictions(sample, of: sample.table())
        let first = sample.columns[0].values.doubles()
        let second = sample.columns[1].values.doubles()
        sample.columns.append(Column("sum", zip(first, second).map { 2 * $0 + $1 }))
        sample.columns.append(Column("constant", sample.target.map { _ in 4 }))
        let model = try OLSEstimator().fit(sample.task(), ExecutionContext())
        #expect(model.warnings.count == 1)
        let predicted = try model.predict(sample.table(), rows: nil, ExecutionContext())
        #expect(largestDifference(predicted, plain) < 1e-10)
    }

    @Test("rounding over many rows does not hide that columns depend on each other")
    func collinearManyRows() throws {
        var stream = RandomStream(seed: 12)
        let values = (0..<20_000).map { _ in stream.uniform() }
        let features = try Table([
            Column("one", values), Column("same", values), Column("more", values.map { 3 - $0 }),
        ])
        let task = try TrainingTask(
            features: features, rows: values.indices.map { Int32($0) }, target: values.map { 5 * $0 })
        let model = try OLSEstimator().fit(task, ExecutionContext())
        #expect(model.warnings.first?.contains("rank 1") == true)
    }

    @Test(
        "the Gram matrix and the decomposition give the same coefficients", arguments: [30, 700], [0.0, 1.0])
    func sequentialFactorisation(rows: Int, l2: Double) throws {
        let sample = try SampleTask(rows: rows, seed: 3)
        let loss = try SquaredLoss(sample.task(), backend: "test")
        let context = ExecutionContext()
        let encoder = try DesignEncoder(
            sample.table(), rows: loss.rows, weights: loss.importance, againstReference: true, context)
        let problem = LeastSquares(
            design: DesignBlocks(encoder: encoder, features: try sample.table(), rows: loss.rows),
            factors: loss.factors, responses: loss.responses, l2: l2)
        let direct = try problem.solve(context)
        let orthogonal = try OrthogonalLeastSquares(problem).solve(context)
        #expect(largestDifference(direct.coefficients, orthogonal.coefficients) < 1e-10)
        #expect(orthogonal.deficientRank == nil)
    }

    @Test("one row is enough: its target is predicted")
    func oneRow() throws {
        var sample = try SampleTask(rows: 5, seed: 4)
        sample.rows = [2]
        for estimator in [try OLSEstimator() as any BaseEstimator, try RidgeEstimator()] {
            let predicted = try estimator.predictions(sample, of: sample.table())
            #expect(predicted.allSatisfy { $0 == sample.target[2] })
        }
    }

    @Test("without features the mean is predicted")
    func noFeatures() throws {
        let sample = try SampleTask(rows: 40, seed: 5)
        let empty = try Table([], rowCount: 40)
        let task = try TrainingTask(features: empty, rows: sample.rows, target: sample.target)
        let value = try OLSEstimator().fit(task, ExecutionContext())
            .predict(empty, rows: [3], ExecutionContext())
        #expect(largestDifference(value, [sample.target.reduce(0, +) / 40]) < 1e-13)
    }

    @Test("classes are refused")
    func classificationIsRefused() throws {
        let sample = try SampleTask(rows: 40, seed: 6, classes: 2)
        for estimator in [try OLSEstimator() as any BaseEstimator, try RidgeEstimator()] {
            let error = #expect(throws: MetaLearnersError.self) {
                try estimator.fit(sample.task(), ExecutionContext())
            }
            #expect(error?.kind == .unsupported)
        }
    }

    @Test("sums that overflow are an error, not a NaN")
    func overflow() throws {
        var sample = try SampleTask(rows: 40, seed: 7)
        sample.target = sample.target.map { $0 * 1e307 }
        sample.weights = sample.target.map { _ in 1e10 }
        let error = #expect(throws: MetaLearnersError.self) {
            try RidgeEstimator().fit(sample.task(), ExecutionContext())
        }
        #expect(error?.kind == .numericalFailure)
    }

    @Test("a regressor that is zero everywhere, or not finite, is refused")
    func badRegressors() throws {
        for value in [0, Double.nan, .infinity] {
            var sample = try SampleTask(rows: 20, seed: 8)
            sample.objective = .residual(regressor: sample.target.map { _ in value })
            let error = #expect(throws: MetaLearnersError.self) {
                try RidgeEstimator().fit(sample.task(), ExecutionContext())
            }
            #expect(error?.kind == .invalidData)
            #expect(error?.location == "regressor")
        }
    }

    @Test("work that was cancelled stops")
    func cancellation() throws {
        let token = CancellationToken()
        token.cancel()
        let context = ExecutionContext(threads: 1, cancellation: token)
        let sample = try SampleTask(rows: 20, seed: 9)
        let error = #expect(throws: MetaLearnersError.self) { try OLSEstimator().fit(sample.task(), context) }
        #expect(error?.kind == .cancelled)
    }
}
