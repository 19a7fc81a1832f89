import MetaLearners
import MetaLearnersCore
import MetaLearnersKit
import Synchronization
import Testing
import _TestSupport

@Suite("Cancellation of fits")
struct CancellationTests {
    /// Nested nuisances, repeats and resamples: every kind of task that there is.
    private static let spec: SpecValue = [
        "learner": "dr", "models": Linear.models, "intervals": ["method": "bootstrap", "samples": 20],
        "cross_fitting": ["folds": 3, "repeats": 2, "in_sample": "nested"],
    ]

    @Test(
        "A fit that is stopped at any point ends, holds on to nothing and spoils nothing", arguments: [1, 3])
    func anywhere(threads: Int) throws {
        let data = try SyntheticDataset.multiArm(rows: 90, seed: 1).dataset
        let fitter = try MetaLearnerFitter(MetaLearnerSpec(Self.spec))
        let calls = Mutex(0)
        let expected = try fitter.fit(
            data,
            ExecutionOptions(
                threads: threads,
                progress: { _ in
                    calls.withLock { $0 += 1 }
                    return true
                })
        ).encoded()
        let total = calls.withLock { $0 }
        #expect(total > 60)
        for stop in stride(from: 1, to: total, by: 7) {
            let seen = Mutex(0)
            weak var held: CancellationToken?
            do {
                let token = CancellationToken()
                held = token
                let options = ExecutionOptions(
                    threads: threads,
                    progress: { [weak token] _ in
                        if seen.withLock({
                            $0 += 1
                            return $0 == stop
                        }) {
                            token?.cancel()
                        }
                        return true
                    }, cancellation: token)
                let error = #expect(throws: MetaLearnersError.self) { try fitter.fit(data, options) }
                #expect(error?.kind == .cancelled)
            }
            // Work that went on would hold its token, and would report what it has done.
            #expect(held == nil)
            #expect(seen.withLock { $0 } <= stop + threads)
        }
        #expect(try fitter.fit(data, ExecutionOptions(threads: threads)).encoded() == expected)
    }

    @Test("Trees, whose bins the fits share, are stopped without a trace as well", arguments: [1, 3])
    func trees(threads: Int) throws {
        let models: SpecValue = [
            "outcome": ["backend": "trees", "trees": 5], "propensity": ["backend": "trees", "trees": 5],
            "effect": ["backend": "trees", "trees": 5],
        ]
        let fitter = try MetaLearnerFitter(Linear.spec(.x, models: models))
        let expected = try fitter.fit(SyntheticDataset.multiArm(rows: 90, seed: 1).dataset).encoded()
        for stop in [1, 2, 5, 9] {
            let data = try SyntheticDataset.multiArm(rows: 90, seed: 1).dataset
            let seen = Mutex(0)
            let options = ExecutionOptions(
                threads: threads,
                progress: { _ in
                    seen.withLock {
                        $0 += 1
                        return $0 < stop
                    }
                })
            let error = #expect(throws: MetaLearnersError.self) { try fitter.fit(data, options) }
            #expect(error?.kind == .cancelled)
            #expect(try fitter.fit(data, ExecutionOptions(threads: threads)).encoded() == expected)
        }
    }
}
