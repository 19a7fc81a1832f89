import MetaLearnersCore
import Testing

@testable import LinearEstimators

@Suite(.holdingBLAS) struct LogisticEstimatorTests {
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

    @Test("at the solution the gradient is within the penalty, and opposes it where a coefficient stands")
    func optimality() throws {
        let sample = try SampleTask(rows: 120, seed: 10, classes: 3)
        let (loss, l1) = (try Self.loss(sample), 4.0)
        loss.l2 = 0.5
        let solution = try ProximalNewton(
            loss: loss, l1: l1, maxIterations: 100, tolerance: 1e-10, denseLimit: 1000
        ).solve(ExecutionContext())
        #expect(solution.converged)
        let gradient = try loss.evaluate(solution.parameters, .none, ExecutionContext()).gradient.array
        var zeros = 0
        for (index, value) in solution.parameters.array.enumerated() {
            if index % loss.size == loss.size - 1 {
                #expect(abs(gradient[index]) < 1e-6)
            } else if value == 0 {
                zeros += 1
                #expect(abs(gradient[index]) < l1 + 1e-6)
            } else {
                #expect(abs(gradient[index] + (value > 0 ? l1 : -l1)) < 1e-6)
            }
        }
        #expect(zeros > 0 && zeros < solution.parameters.count - 3)
    }

    private static func loss(_ sample: SampleTask) throws -> any LogisticObjective {
        let classes = try ClassLabels(sample.task(), backend: "logistic")
        let encoder = try DesignEncoder(
            sample.table(), rows: classes.rows, weights: classes.weights, againstReference: false,
            ExecutionContext())
        return try LogisticLoss(
            DesignBlocks(encoder: encoder, features: sample.table(), rows: classes.rows), classes, l2: 0)
    }

    @Test("working on few columns finds the same minimum", arguments: [2, 3])
    func selection(classes: Int) throws {
        let sample = try SampleTask(rows: 120, seed: 11, classes: classes)
        let loss = try Self.loss(sample)
        func solve(_ limit: Int) throws -> NewtonSolver.Solution {
            try ProximalNewton(loss: loss, l1: 8, maxIterations: 100, tolerance: 1e-10, denseLimit: limit)
                .solve(ExecutionContext())
        }
        let (all, few) = (try solve(1000), try solve(loss.parameterCount - 1))
        #expect(all.converged && few.converged)
        #expect(largestDifference(all.parameters.array, few.parameters.array) < 1e-7)
    }

    @Test("a penalty that is large enough leaves the classes' shares alone")
    func everythingZero() throws {
        let sample = try SampleTask(rows: 60, seed: 12, classes: 2)
        var spec = LogisticSpec(l2: 0)
        spec.l1 = 1e4
        let values = try fit(sample, spec).predict(sample.table(), rows: nil, ExecutionContext())
        let share = sample.target.reduce(0, +) / 60
        #expect(values.enumerated().allSatisfy { abs($1 - ($0 % 2 == 1 ? share : 1 - share)) < 1e-9 })
    }

    @Test("a chosen penalty is reported, and survives the archive")
    func summary() throws {
        let sample = try SampleTask(rows: 90, seed: 13, classes: 3)
        var spec = LogisticSpec(selection: .min, l1Ratio: 1)
        spec.pathLength = 10
        let model = try fit(sample, spec)
        let chosen = try #require(model.summary["lambda"]?.doubleValue)
        #expect(chosen > 0)
        #expect(model.summary["criterion_value"] == model.summary["least_criterion"])
        #expect(model.summary["penalties_compared"] == 10)
        var writer = BinaryWriter()
        model.encode(to: &writer)
        var reader = BinaryReader(writer.bytes[...])
        #expect(try LogisticEstimator.decode(from: &reader).summary == model.summary)
        #expect(try fit(sample, LogisticSpec(l2: 1)).summary.isEmpty)
    }

    /// Classes that few of many columns of noise say something of.
    private func noise(rows: Int, columns: Int, clusters: Int? = nil, weights: [Double]? = nil) throws
        -> TrainingTask
    {
        var stream = RandomStream(seed: 17)
        func centred() -> Double { 2 * stream.uniform() - 1 }
        let cluster = clusters.map { count in (0..<rows).map { Int32($0 % count) } }
        let values = (0..<columns).map { _ -> [Double] in
            guard let cluster, let clusters else { return (0..<rows).map { _ in centred() } }
            let ofCluster = (0..<clusters).map { _ in centred() }
            return cluster.map { ofCluster[Int($0)] }
        }
        let ofCluster = clusters.map { count in (0..<count).map { $0 % 2 } }
        let target = (0..<rows).map { row -> Double in
            if let cluster, let ofCluster { return Double(ofCluster[Int(cluster[row])]) }
            return values[0][row] + 2 * centred() > 0 ? 1 : 0
        }
        return try TrainingTask(
            features: Table(values.enumerated().map { Column("x\($0)", $1) }),
            rows: (0..<rows).map { Int32($0) }, target: target, weights: weights, clusters: cluster,
            objective: .classification(classes: 2), seed: 3)
    }

    @Test(
        "auto is 1 where rows are plenty, and a penalty that rows held out do not refute where they are few")
    func automaticPenalty() throws {
        let plenty = try noise(rows: 600, columns: 4)
        let same = try LogisticEstimator().fit(plenty, ExecutionContext())
        #expect(same.summary["l2"]?.doubleValue == 1 && same.summary["penalties_compared"] == nil)
        let one = try LogisticEstimator(LogisticSpec(l2: 1)).fit(plenty, ExecutionContext())
        #expect(
            try same.predict(plenty.features, rows: nil, ExecutionContext())
                == one.predict(plenty.features, rows: nil, ExecutionContext()))

        let few = try noise(rows: 200, columns: 50)
        let model = try LogisticEstimator().fit(few, ExecutionContext())
        let l2 = try #require(model.summary["l2"]?.doubleValue)
        let least = try #require(model.summary["l2_of_least"]?.doubleValue)
        #expect(l2 > 1 && l2 <= least, "\(l2), \(least)")
        let named = try LogisticEstimator(LogisticSpec(l2: l2)).fit(few, ExecutionContext())
        #expect(
            largestDifference(
                try model.predict(few.features, rows: nil, ExecutionContext()),
                try named.predict(few.features, rows: nil, ExecutionContext())) < 1e-12)
        // A penalty on absolute values is there already.
        var lasso = LogisticSpec()
        lasso.l1 = 2
        #expect(try LogisticEstimator(lasso).fit(few, ExecutionContext()).summary.isEmpty)
    }

    @Test("Rows of a cluster count once: its columns tell few clusters apart, however many rows there are")
    func automaticPenaltyOfClusters() throws {
        let clustered = try noise(rows: 1000, columns: 10, clusters: 40)
        let l2 = try LogisticEstimator().fit(clustered, ExecutionContext()).summary["l2"]?.doubleValue
        #expect(try #require(l2) > 1)
        let shares = try LogisticEstimator().fit(clustered, ExecutionContext())
            .predict(clustered.features, rows: nil, ExecutionContext())
        #expect(shares.allSatisfy { $0 > 0.02 })
    }

    @Test("Weights count as many rows as say as much")
    func automaticPenaltyOfWeights() throws {
        func compared(_ weights: [Double]?) throws -> SpecValue? {
            try LogisticEstimator().fit(
                noise(rows: 600, columns: 10, weights: weights), ExecutionContext()
            ).summary["penalties_compared"]
        }
        #expect(try compared(nil) == nil)
        #expect(try compared([Double](repeating: 7, count: 600)) == nil)
        #expect(try compared((0..<600).map { $0 % 20 == 0 ? 99.5 : 1 }) != nil)
        // Draws of a resample are rows.
        #expect(try compared((0..<600).map { Double($0 % 3) }) == nil)
    }

    @Test("a class that some folds lack does not keep the penalty from being chosen")
    func rareClass() throws {
        var sample = try SampleTask(rows: 60, seed: 14, classes: 2)
        sample.target[7] = 2
        sample.objective = .classification(classes: 3)
        var spec = LogisticSpec(selection: .oneStandardError)
        spec.pathLength = 6
        let values = try fit(sample, spec).predict(sample.table(), rows: nil, ExecutionContext())
        #expect(values.allSatisfy { $0 >= 0 && $0 <= 1 })
    }
}
