import MetaLearnersCore
import Testing
import _TestSupport

@Suite struct ConstantEstimatorTests {
    private let features: Table
    private let target = [1.0, 0, 2, 2, 1, 0]
    private let weights = [1.0, 2, 0.5, 0, 1, 3]

    init() throws {
        features = try Table([Column("x", [1, 2, 3, .nan, 5, 6])])
    }

    private func fit(
        _ objective: TrainingTask.Objective, rows: [Int32] = [0, 1, 2, 3, 4], weighted: Bool = true
    ) throws -> any FittedEstimator {
        let task = try TrainingTask(
            features: features, rows: rows, target: target, weights: weighted ? weights : nil,
            objective: objective)
        return try ConstantEstimator().fit(task, ExecutionContext())
    }

    private func value(_ model: any FittedEstimator) throws -> [Double] {
        try model.predict(features, rows: [5], ExecutionContext())
    }

    @Test("regression gives the weighted mean of the training rows")
    func mean() throws {
        #expect(abs(try value(fit(.regression))[0] - 3 / 4.5) < 1e-15)
        #expect(abs(try value(fit(.regression, weighted: false))[0] - 6 / 5) < 1e-15)
        #expect(try value(fit(.regression, rows: [2, 3], weighted: false)) == [2])
    }

    @Test("classification gives the classes' shares, 0 for a class that does not occur")
    func shares() throws {
        let shares = try value(fit(.classification(classes: 4)))
        #expect(zip(shares, [2 / 4.5, 2 / 4.5, 0.5 / 4.5, 0]).allSatisfy { abs($0 - $1) < 1e-15 })
    }

    @Test("the residual loss gives Σ w·r·t / Σ w·r²")
    func residual() throws {
        let regressor = [0.5, -1, 0.25, 3, 0, 7]
        // Three rows have a weight and a regressor: (w, r, t) = (1, 0.5, 1), (2, −1, 0), (0.5, 0.25, 2).
        let numerator: Double = 0.5 + 0 + 0.25
        let denominator: Double = 0.25 + 2 + 0.03125
        let effect = try value(fit(.residual(regressor: regressor)))[0]
        #expect(abs(effect - numerator / denominator) < 1e-15)
    }

    @Test("a regressor of zeros or of NaN is refused")
    func badRegressor() throws {
        for value in [0.0, .nan] {
            let error = #expect(throws: MetaLearnersError.self) {
                try fit(.residual(regressor: target.map { _ in value }))
            }
            #expect(error?.kind == .invalidData)
        }
    }

    @Test("every row gets the same, and as many rows as were asked for")
    func rows() throws {
        let model = try fit(.classification(classes: 3))
        #expect(try model.predict(features, rows: nil, ExecutionContext()).count == 18)
        #expect(try model.predict(features, rows: [], ExecutionContext()).isEmpty)
        let two = try Table([Column("x", [1]), Column("y", [1])])
        let error = #expect(throws: MetaLearnersError.self) {
            try model.predict(two, rows: nil, ExecutionContext())
        }
        #expect(error?.kind == .invalidArgument)
    }

    @Test("it takes next to no memory, and says so", .enabled(if: FootprintMeasure.isPossible))
    func footprint() async throws {
        let result = await #expect(processExitsWith: .success, observing: [\.standardOutputContent]) {
            let data = try FootprintData(rows: 500_000, numbers: 2)
            print(try FootprintMeasure(ConstantEstimator(), [data.task(.regression)]).line)
        }
        let measure = try #require(FootprintMeasure(result?.standardOutputContent ?? []))
        #expect(measure.isAbout, "\(measure)")
        #expect(measure.estimated < 1000)
    }

    @Test("a mean that overflows is an error")
    func overflow() throws {
        let task = try TrainingTask(
            features: features, rows: [0, 1], target: [1e308, -1e308, 0, 0, 0, 0],
            weights: [8, 8, 1, 1, 1, 1])
        let error = #expect(throws: MetaLearnersError.self) {
            try ConstantEstimator().fit(task, ExecutionContext())
        }
        #expect(error?.kind == .numericalFailure)
    }

    @Test("a model read back is the same, and one cut short is refused")
    func bytes() throws {
        let model = try fit(.classification(classes: 3))
        var writer = BinaryWriter()
        model.encode(to: &writer)
        var reader = BinaryReader(writer.bytes[...])
        let back = try ConstantEstimator.decode(from: &reader)
        #expect(try value(back) == value(model))
        #expect(back.backendName == "constant")
        #expect(back.outputCount == 3)
        for length in 0..<writer.bytes.count {
            var reader = BinaryReader(writer.bytes[0..<length])
            #expect(throws: MetaLearnersError.self) { try ConstantEstimator.decode(from: &reader) }
        }
        for place in writer.bytes.indices {
            var bytes = writer.bytes
            bytes[place] ^= 0xFF
            var reader = BinaryReader(bytes[...])
            guard let altered = try? ConstantEstimator.decode(from: &reader) else { continue }
            _ = try? value(altered)
        }
    }
}
