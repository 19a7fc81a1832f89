import MetaLearnersCore
import MetaLearnersKit
import Testing
import _TestSupport

@testable import MetaLearners

/// What holds for one learner holds for all: `auto`, `ensemble` and the bootstrap as well.
@Suite("Every learner, every path")
struct EveryPathTests {
    private static let bootstrap: SpecValue = ["method": "bootstrap", "samples": 20]

    /// A spec of a learner on linear models, `auto` on its own.
    private func fitter(_ learner: LearnerKind, _ keys: [(String, SpecValue)] = []) throws
        -> MetaLearnerFitter
    {
        var object = SpecObject([
            ("learner", .string(learner.rawValue)), ("cross_fitting", ["folds": 3]),
        ])
        if learner != .auto { object["models"] = Linear.models }
        for (key, value) in keys { object[key] = value }
        return try MetaLearnerFitter(MetaLearnerSpec(.object(object)))
    }

    @Test(
        "A limit of memory that is too small is refused, one that does changes nothing",
        arguments: LearnerKind.allCases)
    func memoryLimit(learner: LearnerKind) throws {
        let data = try SyntheticDataset.linear(rows: 150, seed: 2).dataset
        let fitter = try fitter(learner)
        let free = try fitter.fit(data).encoded()
        for limit in [1, 5_000] {
            let error = #expect(throws: MetaLearnersError.self) {
                try fitter.fit(data, ExecutionOptions(threads: 2, memoryLimit: limit))
            }
            #expect(error?.kind == .outOfMemory, "\(limit): \(error?.description ?? "")")
            let ofNuisances = #expect(throws: MetaLearnersError.self) {
                try fitter.fitNuisances(data, ExecutionOptions(threads: 2, memoryLimit: limit))
            }
            #expect(ofNuisances?.kind == .outOfMemory)
        }
        let bounded = try fitter.fit(data, ExecutionOptions(threads: 2, memoryLimit: 1 << 30))
        #expect(bounded.encoded() == free)
    }

    @Test("The bootstrap keeps to the limit of memory", arguments: [LearnerKind.t, .dr])
    func bootstrapMemory(learner: LearnerKind) throws {
        let data = try SyntheticDataset.linear(rows: 150, seed: 2).dataset
        let fitter = try fitter(learner, [("intervals", Self.bootstrap)])
        let free = try fitter.fit(data).encoded()
        // The least limit that does is found by halving: below it nothing is fitted, at it all is.
        var low = 1
        var high = 1 << 26
        while high - low > 1024 {
            let middle = (low + high) / 2
            do throws(MetaLearnersError) {
                let model = try fitter.fit(data, ExecutionOptions(threads: 2, memoryLimit: middle))
                #expect(model.encoded() == free)
                high = middle
            } catch {
                #expect(error.kind == .outOfMemory)
                low = middle
            }
        }
        #expect(high > 1 << 12 && high < 1 << 25)
    }

    @Test(
        "Progress is told by stage up to the end, and any stage can be cancelled",
        arguments: LearnerKind.allCases)
    func progress(learner: LearnerKind) throws {
        let data = try SyntheticDataset.linear(rows: 120, seed: 3).dataset
        let isPlain = learner != .auto && learner != .ensemble
        let fitter = try fitter(learner, isPlain ? [("intervals", Self.bootstrap)] : [])
        let seen = Lock<[String: (done: Int, total: Int)]>([:])
        _ = try fitter.fit(
            data,
            ExecutionOptions(
                threads: 2,
                progress: { [seen] progress in
                    seen.withLock { stages in
                        #expect(progress.done >= stages[progress.stage]?.done ?? 0)
                        stages[progress.stage] = (progress.done, progress.total)
                    }
                    return true
                }))
        let stages = seen.withLock { stages in stages.mapValues { [$0.done, $0.total] } }
        #expect(stages["nuisances"] != nil)
        if learner != .s, learner != .t { #expect(stages["effects"] != nil) }
        if isPlain { #expect(stages["intervals"]?[1] == 20) }
        for (stage, counts) in stages { #expect(counts[0] == counts[1] && counts[1] > 0, "\(stage)") }
        for stage in stages.keys {
            let error = #expect(throws: MetaLearnersError.self) {
                try fitter.fit(
                    data, ExecutionOptions(threads: 2, progress: { $0.stage != stage || $0.done < 1 }))
            }
            #expect(error?.kind == .cancelled, "\(stage)")
        }
    }

    @Test(
        "Nuisances fitted alone serve the fit, which then fits none and gives the same bytes",
        arguments: LearnerKind.allCases)
    func reuse(learner: LearnerKind) throws {
        let data = try SyntheticDataset.linear(rows: 120, seed: 4).dataset
        let fitter = try fitter(learner, [("prediction", "mean")])
        let known = try fitter.fitNuisances(data)
        #expect(Set(known.roles) == Set(fitter.nuisanceRoles(data)))
        let fits = Counter()
        let model = try fitter.fit(
            data, nuisances: known,
            ExecutionOptions(
                threads: 1,
                progress: { [fits] progress in
                    if progress.stage == "nuisances", progress.done > 0 { fits.add(1) }
                    return true
                }))
        // (The members of an ensemble need others than the loss.)
        if learner != .ensemble { #expect(fits.value == 0) }
        #expect(try model.encoded() == fitter.fit(data).encoded())
        // What a model hands on serves the same learner again.
        let again = try fitter.nuisances(of: model, fittedTo: data)
        #expect(Set(again.roles).isSuperset(of: known.roles))
        #expect(try fitter.fit(data, nuisances: again).encoded() == model.encoded())
    }

    @Test("auto refuses nuisances that it did not stack, and those of another seed")
    func foreignNuisances() throws {
        let data = try SyntheticDataset.linear(rows: 90, seed: 5).dataset
        let auto = try fitter(.auto)
        let ofDR = try fitter(.dr).fitNuisances(data)
        let ofOther = try fitter(.auto, [("seed", 2)]).fitNuisances(data, folds: ofDR.folds)
        for known in [ofDR, ofOther] {
            let error = #expect(throws: MetaLearnersError.self) {
                try auto.fit(data, folds: known.folds, nuisances: known)
            }
            #expect(error?.kind == .invalidArgument && error?.location == "nuisances")
        }
        let model = try auto.fit(data)
        let loaded = try CATEModel(bytes: model.encoded())
        for source in [loaded, try fitter(.dr).fit(data)] {
            let error = #expect(throws: MetaLearnersError.self) {
                try auto.nuisances(of: source, fittedTo: data)
            }
            #expect(error.says(.unsupported, "auto"))
        }
    }

    @Test("An ensemble's own nuisances are those of its loss", arguments: EffectLoss.allCases)
    func ensembleRoles(loss: EffectLoss) throws {
        let data = try SyntheticDataset.linear(rows: 90, seed: 6).dataset
        let fitter = try fitter(
            .ensemble, [("ensemble", ["members": ["s", "t"], "loss": .string(loss.rawValue)])])
        let wanted: [NuisanceRole] =
            loss == .r
            ? [.marginalOutcome(arm: 1), .armOutcome(0), .armOutcome(1), .propensity]
            : [.armOutcome(0), .armOutcome(1), .propensity]
        #expect(fitter.nuisanceRoles(data) == wanted)
        #expect(try fitter.fitNuisances(data).roles == wanted)
        #expect(try fitter.fit(data).nuisances?.roles == wanted)
    }

    @Test(
        "Every output of every model is an answer or an error, whatever the folds and effects of training rows",
        arguments: LearnerKind.allCases, CrossFittingSpec.InSample.allCases)
    func outputs(learner: LearnerKind, inSample: CrossFittingSpec.InSample) throws {
        let data = try SyntheticDataset.linear(rows: 100, seed: 7).dataset
        for folds in [1, 3] {
            for prediction in ["full", "mean", "median"] {
                let model: CATEModel
                do throws(MetaLearnersError) {
                    let spec: SpecValue = [
                        "folds": .integer(folds), "in_sample": .string(inSample.rawValue),
                    ]
                    let fitter = try MetaLearnerFitter(
                        self.spec(learner, [("cross_fitting", spec), ("prediction", .string(prediction))]))
                    model = try fitter.fit(data)
                } catch {
                    #expect(error.kind == .unsupported || error.kind == .invalidSpec)
                    continue
                }
                for output in PredictionRequest.Output.allCases {
                    for rows in [PredictionRows.new(data.covariates), .training, .trainingRows(data)] {
                        do throws(MetaLearnersError) {
                            let found = try model.predict(PredictionRequest(output), for: rows)
                            // (Individual intervals have no ends where an arm has too few rows like a row.)
                            let mayBeInfinite = output == .individualIntervals
                            #expect(
                                found.columns.enumerated().allSatisfy { index, values in
                                    values.count == 100
                                        && values.allSatisfy {
                                            $0.isFinite || mayBeInfinite && index % 3 > 0 && !$0.isNaN
                                        }
                                })
                        } catch {
                            #expect([.unsupported, .invalidArgument].contains(error.kind), "\(error)")
                        }
                    }
                }
            }
        }
    }

    private func spec(_ learner: LearnerKind, _ keys: [(String, SpecValue)]) throws(MetaLearnersError)
        -> MetaLearnerSpec
    {
        var object = SpecObject([("learner", .string(learner.rawValue))])
        if learner != .auto { object["models"] = Linear.models }
        for (key, value) in keys { object[key] = value }
        return try MetaLearnerSpec(.object(object))
    }

    @Test(
        "Known propensities that differ by row are each row's own, in the outcomes of auto and in members of an ensemble"
    )
    func knownPropensities() throws {
        let rows = 300
        var stream = RandomStream(seed: 8, path: 1)
        let x = (0..<rows).map { _ in stream.normal() }
        let share = x.map { $0 > 0 ? 0.8 : 0.2 }
        let arms = share.map { Int32(stream.uniform() < $0 ? 1 : 0) }
        let outcome = (0..<rows).map { x[$0] + Double(arms[$0]) * (1 + 2 * x[$0]) + 0.3 * stream.normal() }
        let table = try Table([
            Column("x", x), Column("w", arms.map(Double.init)), Column("y", outcome), Column("e", share),
        ])
        let data: SpecValue = ["treatment": "w", "outcome": "y", "propensity": "e"]
        let fitter = try fitter(.auto, [("data", data)])
        let dataset = try CausalDataset(table, fitter.spec.data)
        let model = try fitter.fit(dataset)
        let training = try #require(model.training)
        for fold in 0..<training.folds.count {
            let held = training.folds.rows(in: fold)
            var aligned = try AlignedRows(table.selecting(rows: held), model.schema, model.spec.data)
            let found = try model.armMeans(&aligned, model.fitted, .fold(fold), ExecutionContext())
            for arm in 0...1 {
                let known = held.map { training.nuisances.armOutcomes[arm]?[Int($0)] ?? .nan }
                #expect(Approximate.equal(found.armOutcomes[arm] ?? [], known, 1e-9))
            }
        }
        // The X-learner mixes by the propensity: within an ensemble it sees the row's own, too.
        let ensemble = try self.fitter(.ensemble, [("data", data), ("ensemble", ["members": ["x", "s"]])])
        let stack = try ensemble.fit(dataset)
        let opposite = try Table([Column("x", x), Column("e", share.map { 1 - $0 })])
        let own = try stack.predict(table).effects[0]
        #expect(try Approximate.largestDifference(own, stack.predict(opposite).effects[0]) > 1e-3)
    }
}
