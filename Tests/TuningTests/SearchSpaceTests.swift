import MetaLearnersCore
import MetaLearnersKit
import Testing
import _TestSupport

@testable import Tuning

@Suite("Search spaces")
struct SearchSpaceTests {
    private func tuning(_ value: SpecValue) throws -> TuningSpec {
        try TuningSpec(value, at: SpecPath.root.appending("tuning"))
    }

    private func error(_ value: SpecValue) -> MetaLearnersError? {
        do throws(MetaLearnersError) {
            _ = try Tuner(
                MetaLearnerSpec(),
                TuningSpec(value, at: SpecPath.root.appending("tuning")), registry: .default)
            return nil
        } catch {
            return error
        }
    }

    @Test("A grid has every combination, ranges at evenly spread points")
    func grid() throws {
        let tuning = try tuning([
            "learners": ["r"],
            "models": [
                "effect": [
                    [
                        "backend": "trees", "trees": [25, 50],
                        "learning_rate": ["low": 0.01, "high": 1, "log": true, "points": 3],
                    ],
                    ["backend": "ridge"],
                ]
            ],
        ])
        let settings = try Tuner(MetaLearnerSpec(), tuning, registry: .default).settings[.effect] ?? []
        #expect(settings.count == 7)
        #expect(settings[6]["backend"] == "ridge")
        let rates = settings.prefix(3).compactMap { $0["learning_rate"]?.doubleValue }
        #expect(Approximate.equal(rates, [0.01, 0.1, 1], 1e-12))
        // The section is read back as it is written.
        #expect(try TuningSpec(tuning.specValue, at: .root) == tuning)
    }

    @Test("Integers of a range are equally likely, the ends included")
    func integers() throws {
        let space = try ParameterSpace(["low": 1, "high": 4, "integer": true], at: .root)
        let values = (0..<400).map { space.value(at: (Double($0) + 0.5) / 400).integerValue ?? 0 }
        for value in 1...4 { #expect(values.filter { $0 == value }.count == 100) }
        #expect(space.grid == [1, 2, 3, 4])
    }

    @Test("Without a backend, settings change the spec's own model")
    func ownModel() throws {
        var spec = MetaLearnerSpec()
        spec.learner = .r
        spec.models.effect = RoleModelSpec("trees", ["max_leaves": 6])
        let tuning = try tuning(["models": ["effect": ["trees": [5, 10]]]])
        let settings = try Tuner(spec, tuning, registry: .default).settings[.effect] ?? []
        #expect(settings.map { $0["max_leaves"] } == [6, 6] && settings.map { $0["trees"] } == [5, 10])
    }

    @Test("What is wrong is named, with the nearest name")
    func refusals() {
        #expect(error(["modles": [:]]).says(.invalidSpec, "tuning.modles", "models"))
        #expect(error(["models": ["efect": "ridge"]]).says(.invalidSpec, "tuning.models.efect", "effect"))
        #expect(
            error(["models": ["effect": ["backend": "trees", "tres": [5]]]]).says(
                .invalidSpec, "tuning.models.effect.tres", "trees"))
        #expect(error(["models": ["effect": ["backend": "treees"]]]).says(.invalidSpec, "treees", "trees"))
        #expect(error(["models": ["effect": ["trees": [0]]]]).says(.invalidSpec, "trees"))
        #expect(
            error(["models": ["effect": ["trees": ["low": 5, "high": 2]]]]).says(.invalidSpec, "below high"))
        #expect(
            error(["models": ["effect": ["l2": ["low": 0, "high": 2, "log": true]]]]).says(
                .invalidSpec, "above 0"))
        #expect(error(["models": ["effect": ["l2": ["low": 0.1]]]]).says(.invalidSpec, "low and high"))
        #expect(error(["models": ["effect": ["l2": []]]]).says(.invalidSpec, "no value"))
        #expect(error(["learners": ["rr"]]).says(.invalidSpec, "rr"))
        #expect(error(["score": "r_los"]).says(.invalidSpec, "r_loss"))
    }

    @Test("The Sobol sequence is SciPy's")
    func sobol() throws {
        let fixture = try Fixture("sobol")
        let expected = try #require(fixture.value.objectValue?["points"]?.arrayValue)
        var sequence = try #require(SobolSequence(dimension: 21, seed: nil))
        for point in expected {
            #expect(sequence.next() == point.arrayValue?.compactMap(\.doubleValue))
        }
        #expect(SobolSequence(dimension: 22, seed: nil) == nil)
    }

    @Test("Draws fill the space evenly, are the same for the same seed, and have no doubles")
    func draws() throws {
        let spaces = [
            BackendSpace(
                "trees", [("learning_rate", try ParameterSpace(["low": 0.0001, "high": 1], at: .root))]),
            BackendSpace("ridge"),
        ]
        for sampling in TuningSpec.Sampling.allCases {
            let sampler = CandidateSampler(sampling: sampling, seed: 3)
            let drawn = sampler.draw(spaces, 16)
            #expect(drawn == sampler.draw(spaces, 16) && drawn.count == 16)
            #expect(drawn.filter { $0["backend"] == "ridge" }.count == 1)
            let rates = drawn.compactMap { $0["learning_rate"]?.doubleValue }
            #expect(rates.contains { $0 < 0.25 } && rates.contains { $0 > 0.75 })
        }
        // A space of few values has no more settings than values.
        let few = [BackendSpace("trees", [("trees", .values([1, 2, 3]))])]
        #expect(CandidateSampler(sampling: .sobol, seed: 1).draw(few, 10).count == 3)
        let points = CandidateSampler.latinHypercube(3, 10, seed: 5)
        for coordinate in 0..<3 {
            #expect(Set(points.map { Int($0[coordinate] * 10) }).count == 10)
        }
    }

    @Test("Rounds of halving keep their budget")
    func rounds() {
        var halving = HalvingSpec()
        for (factor, least, count) in [(3.0, 0.01, 81), (2, 0.1, 40), (4, 0.2, 7), (3, 0.1, 1), (3, 0.1, 2)] {
            halving.factor = factor
            halving.leastShare = least
            let shares = halving.shares(count)
            #expect(shares.last == 1 && shares.allSatisfy { $0 >= least })
            var left = count
            for (share, next) in zip(shares, shares.dropFirst()) {
                #expect(abs(next / share - factor) < 1e-9)
                // What a round costs is no more than the first, but for rounding up.
                #expect(Double(left) * share <= Double(count) * shares[0] + share)
                left = halving.survivors(of: left)
            }
            #expect(left >= 1)
        }
    }
}
