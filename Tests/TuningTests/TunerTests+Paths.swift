import MetaLearnersCore
import MetaLearnersKit
import Testing
import _TestSupport

@testable import Tuning

/// Every kind of learner, data and fit as a candidate.
extension TunerTests {
    @Test("Every learner can be a candidate, auto and ensemble too", arguments: LearnerKind.allCases)
    func everyLearner(_ learner: LearnerKind) throws {
        let data = try SyntheticDataset.linear(rows: 240, seed: 15).dataset
        for share in [0.0, 0.3] {
            let space: SpecValue = [
                "learners": .array([.string(learner.rawValue)]), "score": "dr_loss",
                "validation_share": .number(share),
                "models": ["effect": ["l2": [0.1, 10]]],
            ]
            let base = spec(learner == .auto ? .dr : learner, folds: 3) {
                if learner == .ensemble { $0.ensemble.members = [MemberSpec("t"), MemberSpec("r")] }
            }
            let result = try Tuner(base, tuning(space), registry: .default).run(data)
            #expect(result.best?.learner == learner, "\(result.candidates.compactMap(\.note))")
            // An ensemble weights its members by all folds: there is no model of it without one of them.
            #expect((result.best?.trainScore?.isFinite ?? false) || learner == .ensemble && share == 0)
            #expect(result.candidates.allSatisfy { $0.score?.isFinite == true })
        }
    }

    @Test(
        "Several arms, classes, weights, clusters, known propensities, trimming, repeats, nested: an answer or a note"
    )
    func everyPath() throws {
        func search(
            _ dataset: CausalDataset, _ learners: [SpecValue], _ changes: SpecValue = [:],
            _ change: (inout MetaLearnerSpec) -> Void = { _ in }
        ) throws -> TuningResult {
            var space = changes.objectValue ?? SpecObject()
            space["learners"] = .array(learners)
            space["models"] = [
                "effect": ["backend": "trees", "trees": [2, 4]], "outcome": ["l2": [0.1, 1]],
            ]
            return try Tuner(spec(.r, folds: 3, change), tuning(.object(space)), registry: .default).run(
                dataset)
        }
        let arms = try SyntheticDataset.multiArm(rows: 300, seed: 16).dataset
        for joint in [false, true] {
            for score in ["r_loss", "dr_loss", "x_loss", "rate"] {
                let result = try search(arms, ["r", "x", "t", "dr"], ["score": .string(score)]) {
                    if joint { $0.multiArm = .joint }
                }
                #expect(result.candidates.allSatisfy { $0.score?.isFinite == true }, "\(score) \(joint)")
                #expect(result.candidates.allSatisfy { $0.trainScore?.isFinite == true })
            }
        }
        let classes = try arms.replacing(
            outcome: Outcome(
                arms.outcome.values.map { $0 < -0.5 ? 0 : $0 < 1 ? 1 : 2 },
                kind: .classes(labels: ["a", "b", "c"])))
        let ofClasses = try search(classes, ["s", "t", "r"]) { $0.models.outcome = RoleModelSpec("logistic") }
        for candidate in ofClasses.candidates where candidate.learner != .r {
            #expect(candidate.score?.isFinite == true && ofClasses.score == .drLoss)
        }
        #expect(
            ofClasses.candidates.filter { $0.learner == .r }.allSatisfy {
                $0.note?.contains("classes") == true
            })

        let linear = try SyntheticDataset.linear(rows: 300, seed: 17)
        let weights = (0..<300).map { Double($0 % 3) }
        let clusters = (0..<300).map { Int32($0 / 5) }
        let awkward = try CausalDataset(
            covariates: linear.covariates, treatment: linear.treatment, outcome: linear.dataset.outcome,
            weights: weights, clusters: clusters)
        let known = try linear.dataset.replacing(knownPropensities: linear.propensities)
        for dataset in [awkward, known] {
            for share in [0.0, 0.25] {
                let result = try search(dataset, ["r", "ra", "s"], ["validation_share": .number(share)])
                #expect(result.candidates.allSatisfy { $0.score?.isFinite == true })
            }
        }
        #expect(try search(known, ["r"]).nuisances.allSatisfy { $0.role == .outcome })
        for change: (inout MetaLearnerSpec) -> Void in [
            { $0.crossFitting.repeats = 2 }, { $0.crossFitting.inSample = .nested },
            { $0.overlap.policy = .trim }, { $0.prediction = .median },
        ] {
            for share in [0.0, 0.25] {
                let result = try search(
                    linear.dataset, ["r", "ra", "t"], ["validation_share": .number(share)], change)
                #expect(
                    result.candidates.allSatisfy { $0.score?.isFinite == true },
                    "\(result.candidates.compactMap(\.note))")
            }
        }
    }

    @Test("A candidate that cannot be fitted has a note, and the others have their scores")
    func failures() throws {
        let columns = try SyntheticDataset.linear(rows: 200, seed: 18)
        let values = columns.covariates.columns[0].values.doubles()
        let gaps = try columns.dataset.replacing(
            covariates: Table([
                Column("x1", values.enumerated().map { $0 % 9 == 0 ? .nan : $1 }),
                columns.covariates.columns[1],
            ]))
        let space: SpecValue = [
            "models": [
                "outcome": "trees", "propensity": "trees",
                "effect": ["trees", ["backend": "memorising", "must_have_seen": 99]],
            ]
        ]
        let registry = Registry.default.registering(MemorisingEstimator.self)
        let result = try Tuner(
            spec(.dr), tuning(space), registry: registry
        ).run(gaps)
        let failed = result.candidates.filter { $0.score == nil }
        #expect(failed.count == 1 && failed[0].note?.contains("never saw") == true)
        #expect(result.best?.models[.effect]?["backend"] == "trees")
        #expect(result.findings.contains { $0.contains("could not be fitted") })
    }

    @Test("What cannot be judged is refused before anything is fitted")
    func refusals() throws {
        let data = try SyntheticDataset.linear(rows: 100, seed: 19).dataset
        func error(
            _ space: SpecValue, validation: CausalDataset? = nil,
            _ change: (inout MetaLearnerSpec) -> Void = { _ in }
        )
            -> MetaLearnersError?
        {
            do throws(MetaLearnersError) {
                _ = try Tuner(
                    spec(.r, change), TuningSpec(space, at: SpecPath.root.appending("tuning")),
                    registry: .default
                ).run(data, validation: validation)
                return nil
            } catch {
                return error
            }
        }
        #expect(
            error([:]) { $0.crossFitting.folds = 1 }.says(
                .invalidSpec, "cross_fitting.folds", "validation_share"))
        #expect(error([:]) { $0.crossFitting.inSample = .full }.says(.unsupported, "in_sample"))
        #expect(error(["validation_share": 0.2], validation: data).says(.invalidArgument, "validation_share"))
        let arms = try SyntheticDataset.multiArm(rows: 100, seed: 20).dataset
        #expect(error([:], validation: arms).says(.invalidData, "validation", "arms"))
    }
}
