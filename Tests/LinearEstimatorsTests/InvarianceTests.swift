import LinearEstimators
import MetaLearnersCore
import Synchronization
import Testing

/// What must hold for every linear backend, whatever the data are.
@Suite struct InvarianceTests {
    /// A backend with an objective.
    enum Fit: String, CaseIterable {
        case ols, ridge, olsResidual, ridgeResidual, lasso, elasticNetResidual, expanded, logistic,
            multinomial

        var isLeastSquares: Bool { self != .logistic && self != .multinomial }

        func sample(seed: UInt64 = 5) throws -> SampleTask {
            let classes: Int? = self == .logistic ? 2 : self == .multinomial ? 3 : nil
            var sample = try SampleTask(rows: 90, seed: seed, classes: classes)
            var stream = RandomStream(seed: seed, path: 1)
            if self == .olsResidual || self == .ridgeResidual || self == .elasticNetResidual {
                sample.objective = .residual(regressor: sample.rows.map { _ in 2 * stream.uniform() - 1 })
            }
            sample.weights = sample.rows.map { _ in 0.5 + stream.uniform() }
            return sample
        }

        func predictions(_ sample: SampleTask, of features: Table? = nil) throws -> [Double] {
            let features = try features ?? sample.table()
            switch self {
            case .ols, .olsResidual: return try OLSEstimator().predictions(sample, of: features)
            case .ridge, .ridgeResidual:
                return try RidgeEstimator(RidgeSpec(l2: 2)).predictions(sample, of: features)
            case .lasso: return try LassoEstimator(LassoSpec(lambda: 0.05)).predictions(sample, of: features)
            case .elasticNetResidual:
                return try ElasticNetEstimator(ElasticNetSpec(lambda: 0.05)).predictions(sample, of: features)
            case .expanded:
                var spec = RidgeSpec(l2: 2)
                spec.expansion = .splinesInteractions
                return try RidgeEstimator(spec).predictions(sample, of: features)
            case .logistic, .multinomial: return try LogisticEstimator().predictions(sample, of: features)
            }
        }
    }

    @Test("doubling a weight is doubling a row", arguments: Fit.allCases)
    func weightsAreMultiplicities(_ fit: Fit) throws {
        let sample = try fit.sample()
        let doubled: [Int32] = [0, 4, 5, 17, 18, 60, 89]
        var heavier = sample
        for row in doubled { heavier.weights?[Int(row)] *= 2 }
        let repeated = sample.selecting(sample.rows + doubled)
        let features = try sample.table()
        let difference = try largestDifference(
            fit.predictions(heavier), fit.predictions(repeated, of: features))
        #expect(difference < 1e-10)
        #expect(try largestDifference(fit.predictions(heavier), fit.predictions(sample)) > 1e-4)
    }

    @Test("the order of the rows does not matter", arguments: Fit.allCases)
    func permutingRows(_ fit: Fit) throws {
        let sample = try fit.sample()
        var stream = RandomStream(seed: 9)
        var order = sample.rows
        stream.shuffle(&order)
        let permuted = try fit.predictions(sample.selecting(order))
        let outputs = permuted.count / order.count
        let plain = try fit.predictions(sample)
        let expected = order.flatMap { row in (0..<outputs).map { plain[Int(row) * outputs + $0] } }
        #expect(largestDifference(permuted, expected) < 1e-10)
    }

    @Test("units of the covariates do not matter, however large or small", arguments: Fit.allCases)
    func scaleInvariance(_ fit: Fit) throws {
        let sample = try fit.sample()
        let plain = try fit.predictions(sample)
        for scale in [3.7, -2.5e-6, 1e300, 1e-290] {
            // A penalised curve knows its left end from its right one.
            let scale = fit == .expanded ? abs(scale) : scale
            var scaled = sample
            for position in 0..<3 {
                let column = sample.columns[position]
                scaled.columns[position] = Column(column.name, column.values.doubles().map { $0 * scale })
            }
            #expect(try largestDifference(fit.predictions(scaled), plain) < 1e-9)
        }
    }

    /// Fits with penalties that are given, and with penalties that the data choose.
    static let penalised: [(name: String, estimator: any BaseEstimator)] = {
        do {
            var squares = ElasticNetSpec(l1Ratio: 0.1)
            squares.pathLength = 30
            return [
                ("ols", try OLSEstimator()), ("ridge", try RidgeEstimator()),
                ("ridge, gcv", try RidgeEstimator(RidgeSpec(selection: .gcv))),
                ("ridge, loo", try RidgeEstimator(RidgeSpec(selection: .loo))),
                ("ridge, cv", try RidgeEstimator(RidgeSpec(selection: .cv))),
                ("lasso", try LassoEstimator()), ("lasso, 0.1", try LassoEstimator(LassoSpec(lambda: 0.1))),
                ("elastic net", try ElasticNetEstimator()),
                ("elastic net, 0.1", try ElasticNetEstimator(ElasticNetSpec(lambda: 0.1))),
                ("elastic net, mostly squares", try ElasticNetEstimator(squares)),
            ]
        } catch {
            return []
        }
    }()

    @Test(
        "the unit of the target is that of the predictions, to the bit for powers of two",
        arguments: penalised.map(\.name))
    func targetUnits(_ name: String) throws {
        let estimator = try #require(Self.penalised.first { $0.name == name }?.estimator)
        let sample = try Fit.ridge.sample()
        let features = try sample.table()
        let plain = try estimator.predictions(sample, of: features)
        for factor in [0x1p34, 0x1p-40, 1e4, 1e9, 1e-9] {
            var scaled = sample
            scaled.target = sample.target.map { $0 * factor }
            let predicted = try estimator.predictions(scaled, of: features).map { $0 / factor }
            if factor.significand == 1 {
                #expect(predicted == plain)
            } else {
                #expect(largestDifference(predicted, plain) < 1e-7)
            }
        }
        for shift in [1e3, 1e9] {
            var shifted = sample
            shifted.target = sample.target.map { $0 + shift }
            let predicted = try estimator.predictions(shifted, of: features).map { $0 - shift }
            #expect(largestDifference(predicted, plain) < 1e-13 * shift + 1e-5)
        }
    }

    @Test(
        "all weights times a constant change nothing where the loss is a mean or has no penalty",
        arguments: penalised.map(\.name))
    func weightScale(_ name: String) throws {
        // The penalty of `ridge` stands beside a sum, unless the data choose it.
        guard name != "ridge" else { return }
        let estimator = try #require(Self.penalised.first { $0.name == name }?.estimator)
        let sample = try Fit.ridge.sample()
        let features = try sample.table()
        let plain = try estimator.predictions(sample, of: features)
        for factor in [0x1p30, 1e6, 1e-9] {
            var heavier = sample
            heavier.weights = sample.weights?.map { $0 * factor }
            #expect(largestDifference(try estimator.predictions(heavier, of: features), plain) < 1e-7)
        }
    }

    @Test("rows of weight zero have no influence, not even on the levels", arguments: Fit.allCases)
    func weightZero(_ fit: Fit) throws {
        var sample = try fit.sample()
        let dropped: Set<Int32> = [2, 3, 50]
        for row in dropped {
            sample.weights?[Int(row)] = 0
            if fit.isLeastSquares { sample.target[Int(row)] = 1e6 }
        }
        let codes = try #require(sample.columns[3].codes())
        let levels = try #require(sample.columns[3].levels)
        sample.columns[3] = Column(
            "level",
            codes: StridedValues(codes.enumerated().map { dropped.contains(Int32($0)) ? 3 : $1 }),
            levels: levels + ["only in rows of weight zero"])
        sample.columns[0] = Column(
            "first",
            sample.columns[0].values.doubles().enumerated().map { dropped.contains(Int32($0)) ? .nan : $1 })
        var without = sample
        without.rows = sample.rows.filter { !dropped.contains($0) }
        #expect(try fit.predictions(sample) == fit.predictions(without))
    }

    @Test("the order of the levels does not matter", arguments: Fit.allCases)
    func relabelling(_ fit: Fit) throws {
        let sample = try fit.sample()
        var relabelled = sample
        let codes = try #require(sample.columns[3].codes())
        relabelled.columns[3] = Column(
            "level", codes: StridedValues(codes.map { 2 - $0 }), levels: ["c", "b", "a"])
        #expect(try largestDifference(fit.predictions(relabelled), fit.predictions(sample)) < 1e-10)
    }

    @Test("threads change nothing, to the bit", arguments: Fit.allCases)
    func threads(_ fit: Fit) throws {
        let sample = try fit.sample()
        let plain = try fit.predictions(sample)
        let scheduler = Scheduler(ExecutionOptions(threads: 2))
        let slots = Mutex<[Int: [Double]]>([:])
        try scheduler.run("fit", count: 8) { index, _ throws(MetaLearnersError) in
            do {
                let values = try fit.predictions(sample)
                slots.withLock { $0[index] = values }
            } catch {
                throw MetaLearnersError(.internalFault, "\(error)")
            }
        }
        let all = slots.withLock { $0 }
        #expect(all.count == 8)
        for values in all.values { #expect(values == plain) }
    }

    @Test("a row's prediction does not depend on the rows beside it, to the bit", arguments: Fit.allCases)
    func singleRows(_ fit: Fit) throws {
        let sample = try fit.sample()
        let estimator: any BaseEstimator =
            fit.isLeastSquares ? try RidgeEstimator() : try LogisticEstimator()
        let model = try estimator.fit(sample.task(), ExecutionContext())
        let features = try sample.table()
        let all = try model.predict(features, rows: nil, ExecutionContext(threads: 2))
        for row in [Int32(0), 31, 89] {
            let one = try model.predict(features, rows: [row], ExecutionContext())
            let first = Int(row) * model.outputCount
            #expect(one == Array(all[first..<first + model.outputCount]))
        }
    }

    @Test("with a regressor of one the residual loss is regression", arguments: [Fit.ols, .ridge, .lasso])
    func residualWithRegressorOne(_ fit: Fit) throws {
        let sample = try fit.sample()
        var residual = sample
        residual.objective = .residual(regressor: sample.rows.map { _ in 1 })
        #expect(try largestDifference(fit.predictions(residual), fit.predictions(sample)) < 1e-11)
    }

    @Test("the residual loss finds a linear effect without noise, tiny regressors included")
    func residualRecovery() throws {
        var sample = try Fit.olsResidual.sample()
        let first = sample.columns[0].values.doubles()
        var stream = RandomStream(seed: 3)
        var regressor = sample.rows.map { _ in stream.uniform() - 0.5 }
        regressor[7] = 1e-200
        regressor[8] = 0
        let effect = first.map { 2 - 3 * $0 }
        sample.target = zip(regressor, effect).map { $0 * $1 }
        sample.objective = .residual(regressor: regressor)
        #expect(try largestDifference(Fit.olsResidual.predictions(sample), effect) < 1e-10)
    }

    @Test("a constant target is predicted exactly", arguments: [Fit.ols, .ridge, .lasso])
    func constantTarget(_ fit: Fit) throws {
        var sample = try fit.sample()
        sample.target = sample.target.map { _ in 0.1 }
        #expect(try fit.predictions(sample).allSatisfy { $0 == 0.1 })
    }

    @Test("ridge with a negligible penalty is least squares; with an overwhelming one, the mean")
    func penaltyLimits() throws {
        let sample = try Fit.ridge.sample()
        let features = try sample.table()
        let free = try OLSEstimator().predictions(sample, of: features)
        let none = try RidgeEstimator(RidgeSpec(l2: 0)).predictions(sample, of: features)
        #expect(none == free)
        let slight = try RidgeEstimator(RidgeSpec(l2: 1e-9)).predictions(sample, of: features)
        #expect(largestDifference(slight, free) < 1e-7)
        let strong = try RidgeEstimator(RidgeSpec(l2: 1e15)).predictions(sample, of: features)
        let mean = try ConstantEstimator().predictions(sample, of: features)
        #expect(largestDifference(strong, mean) < 1e-9)
    }
}
