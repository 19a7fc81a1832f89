import MetaLearners
import MetaLearnersCore
import MetaLearnersKit
import Synchronization
import Testing
import _TestSupport

@Suite("Execution of fits")
struct ExecutionTests {
    @Test("A memory limit changes no byte: fewer fits run side by side, or the fit is refused")
    func memory() throws {
        let data = try SyntheticDataset.multiArm(rows: 300, seed: 1).dataset
        let fitter = try MetaLearnerFitter(Linear.spec(.dr))
        let free = try fitter.fit(data, ExecutionOptions(threads: 3)).encoded()
        /// What a fit within the limit says beside its result; nil where it is refused.
        func notices(limit: Int) throws -> [String]? {
            let notices = Mutex<[String]>([])
            let options = ExecutionOptions(
                threads: 3, memoryLimit: limit, notice: { text in notices.withLock { $0.append(text) } })
            do {
                #expect(try fitter.fit(data, options).encoded() == free)
                return notices.withLock { $0 }
            } catch {
                #expect(error.kind == .outOfMemory && error.location == "memory_limit")
                return nil
            }
        }
        var refused = 1_000
        var held = 10_000_000
        #expect(try notices(limit: refused) == nil)
        #expect(try notices(limit: held) == [])
        while held - refused > 1 {
            let limit = (held + refused) / 2
            if try notices(limit: limit) == nil { refused = limit } else { held = limit }
        }
        // The least that is enough has room for one fit of the largest at a time, and the fit says so once.
        let texts = try #require(try notices(limit: held))
        #expect(texts.count == 1)
        #expect(texts.allSatisfy { $0.contains("fewer fits than threads") && $0.contains("MiB") })
    }

    @Test("Progress counts each stage from nothing to all of it")
    func progress() throws {
        let data = try SyntheticDataset.multiArm(rows: 120, seed: 1).dataset
        let seen = Mutex<[String: [Int]]>([:])
        let totals = Mutex<[String: Int]>([:])
        let options = ExecutionOptions(
            threads: 2,
            progress: { progress in
                seen.withLock { $0[progress.stage, default: []].append(progress.done) }
                totals.withLock { $0[progress.stage] = progress.total }
                return true
            })
        _ = try MetaLearnerFitter(Linear.spec(.dr)).fit(data, options)
        // Three arm outcomes and the propensity in three folds; the check of overlap in three folds; two effects in three
        // folds and on all rows.
        #expect(totals.withLock { $0 } == ["nuisances": 12, "overlap": 3, "effects": 8])
        #expect(
            seen.withLock { $0 }
                == ["nuisances": Array(0...12), "overlap": Array(0...3), "effects": Array(0...8)])
    }

    @Test(
        "Names of clusters do not matter, and every learner keeps clusters whole",
        arguments: LearnerKind.allCases)
    func clusters(learner: LearnerKind) throws {
        let data = try SyntheticDataset.multiArm(rows: 150, seed: 4).dataset
        func clustered(_ name: (Int) -> Int32) throws(MetaLearnersError) -> CausalDataset {
            try CausalDataset(
                covariates: data.covariates, treatment: data.treatment, outcome: data.outcome,
                clusters: (0..<150).map { name($0 / 5) })
        }
        let models = DeterminismTests.trees
        let plain = try Linear.fit(clustered { Int32($0) }, learner, models: models)
        let renamed = try Linear.fit(clustered { Int32(7000 - 3 * $0) }, learner, models: models)
        #expect(plain.trainingEffects == renamed.trainingEffects)
        let folds = try #require(plain.training?.folds.folds)
        for row in 0..<150 { #expect(folds[row] == folds[row / 5 * 5]) }
    }

    @Test("The documentation's table of learners is that of the types")
    func table() throws {
        let path = #filePath.replacing(
            "Tests/MetaLearnersTests/ExecutionTests.swift", with: "docs/learners.md")
        let text = String(decoding: try AtomicFile.read(path), as: UTF8.self)
        #expect(text.contains(Registry.default.referenceTable))
    }
}
