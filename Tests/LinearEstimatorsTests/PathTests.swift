import MetaLearnersCore
import Testing

@testable import LinearEstimators

@Suite struct PathTests {
    private let context = ExecutionContext()
    private let sample: SampleTask
    private let folds: [Int32]

    init() throws {
        sample = try SampleTask(rows: 90, seed: 7)
        folds = (0..<90).map { Int32($0 % 3) }
    }

    private var never: [Int32] { [Int32](repeating: -1, count: sample.rows.count) }

    private func design(_ expansion: FeatureExpansion) throws -> DesignMatrix {
        try DesignMatrix(sample.table(), expansion: expansion, context)
    }

    private func values(_ function: LinearFunction?, _ design: DesignMatrix) throws -> [Double] {
        try design.model(of: [try #require(function)]).predict(sample.table(), rows: nil, context)
    }

    @Test("a stage of the lasso's path is the lasso at its penalty")
    func lassoStage() throws {
        let design = try design(.splinesInteractions)
        let problem = try PathProblem(
            design, rows: sample.rows, folds: never, target: sample.target, context)
        let fit = try problem.lassoPath(endsEarly: false, tolerance: 1e-10, whole: true, context)
        #expect(fit.penalties.count == 40)
        let mean = sample.target.reduce(0, +) / 90
        let deviation = (sample.target.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / 90).squareRoot()
        for stage in [0, 12, 25] {
            var spec = LassoSpec(lambda: fit.penalties[stage] / deviation)
            spec.expansion = .splinesInteractions
            let expected = try LassoEstimator(spec).predictions(sample, of: sample.table())
            #expect(largestDifference(try values(fit.wholeFunction(stage), design), expected) < 1e-7)
        }
    }

    @Test("a stage of the ridge path is ridge at its penalty, on any feature map")
    func ridgeStage() throws {
        let design = try design(.splines)
        for map in [FeatureExpansion.none, .splines] {
            let problem = try PathProblem(
                design, columns: design.columns(map), rows: sample.rows, folds: never, target: sample.target,
                context)
            let fit = try problem.ridgePath(penalties: [1, 0.1], whole: true, context)
            var spec = RidgeSpec(l2: 0.1 * Double(sample.rows.count))
            spec.expansion = map
            let expected = try RidgeEstimator(spec).predictions(sample, of: sample.table())
            #expect(largestDifference(try values(fit.wholeFunction(1), design), expected) < 1e-8)
        }
    }

    @Test(
        "every stage of a logistic path is logistic regression at its penalty, however steep the classes rise"
    )
    func logisticPath() throws {
        var sample = try SampleTask(rows: 400, seed: 21)
        sample.target = sample.target.enumerated().map { $1 + Double($0 % 3) * 0.1 > 0.4 ? 1 : 0 }
        sample.objective = .classification(classes: 2)
        let design = try DesignMatrix(sample.table(), expansion: .splines, context)
        let penalties = PathProblem.defaultRidgePenalties
        let fit = try LogisticPathProblem(
            design, rows: sample.rows, folds: [Int32](repeating: -1, count: 400), target: sample.target
        ).ridgePath(whole: true, context)
        for stage in penalties.indices {
            var spec = LogisticSpec(l2: penalties[stage] * 400)
            spec.expansion = .splines
            let expected = try LogisticEstimator(spec).predictions(sample, of: sample.table())
            let function = try #require(fit.wholeFunction(stage))
            let odds = try design.model(of: [function]).predict(sample.table(), rows: nil, context)
            let probabilities = odds.flatMap {
                [Logistic.shareByMagnitude(-$0), Logistic.shareByMagnitude($0)]
            }
            #expect(largestDifference(probabilities, expected) < 1e-6, "penalty \(penalties[stage])")
        }
    }

    @Test("a stage of the logistic path is logistic regression at its penalty")
    func logisticStage() throws {
        var sample = sample
        sample.target = sample.target.map { $0 > 0.5 ? 1 : 0 }
        sample.objective = .classification(classes: 2)
        let design = try design(.none)
        let problem = try LogisticPathProblem(
            design, rows: sample.rows, folds: never, target: sample.target)
        let fit = try problem.ridgePath(penalties: [1, 0.05], whole: true, context)
        let expected = try LogisticEstimator(LogisticSpec(l2: 0.05 * 90)).predictions(
            sample, of: sample.table())
        let odds = try values(fit.wholeFunction(1), design)
        let probabilities = odds.flatMap { [Logistic.shareByMagnitude(-$0), Logistic.shareByMagnitude($0)] }
        #expect(largestDifference(probabilities, expected) < 1e-6)
    }

    @Test("out-of-fold predictions come from the other folds' rows, and give the reported losses")
    func outOfFold() throws {
        var weights = (0..<90).map { 1 + Double($0 % 4) }
        weights[5] = 0
        let regressor = (0..<90).map { $0 % 2 == 0 ? -0.6 : 0.4 }
        let design = try design(.splines)
        let rows = sample.rows.filter { $0 % 5 != 0 }
        func problem(_ rows: [Int32], _ folds: [Int32]) throws -> PathProblem {
            try PathProblem(
                design, rows: rows, folds: folds, target: sample.target, weights: weights,
                regressor: regressor, context)
        }
        let fit = try problem(rows, folds).lassoPath(stages: 12, tolerance: 1e-10, context)
        let ridge = try problem(rows, folds).ridgePath(context)
        for path in [fit, ridge] {
            let predictions = try path.outOfFold(stages: Array(path.penalties.indices), context)
            for stage in path.penalties.indices {
                var loss = 0.0
                var total = 0.0
                for row in rows.map(Int.init) {
                    let error = sample.target[row] - regressor[row] * predictions[stage][row]
                    loss += weights[row] * error * error
                    total += weights[row] * regressor[row] * regressor[row]
                }
                #expect(abs(path.losses[stage] - loss / total) < 1e-9 * loss)
            }
        }
        let others = try problem(rows.filter { folds[Int($0)] != 1 }, never).ridgePath(whole: true, context)
        let expected = try values(others.wholeFunction(4), design)
        let predicted = try ridge.outOfFold(4, context)
        for row in folds.indices where folds[row] == 1 {
            #expect(abs(predicted[row] - expected[row]) < 1e-9)
        }
    }

    @Test("a modulation's function and slope add up to the predictions, and factors only weaken the penalty")
    func modulation() throws {
        let design = try design(.splines)
        let multiplier = (0..<90).map { Double($0 % 7) / 3 - 1 }
        func path(_ factor: Double) throws -> PathFit {
            try PathProblem(
                design,
                modulation: Modulation(
                    multiplier, mainFactor: 20, columns: design.columns(.none), columnFactor: factor),
                rows: sample.rows, folds: folds, target: sample.target, context
            ).ridgePath(penalties: [0.1], context)
        }
        let fit = try path(2)
        let predicted = try fit.outOfFold(0, context)
        let slopes = try fit.outOfFoldSlopes(stages: [0], context)[0]
        for fold in 0..<3 {
            let base = try values(fit.function(0, fold: fold), design)
            let slope = try values(fit.slope(0, fold: fold), design)
            for row in folds.indices where folds[row] == Int32(fold) {
                #expect(abs(slopes[row] - slope[row]) < 1e-10)
                #expect(abs(predicted[row] - base[row] - multiplier[row] * slope[row]) < 1e-10)
            }
        }
        // The further the penalty on the effect goes down, the larger the effect becomes.
        func size(_ fit: PathFit) -> Double {
            fit.slope(0).coefficients.reduce(0) { $0 + $1 * $1 }
        }
        #expect(size(try path(0.1)) < size(fit))
    }

    @Test("a factor on a column is the same column multiplied")
    func factors() throws {
        let design = try design(.none)
        func problem(_ factor: Double) throws -> PathProblem {
            try PathProblem(
                design, columns: [1], factors: [factor], rows: sample.rows, folds: folds,
                target: sample.target, context)
        }
        func isSame(_ left: LinearFunction, _ right: LinearFunction) -> Bool {
            abs(left.intercept - right.intercept) < 1e-12
                && largestDifference(left.coefficients, right.coefficients) < 1e-12
        }
        // Ridge feels a factor of 8 like a penalty that is 64 times smaller.
        let scaled = try problem(8).ridgePath(penalties: [64], context)
        let plain = try problem(1).ridgePath(penalties: [1], context)
        #expect(isSame(scaled.function(0), plain.function(0)))
        // Alone on the lasso's path, it only changes the unit of the penalty.
        let eight = try problem(8).lassoPath(stages: 6, endsEarly: false, context)
        let one = try problem(1).lassoPath(stages: 6, endsEarly: false, context)
        #expect(abs(eight.penalties[3] - 8 * one.penalties[3]) < 1e-12 * eight.penalties[3])
        #expect(isSame(eight.function(3), one.function(3)))
    }

    @Test("a matrix made anew each time, and any number of threads, give the same models")
    func sameBits() throws {
        func path(keptLimit: Int, _ context: ExecutionContext) throws -> PathFit {
            let design = try DesignMatrix(
                sample.table(), rows: nil, weights: nil, expansion: .splinesInteractions,
                keptLimit: keptLimit, context)
            return try PathProblem(
                design, rows: sample.rows, folds: folds, target: sample.target, context
            ).lassoPath(context)
        }
        let kept = try path(keptLimit: 1 << 20, ExecutionContext(threads: 3))
        let made = try path(keptLimit: 0, context)
        #expect(kept.losses == made.losses)
        #expect(kept.function(kept.best) == made.function(made.best))
    }

    @Test("functions survive the archive, and cut or spoilt bytes are refused")
    func archive() throws {
        let design = try design(.splinesInteractions)
        let fit = try PathProblem(
            design, rows: sample.rows, folds: folds, target: sample.target, context
        ).lassoPath(context)
        let functions = design.model(of: (0..<3).map { fit.function(fit.best, fold: $0) })
        var writer = BinaryWriter()
        functions.encode(to: &writer)
        var reader = BinaryReader(writer.bytes[...])
        let restored = try LinearFunctions(from: &reader)
        #expect(
            try restored.predict(sample.table(), rows: nil, context)
                == functions.predict(sample.table(), rows: nil, context))
        var short = BinaryReader(writer.bytes.dropLast(9))
        #expect(throws: MetaLearnersError.self) { try LinearFunctions(from: &short) }
    }

    @Test("arrays of the wrong length and folds that leave nothing are refused")
    func badInput() throws {
        let design = try design(.none)
        #expect(throws: MetaLearnersError.self) {
            try PathProblem(design, rows: sample.rows, folds: [0], target: sample.target, context)
        }
        #expect(throws: MetaLearnersError.self) {
            try PathProblem(
                design, rows: [0, 3], folds: never.map { _ in 0 }, target: sample.target, context)
        }
        #expect(throws: MetaLearnersError.self) {
            try LogisticPathProblem(
                design, rows: sample.rows, folds: folds, target: sample.target.map { _ in 1 }
            ).ridgePath(context)
        }
    }
}
