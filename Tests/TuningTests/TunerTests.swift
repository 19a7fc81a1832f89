import Foundation
import MetaLearnersCore
import MetaLearnersKit
import Testing
import _TestSupport

@testable import Tuning

@Suite("Searches")
struct TunerTests {
    static let mindset: SpecValue = [
        "strategy": "joint", "validation_share": 0.25, "train_scores": false,
        "models": [
            "outcome": ["backend": "trees", "trees": [2, 3, 4], "max_depth": [0, 2]],
            "propensity": ["backend": "trees", "trees": [2, 3], "max_depth": [0, 1, 2]],
            "effect": ["backend": "trees", "trees": [1, 2, 3], "max_depth": [0, 1, 2]],
        ],
    ]

    func spec(
        _ learner: LearnerKind, folds: Int = 2, _ change: (inout MetaLearnerSpec) -> Void = { _ in }
    )
        -> MetaLearnerSpec
    {
        var spec = MetaLearnerSpec()
        spec.learner = learner
        spec.models.outcome = RoleModelSpec("ridge")
        spec.models.propensity = RoleModelSpec("logistic")
        spec.models.effect = RoleModelSpec("ridge")
        spec.crossFitting.folds = .exactly(folds)
        change(&spec)
        return spec
    }

    func tuning(_ value: SpecValue) throws -> TuningSpec {
        try TuningSpec(value, at: SpecPath.root.appending("tuning"))
    }

    /// A result without what depends on the clock.
    private func timeless(_ result: TuningResult) -> SpecValue {
        var object = result.specValue.objectValue ?? SpecObject()
        for table in ["candidates", "nuisances"] {
            object[table] = .array(
                (object[table]?.arrayValue ?? []).map { row in
                    var row = row.objectValue ?? SpecObject()
                    for key in ["fit_seconds", "score_seconds"] { row[key] = nil }
                    return .object(row)
                })
        }
        return .object(object)
    }

    private func temporaryPath() -> String {
        FileManager.default.temporaryDirectory.appendingPathComponent("tuning-\(UUID().uuidString)").path
    }

    // MARK: Fits

    @Test(
        "6 settings of outcomes, 6 of propensities and 9 of effects cost 6 + 6 nuisances and 324 effect models"
    )
    func fitsAreCounted() throws {
        let data = try SyntheticDataset.linear(rows: 160, seed: 1)
        let counts = FitCounts()
        let tuner = try Tuner(
            spec(.r), tuning(Self.mindset), registry: counts.registry(hidesStages: true))
        let result = try tuner.run(data.dataset)
        #expect(result.candidates.count == 325 && result.candidates.allSatisfy { $0.score != nil })
        // Two folds, and one of all rows that predicts those of validation.
        #expect(counts.outcomes.value == 6 * 3)
        #expect(counts.propensities.value == 6 * 3)
        #expect(counts.effects.value == 324)
        #expect(result.fits.nuisances == 36 && result.fits.candidates == 324)
        #expect(result.rows.training + result.rows.validation == 160)
    }

    @Test("Numbers of trees are stages of one fit, and give the same scores")
    func stages() throws {
        let data = try SyntheticDataset.linear(rows: 160, seed: 1)
        let counts = FitCounts()
        let staged = try Tuner(spec(.r), tuning(Self.mindset), registry: counts.registry()).run(data.dataset)
        #expect(counts.outcomes.value == 2 * 3)
        #expect(counts.propensities.value == 3 * 3)
        #expect(counts.effects.value == 36 * 3)
        let single = try Tuner(
            spec(.r), tuning(Self.mindset), registry: FitCounts().registry(hidesStages: true)
        ).run(data.dataset)
        #expect(staged.candidates.map(\.number) == single.candidates.map(\.number))
        #expect(staged.candidates.map(\.score) == single.candidates.map(\.score))
    }

    @Test("A fit of more trees holds the fit of fewer, to the bit")
    func truncation() throws {
        let data = try SyntheticDataset.linear(rows: 300, seed: 2)
        let task = try TrainingTask(
            features: data.covariates, rows: Array(0..<300), target: data.outcome, seed: 5)
        for parameters in [
            SpecObject(), ["row_sample": 0.5, "column_sample": 0.5, "column_sample_node": 0.5],
            ["max_depth": 2],
        ] {
            var (few, many) = (parameters, parameters)
            few["trees"] = 7
            many["trees"] = 20
            let short = try EstimatorRegistry.default.makeEstimator(EstimatorChoice("trees", few), at: .root)
            let long = try EstimatorRegistry.default.makeEstimator(EstimatorChoice("trees", many), at: .root)
            #expect(short.stage(along: long) == 7 && long.stage(along: short) == nil)
            let path = try #require(long.fit(task, ExecutionContext()) as? any StagedModel)
            let context = ExecutionContext()
            #expect(
                try path.truncated(to: 7).predict(data.covariates, rows: nil, context)
                    == short.fit(task, context).predict(data.covariates, rows: nil, context))
            few["early_stopping"] = 5
            let stopping = try EstimatorRegistry.default.makeEstimator(
                EstimatorChoice("trees", few), at: .root)
            #expect(stopping.stage(along: long) == nil)
        }
    }

    // MARK: Scores

    @Test(
        "One effect for everybody ranks nobody: its RATE is 0, whatever the means of folds", arguments: 1...3)
    func constantRate(seed: Int) throws {
        let data = try SyntheticDataset.linear(rows: 200, seed: UInt64(seed)).dataset
        let tuner = try Tuner(
            spec(.dr, folds: 5) { $0.seed = seed }, tuning(["score": "rate", "learners": ["dr"]]),
            registry: .default)
        let result = try tuner.run(data)
        let constant = try #require(result.candidates.first { $0.learner == nil })
        #expect(abs(constant.score ?? 1) < 1e-12)
    }

    @Test("A candidate's effects are those of its spec alone, and its loss is the formula's")
    func sameAsAlone() throws {
        let data = try SyntheticDataset.linear(rows: 240, seed: 3)
        let dataset = data.dataset
        let tuner = try Tuner(
            spec(.r, folds: 3),
            tuning([
                "learners": ["r", "x", "t", "dr", "ra", "u"],
                "models": ["effect": ["backend": "trees", "trees": [3, 6]], "outcome": ["l2": [0.1, 10]]],
            ]), registry: .default)
        let result = try tuner.run(dataset)
        var standard = tuner.spec
        standard.learner = .r
        standard.models = try ModelsSpec(
            .object(SpecObject(result.scoringModels.map { ($0.key.rawValue, .object($0.value)) })))
        let nuisances = try MetaLearnerFitter(standard, registry: .default).fitNuisances(
            dataset, roles: [.marginalOutcome(arm: 1), .propensity]
        ).estimates
        let m = try nuisances.marginalOutcome(1)
        let e = try nuisances.propensity(1)
        for candidate in result.candidates {
            guard let learner = candidate.learner else { continue }
            var alone = try tuner.spec(learner, candidate.models)
            alone.intervals.method = .none
            let effects = try MetaLearnerFitter(alone, registry: .default).fit(dataset).trainingEffects[0]
            let losses = effects.indices.map { row in
                let w = dataset.treatment.arms[row] == 1 ? 1.0 : 0
                let error = dataset.outcome.values[row] - m[row] - (w - e[row]) * effects[row]
                return error * error
            }
            #expect(Approximate.equal(candidate.score ?? .nan, Approximate.mean(losses), 1e-12), "\(learner)")
            let mean = Approximate.mean(effects)
            let spread = Approximate.mean(effects.map { ($0 - mean) * ($0 - mean) }).squareRoot()
            #expect(Approximate.equal(candidate.spread ?? .nan, spread, 1e-12), "\(learner)")
        }
        // Differences are those of the scores, and none is below the best.
        let best = try #require(result.candidates[0].score)
        for candidate in result.candidates {
            #expect(
                Approximate.equal(candidate.difference ?? .nan, (candidate.score ?? .nan) - best, 1e-9))
            #expect((candidate.difference ?? -1) >= 0)
        }
        #expect(result.candidates.contains { $0.learner == nil && $0.score != nil && $0.spread == 0 })
    }

    @Test("The error of a difference is that of the mean of the rows' differences")
    func errorsOfDifferences() throws {
        let data = try SyntheticDataset.linear(rows: 200, seed: 4)
        let nuisances = try NuisanceEstimates(
            propensities: data.propensities, armOutcomes: data.armOutcomes,
            marginalOutcomes: [data.marginalOutcome])
        let scoring = try EffectScoring(.drLoss, data.dataset, nuisances, repeats: [], seed: 1)
        let (first, second) = ([data.effects[0]], [[Double](repeating: 0.5, count: 200)])
        let psi = try nuisances.doublyRobustScores(
            of: 1, data.outcome, data.treatment.arms, means: (data.armOutcomes[0], data.armOutcomes[1]))
        let differences = psi.indices.map { row in
            let (one, other) = (psi[row] - second[0][row], psi[row] - first[0][row])
            return one * one - other * other
        }
        let statistics = ScoreStatistics(isGain: false, groupWeights: scoring.groupWeights)
        let difference = statistics.difference(
            ScoredSample(score: scoring.value(of: second), sample: try scoring.sample(of: second)),
            ScoredSample(score: scoring.value(of: first), sample: try scoring.sample(of: first)))
        let mean = Approximate.mean(differences)
        let variance = differences.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / 199
        #expect(Approximate.equal(difference.value, mean, 1e-12))
        #expect(Approximate.equal(difference.stdError, (variance / 200).squareRoot(), 1e-12))
        // The best constant under the DR-loss is the mean of the scores.
        #expect(Approximate.equal(scoring.constant()[0], Approximate.mean(psi), 1e-12))
    }

    @Test("Every score finds the better of two effects, and the true one at that")
    func everyScore() throws {
        let data = try SyntheticDataset.linear(rows: 2000, seed: 5)
        let nuisances = try NuisanceEstimates(
            propensities: data.propensities, armOutcomes: data.armOutcomes,
            marginalOutcomes: [data.marginalOutcome])
        for score in TuningSpec.Score.allCases {
            let scoring = try EffectScoring(score, data.dataset, nuisances, repeats: [], seed: 1)
            let truth = scoring.value(of: data.effects)
            let bent = scoring.value(of: [data.effects[0].map { 0.5 - ($0 - 0.5) }])
            let constant = scoring.value(of: [[Double](repeating: 0.5, count: 2000)])
            if scoring.isGain {
                #expect(truth > 0.3 && abs(constant) < 1e-9 && bent < -0.3)
            } else {
                #expect(truth < constant && constant < bent, "\(score)")
            }
        }
    }

    @Test("The constant wins where effects do not differ, and loses where they do")
    func constant() throws {
        let data = try SyntheticDataset.linear(rows: 600, noise: 0.5, seed: 6)
        let space: SpecValue = ["models": ["effect": ["l2": [0.01, 1]]]]
        let varied = try Tuner(spec(.r), tuning(space), registry: .default).run(data.dataset)
        #expect(varied.candidates[0].learner == .r && varied.findings.contains { $0.contains("pays") })
        let worst = try #require(varied.candidates.last)
        #expect(worst.learner == nil && !worst.isClose)
        // The same rows with outcomes that do not depend on who is treated.
        let same = try data.dataset.replacing(
            outcome: Outcome(data.armOutcomes[0].enumerated().map { $1 + sin(Double($0 * 37)) }))
        let flat = try Tuner(
            spec(.r), tuning(["models": ["effect": ["backend": "trees", "trees": [50, 100]]]]),
            registry: .default
        ).run(same)
        #expect(flat.candidates[0].learner == nil && flat.best?.learner == .r)
    }

    @Test("One standard error: of those that are close, the effects that vary least")
    func oneStandardError() throws {
        let data = try SyntheticDataset.linear(rows: 400, seed: 7)
        let space: SpecValue = [
            "choose": "one_std_error", "models": ["effect": ["backend": "trees", "trees": [1, 5, 20, 80]]],
        ]
        let result = try Tuner(spec(.dr), tuning(space), registry: .default).run(data.dataset)
        let close = result.candidates.filter { $0.isClose && $0.learner != nil }
        let best = try #require(result.best)
        #expect(close.contains { $0.number == best.number })
        #expect(close.allSatisfy { ($0.spread ?? 0) >= (best.spread ?? .infinity) })
        for candidate in result.candidates {
            let isClose = (candidate.difference ?? .nan) <= (candidate.differenceStdError ?? .nan)
            #expect(candidate.isClose == isClose)
        }
    }

    @Test("Where the constant is best, one standard error counts from the best learner")
    func oneStandardErrorOfConstant() throws {
        let data = try SyntheticDataset.nieWager(.c, rows: 600, seed: 3)
        func search(_ rule: SpecValue) throws -> TuningResult {
            let space: SpecValue = [
                "choose": rule,
                "models": ["effect": ["backend": "trees", "trees": [40, 80, 160], "learning_rate": 0.3]],
            ]
            return try Tuner(spec(.dr), tuning(space), registry: .default).run(data.dataset)
        }
        let (least, plainest) = (try search("best"), try search("one_std_error"))
        // No learner is within one standard error of the constant, and still the plainest of equals is chosen.
        #expect(plainest.candidates[0].learner == nil)
        #expect(!plainest.candidates.contains { $0.isClose && $0.learner != nil })
        let (best, chosen) = (try #require(least.best), try #require(plainest.best))
        #expect((chosen.spread ?? .nan) <= (best.spread ?? .nan))
    }

    @Test("Rows of validation take no part in any fit")
    func validation() throws {
        let data = try SyntheticDataset.linear(rows: 300, seed: 8).dataset
        let held = try SyntheticDataset.linear(rows: 100, seed: 9).dataset
        let space: SpecValue = ["learners": ["r", "s", "x"], "models": ["effect": ["l2": [0.1, 100]]]]
        let tuner = try Tuner(spec(.r), tuning(space), registry: .default)
        let result = try tuner.run(data, validation: held)
        #expect(result.rows == (300, 100))
        for candidate in result.candidates {
            guard let learner = candidate.learner else { continue }
            let model = try MetaLearnerFitter(
                tuner.spec(learner, candidate.models), registry: .default
            ).fit(data)
            let effects = try model.predict(held.covariates).effects[0]
            let mean = Approximate.mean(effects)
            let spread = Approximate.mean(effects.map { ($0 - mean) * ($0 - mean) }).squareRoot()
            #expect(Approximate.equal(candidate.spread ?? .nan, spread, 1e-12), "\(learner)")
        }
        // Other outcomes of the held-out rows change scores and no effects.
        let other = try held.replacing(outcome: Outcome(held.outcome.values.map { $0 + 100 }))
        let again = try tuner.run(data, validation: other)
        let spreads = { (result: TuningResult) in
            result.candidates.sorted { $0.number < $1.number }.map(\.spread)
        }
        #expect(spreads(again) == spreads(result))
        #expect(again.candidates.map(\.score) != result.candidates.map(\.score))
    }

    // MARK: Runs

    @Test("The result depends on neither threads nor the memory limit")
    func determinism() throws {
        let data = try SyntheticDataset.linear(rows: 240, seed: 10).dataset
        let space: SpecValue = [
            "method": "random", "candidates": 4, "strategy": "joint", "learners": ["r", "dr"],
            "models": [
                "outcome": [["backend": "ridge", "l2": ["low": 0.01, "high": 10, "log": true]], "trees"],
                "effect": ["backend": "trees", "trees": ["low": 2, "high": 9, "integer": true]],
            ],
        ]
        let tuner = try Tuner(spec(.r), tuning(space), registry: .default)
        let alone = try tuner.run(data, ExecutionOptions(threads: 1))
        let many = try tuner.run(data, ExecutionOptions(threads: 4))
        let limited = try tuner.run(data, ExecutionOptions(threads: 4, memoryLimit: 64 << 20))
        #expect(timeless(alone) == timeless(many) && timeless(alone) == timeless(limited))
        var error: MetaLearnersError?
        do throws(MetaLearnersError) {
            _ = try tuner.run(data, ExecutionOptions(memoryLimit: 1000))
        } catch let thrown { error = thrown }
        #expect(error.says(.outOfMemory, "memory_limit"))
    }

    @Test("A journal that was cut anywhere is gone on from, with the same result")
    func resuming() throws {
        let data = try SyntheticDataset.linear(rows: 200, seed: 11).dataset
        let space: SpecValue = [
            "strategy": "joint",
            "models": ["outcome": ["l2": [0.1, 1]], "effect": ["backend": "trees", "trees": [2, 4, 6]]],
        ]
        let tuner = try Tuner(spec(.r), tuning(space), registry: .default)
        let path = temporaryPath()
        defer { try? FileManager.default.removeItem(atPath: path) }
        let whole = try tuner.run(data, journal: TuningJournal(path, resumes: false))
        let bytes = try AtomicFile.read(path)
        let lines = bytes.split(separator: UInt8(ascii: "\n"))
        for kept in [0, 1, 2, 5, lines.count] {
            // The last line is cut in the middle, as a kill would leave it.
            var part = Array(lines.prefix(kept).joined(separator: [UInt8(ascii: "\n")]))
            if kept > 0 { part.append(UInt8(ascii: "\n")) }
            if kept < lines.count, kept > 0 { part += lines[kept].prefix(10) }
            try AtomicFile.write(part, to: path)
            let counts = FitCounts()
            let again = try Tuner(spec(.r), tuning(space), registry: counts.registry()).run(
                data, journal: TuningJournal(path, resumes: true))
            #expect(again.candidates.map(\.score) == whole.candidates.map(\.score), "\(kept)")
            #expect(again.candidates.map(\.differenceStdError) == whole.candidates.map(\.differenceStdError))
            #expect(again.candidates.map(\.trainScore) == whole.candidates.map(\.trainScore))
            #expect(again.nuisances.map(\.validation) == whole.nuisances.map(\.validation))
            #expect(again.bestSpec == whole.bestSpec)
            if kept == lines.count { #expect(counts.effects.value == 0) }
        }
        // Another search has another journal.
        let other = try Tuner(spec(.r, folds: 3), tuning(space), registry: .default)
        var error: MetaLearnersError?
        do throws(MetaLearnersError) {
            _ = try other.run(data, journal: TuningJournal(path, resumes: true))
        } catch let thrown { error = thrown }
        #expect(error.says(.invalidArgument, "another search"))
        try AtomicFile.write(Array("rank,learner\n1,r\n".utf8), to: path)
        error = nil
        do throws(MetaLearnersError) {
            _ = try tuner.run(data, journal: TuningJournal(path, resumes: true))
        } catch let thrown { error = thrown }
        #expect(error.says(.invalidArgument, "no journal"))
    }

    @Test("A cancelled search has what is done")
    func cancelling() throws {
        let data = try SyntheticDataset.linear(rows: 200, seed: 12).dataset
        let space: SpecValue = ["models": ["effect": ["l2": [0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 12.8]]]]
        let tuner = try Tuner(spec(.r), tuning(space), registry: .default)
        let whole = try tuner.run(data)
        let path = temporaryPath()
        defer { try? FileManager.default.removeItem(atPath: path) }
        let options = ExecutionOptions(
            threads: 1, progress: { !($0.stage == "candidates" && $0.done >= 3) })
        let part = try tuner.run(data, journal: TuningJournal(path, resumes: false), options)
        #expect(!part.isComplete && part.candidates.count > 2 && part.candidates.count < 9)
        #expect(part.findings.contains { $0.contains("interrupted") })
        let again = try tuner.run(data, journal: TuningJournal(path, resumes: true))
        #expect(again.isComplete && again.candidates.map(\.score) == whole.candidates.map(\.score))
        var error: MetaLearnersError?
        do throws(MetaLearnersError) {
            _ = try tuner.run(data, ExecutionOptions(progress: { _ in false }))
        } catch let thrown { error = thrown }
        #expect(error?.kind == .cancelled)
    }

    @Test("Halving fits few candidates in full", arguments: HalvingSpec.Resource.allCases)
    func halving(_ resource: HalvingSpec.Resource) throws {
        let data = try SyntheticDataset.linear(rows: 400, seed: 13).dataset
        let space: SpecValue = [
            "method": "halving", "halving": ["resource": .string(resource.rawValue), "factor": 3],
            "models": [
                "outcome": ["l2": [0.1, 1, 10]],
                "effect": ["backend": "trees", "trees": 18, "max_leaves": [2, 3, 4, 5, 6, 7, 8, 9, 10]],
            ],
        ]
        let result = try Tuner(spec(.r), tuning(space), registry: .default).run(data)
        let plain = result.candidates.filter { $0.learner != nil }
        #expect(plain.count == 9 && plain.allSatisfy { $0.score != nil })
        let shares = plain.map(\.resource)
        #expect(shares.filter { $0 == 1 }.count == 3)
        #expect(shares.filter { abs($0 - 1.0 / 3) < 1e-12 }.count == 6)
        #expect(result.best?.resource == 1 && result.candidates[0].resource == 1)
        // 9 at a third and 3 in full, two folds each; at a third also the nuisances, m and e, once for all.
        #expect(result.fits.candidates == 2 * 12 + 2 * 2)
    }

    @Test("What is chosen is a spec that fits")
    func bestSpec() throws {
        let data = try SyntheticDataset.linear(rows: 300, seed: 14).dataset
        let space: SpecValue = [
            "learners": ["dr", "x"], "validation_share": 0.3,
            "models": [
                "propensity": ["backend": "logistic", "calibration": ["none", "isotonic"], "l2": [0.1, 1]]
            ],
        ]
        let result = try Tuner(spec(.dr), tuning(space), registry: .default).run(data)
        let best = try #require(result.bestSpec)
        let read = try MetaLearnerSpec(SpecValue(json: best.specValue.json().utf8, source: "best"))
        #expect(read == best)
        let model = try result.fitBest()
        #expect(model.trainingRowCount == 300)
        #expect(try model.encoded() == MetaLearnerFitter(read, registry: .default).fit(data).encoded())
    }
}
