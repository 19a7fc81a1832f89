import MetaLearnersCore
import Testing

@testable import LinearEstimators

@Suite struct LogisticEstimatorTests {
    private func fit(_ sample: SampleTask, _ spec: LogisticSpec = LogisticSpec()) throws
        -> any FittedEstimator
    {
        try LogisticEstimator(spec).fit(sample.task(), ExecutionContext())
    }

    @Test("probabilities are between 0 and 1 and add up to 1", arguments: [2, 3, 5])
    func addUp(classes: Int) throws {
        let sample = try SampleTask(rows: 120, seed: 1, classes: classes)
        let model = try fit(sample)
        #expect(model.outputCount == classes)
        let values = try model.predict(sample.table(), rows: nil, ExecutionContext())
        #expect(values.allSatisfy { $0 >= 0 && $0 <= 1 })
        for row in 0..<120 {
            #expect(abs(values[row * classes..<(row + 1) * classes].reduce(0, +) - 1) < 1e-14)
        }
    }

    @Test("averaged over the training rows, probabilities are the classes' shares", arguments: [2, 3])
    func calibration(classes: Int) throws {
        // The score equation of the unpenalised intercepts.
        let sample = try SampleTask(rows: 120, seed: 2, classes: classes)
        let values = try fit(sample).predict(sample.table(), rows: nil, ExecutionContext())
        for label in 0..<classes {
            let mean = (0..<120).map { values[$0 * classes + label] }.reduce(0, +) / 120
            let share = Double(sample.target.count { $0 == Double(label) }) / 120
            #expect(abs(mean - share) < 1e-9)
        }
    }

    @Test("separable classes converge because of the penalty", arguments: [2, 3], [1.0, 1e-3])
    func separable(classes: Int, l2: Double) throws {
        var sample = try SampleTask(rows: 90, seed: 3, classes: classes)
        sample.columns = [Column("cause", sample.target), sample.columns[0]]
        let model = try fit(sample, LogisticSpec(l2: l2))
        #expect(model.warnings.isEmpty)
        let values = try model.predict(sample.table(), rows: nil, ExecutionContext())
        for row in 0..<90 { #expect(values[row * classes + Int(sample.target[row])] > 0.5) }
    }

    @Test("what has not converged says so")
    func nonConvergence() throws {
        let sample = try SampleTask(rows: 90, seed: 4, classes: 2)
        let model = try fit(sample, LogisticSpec(l2: 1, maxIterations: 1))
        #expect(model.warnings.count == 1)
        #expect(model.warnings.first?.contains("not converged after 1 iterations") == true)
        #expect(try fit(sample).warnings.isEmpty)
    }

    @Test("conjugate gradients and Cholesky find the same minimum", arguments: [2, 4])
    func truncatedNewton(classes: Int) throws {
        let sample = try SampleTask(rows: 150, seed: 5, classes: classes)
        var large = try LogisticEstimator()
        large.denseLimit = 0
        let model = try large.fit(sample.task(), ExecutionContext())
        #expect(model.warnings.isEmpty)
        let dense = try fit(sample).predict(sample.table(), rows: nil, ExecutionContext())
        let truncated = try model.predict(sample.table(), rows: nil, ExecutionContext())
        #expect(largestDifference(dense, truncated) < 1e-9)
    }

    @Test("classes that do not occur have probability 0, and one alone has probability 1")
    func absentClasses() throws {
        var sample = try SampleTask(rows: 60, seed: 6, classes: 2)
        sample.target = sample.target.map { $0 * 2 + 1 }
        sample.objective = .classification(classes: 5)
        let values = try fit(sample).predict(sample.table(), rows: nil, ExecutionContext())
        sample.target = sample.target.map { ($0 - 1) / 2 }
        sample.objective = .classification(classes: 2)
        let two = try fit(sample).predict(sample.table(), rows: nil, ExecutionContext())
        for row in 0..<60 {
            #expect(Array(values[row * 5..<row * 5 + 5]) == [0, two[row * 2], 0, two[row * 2 + 1], 0])
        }
        sample.target = sample.target.map { _ in 1 }
        let model = try fit(sample)
        #expect(model.warnings.count == 1)
        let sure = try model.predict(sample.table(), rows: [3, 4], ExecutionContext())
        #expect(sure == [0, 1, 0, 1])
    }

    @Test("without features, probabilities are the classes' shares", arguments: [2, 3])
    func noFeatures(classes: Int) throws {
        let sample = try SampleTask(rows: 60, seed: 7, classes: classes)
        let empty = try Table([], rowCount: 60)
        func task() throws -> TrainingTask {
            try TrainingTask(
                features: empty, rows: sample.rows, target: sample.target, objective: sample.objective)
        }
        let values = try LogisticEstimator().fit(task(), ExecutionContext())
            .predict(empty, rows: [0], ExecutionContext())
        let shares = try ConstantEstimator().fit(task(), ExecutionContext())
            .predict(empty, rows: [0], ExecutionContext())
        #expect(largestDifference(values, shares) < 1e-10)
    }

    @Test("swapping two classes swaps their probabilities")
    func swappedClasses() throws {
        var sample = try SampleTask(rows: 90, seed: 8, classes: 3)
        let values = try fit(sample).predict(sample.table(), rows: nil, ExecutionContext())
        sample.target = sample.target.map { 2 - $0 }
        let swapped = try fit(sample).predict(sample.table(), rows: nil, ExecutionContext())
        let back = (0..<90).flatMap { row in (0..<3).map { swapped[row * 3 + 2 - $0] } }
        #expect(largestDifference(values, back) < 1e-10)
    }

    @Test("a target that is no class is refused")
    func regressionIsRefused() throws {
        let sample = try SampleTask(rows: 20, seed: 9)
        let error = #expect(throws: MetaLearnersError.self) { try fit(sample) }
        #expect(error?.kind == .unsupported)
    }
}
