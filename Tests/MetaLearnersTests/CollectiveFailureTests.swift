import MetaLearnersCore
import MetaLearnersKit
import Testing
import _TestSupport

@testable import MetaLearners

@Suite("Processes that fail, and what takes no part")
struct CollectiveFailureTests {
    private func errors<Value>(_ results: [Swift.Result<Value, any Error>]) -> [MetaLearnersError?] {
        results.map { result in
            guard case .failure(let error) = result else { return nil }
            return error as? MetaLearnersError
        }
    }

    @Test("Whichever call fails, every process ends with an error and none with a model")
    func failingCalls() throws {
        let rows = try PartedRows(rows: 200)
        let parts = rows.parts([1, 1])
        let fitter = try MetaLearnerFitter(CollectiveFitTests.spec("t", trees: ["trees": 2]))
        for after in [0, 1, 2, 3, 5, 8, 13, 21, 34, 55, 89, 144] {
            let run = ThreadGroup.run(2, failing: (rank: 1, after: after)) { collective in
                let dataset = try CausalDataset(parts[collective.rank], rows.data, partOf: collective)
                return try fitter.fit(dataset, ExecutionOptions(threads: 1, collective: collective))
            }
            let errors = errors(run.results)
            #expect(
                errors[1]?.description.contains("a call of process 1 of 2 failed: the network is gone")
                    == true)
            #expect(errors[0]?.description.contains("another process has left") == true)
        }
    }

    @Test("A process that cannot go on tells the others why")
    func told() throws {
        let rows = try PartedRows(rows: 200)
        let parts = rows.parts([1, 1, 1])
        let fitter = try MetaLearnerFitter(CollectiveFitTests.spec("dr", trees: ["trees": 2]))
        let token = CancellationToken()
        token.cancel()
        let cancelled = ThreadGroup.run(3) { collective in
            let dataset = try CausalDataset(parts[collective.rank], rows.data, partOf: collective)
            return try fitter.fit(
                dataset,
                ExecutionOptions(
                    threads: 1, cancellation: collective.rank == 1 ? token : nil, collective: collective))
        }
        #expect(errors(cancelled.results).allSatisfy { $0?.kind == .cancelled })
        #expect(errors(cancelled.results)[2]?.problem.contains("process 1 of 3 ended the work") == true)
        var bad = parts
        bad[2] = parts[2].mapping { column in
            column.name == "y" ? Column("y", [Double](repeating: .nan, count: column.count)) : column
        }
        let broken = bad
        let refused = ThreadGroup.run(3) { collective in
            try CausalDataset(broken[collective.rank], rows.data, partOf: collective)
        }
        #expect(errors(refused.results).allSatisfy { $0?.kind == .invalidData })
        #expect(errors(refused.results)[0]?.problem.contains("missing or infinite") == true)
    }

    @Test("Processes that would do different things end with an error")
    func mismatch() throws {
        let rows = try PartedRows(rows: 200)
        let parts = rows.parts([1, 1])
        // The exchanges of both would be alike, and the models would not.
        let fitters = try [0.1, 0.2].map { rate in
            try MetaLearnerFitter(CollectiveFitTests.spec("t", trees: ["learning_rate": .number(rate)]))
        }
        let run = ThreadGroup.run(2) { collective in
            let dataset = try CausalDataset(parts[collective.rank], rows.data, partOf: collective)
            return try fitters[collective.rank].fit(
                dataset, ExecutionOptions(threads: 1, collective: collective))
        }
        #expect(errors(run.results).allSatisfy { $0?.problem.contains("different specs") == true })
        let controls = ["placebo", "drug"].map { control in
            var data = rows.data
            data.control = control
            return data
        }
        let described = ThreadGroup.run(2) { collective in
            try CausalDataset(parts[collective.rank], controls[collective.rank], partOf: collective)
        }
        #expect(
            errors(described.results).allSatisfy { $0?.problem.contains("descriptions of the data") == true })
        let other = ThreadGroup.run(2) { collective in
            try CausalDataset(
                collective.rank == 0 ? parts[0] : parts[1].selecting(columns: [1, 0, 2, 3, 4, 5]), rows.data,
                partOf: collective)
        }
        #expect(
            errors(other.results).allSatisfy {
                $0?.problem.contains("no such column at the same place") == true
            })
    }

    @Test("What takes no part is refused in every process before anything is fitted")
    func refused() throws {
        let rows = try PartedRows(rows: 200)
        let parts = rows.parts([1, 1])
        func message(_ spec: SpecValue) throws -> String {
            let fitter = try MetaLearnerFitter(MetaLearnerSpec(spec))
            let run = ThreadGroup.run(2) { collective in
                let dataset = try CausalDataset(parts[collective.rank], rows.data, partOf: collective)
                return try fitter.fit(dataset, ExecutionOptions(threads: 1, collective: collective))
            }
            return errors(run.results)[0]?.description ?? "fitted"
        }
        let constant = try message(["learner": "t", "models": ["outcome": "constant"]])
        #expect(constant.contains("cannot do collective"))
        for able in ["trees", "forest", "lasso"] { #expect(constant.contains(able)) }
        for (key, value) in [("early_stopping", 5)] as [(String, SpecValue)] {
            #expect(
                try message([
                    "learner": "t",
                    "models": ["outcome": .object(["backend": "trees", "trees": 9, key: value])],
                ])
                .contains("models.outcome.\(key)"))
        }
        #expect(
            try message(["learner": "dr", "intervals": ["method": "bootstrap"]]).contains("intervals.method"))
    }

    @Test("Linear models are those of one process to 1e-9", arguments: CollectiveFitTests.partitions)
    func linear(shares: [Int]) throws {
        for (learner, arms, binary) in [("dr", 2, false), ("r", 3, false), ("x", 2, false), ("s", 2, true)] {
            let rows = try PartedRows(rows: 400, arms: arms, binary: binary, weighted: learner == "r")
            let outcome: SpecValue = binary ? "logistic" : "ols"
            let spec = try MetaLearnerSpec([
                "learner": .string(learner), "cross_fitting": ["folds": 3],
                "models": ["outcome": outcome, "effect": "ridge", "propensity": "logistic"],
            ])
            let alone = try rows.fit(spec)
            let expected = try alone.predict(rows.table).effects
            let parts = try rows.fit(spec, shares)
            for part in parts {
                let effects = try part.predict(rows.table).effects
                for (own, other) in zip(effects.joined(), expected.joined()) {
                    #expect(abs(own - other) < 1e-9, "\(learner)")
                }
                #expect(part.warnings == alone.warnings)
            }
            let training = zip(parts.flatMap { $0.trainingEffects.first ?? [] }, alone.trainingEffects[0])
            #expect(training.allSatisfy { abs($0 - $1) < 1e-9 })
            // All processes have one model.
            var spec2 = spec
            spec2.keepTraining = false
            let models = try rows.fit(spec2, shares).map { $0.encoded() }
            #expect(models.allSatisfy { $0 == models[0] })
        }
    }
}
