import MetaLearnersCore
import MetaLearnersKit
import Testing
import _TestSupport

@testable import MetaLearners

@Suite("Model archive")
struct ArchiveTests {
    /// A small dataset with everything that an archive must hold: categories, missing values, weights, clusters.
    private func mixed(binary: Bool = false) throws -> CausalDataset {
        let data =
            binary
            ? try SyntheticDataset.binary(rows: 90, seed: 2)
            : try SyntheticDataset.multiArm(rows: 90, seed: 2)
        var columns = Array(data.covariates.columns.dropFirst())
        columns.append(
            Column(
                "gaps",
                data.covariates.columns[0].values.doubles().enumerated().map { $0 % 8 == 0 ? .nan : $1 }))
        columns.append(
            Column("kind", categories: (0..<90).map { $0 % 11 == 0 ? nil : ["a", "b", "é"][$0 % 3] }))
        return try CausalDataset(
            covariates: Table(columns), treatment: data.treatment, outcome: data.dataset.outcome,
            weights: (0..<90).map { 1 + Double($0 % 4) }, clusters: (0..<90).map { Int32($0 / 3) })
    }

    private func models(_ backend: String, binary: Bool) -> SpecValue {
        let trees: SpecValue = ["backend": "trees", "trees": 4]
        let effect: SpecValue = backend == "trees" ? trees : ["backend": "ridge"]
        let outcome: SpecValue = backend == "trees" ? trees : ["backend": binary ? "logistic" : "ridge"]
        return ["outcome": outcome, "propensity": ["backend": "logistic"], "effect": effect]
    }

    private func bits(_ effects: [[Double]]) -> [[UInt64]] { effects.map { $0.map(\.bitPattern) } }

    @Test(
        "A model that is read back is the same in every bit", arguments: LearnerKind.allCases,
        ["trees", "linear"])
    func roundTrip(learner: LearnerKind, backend: String) throws {
        for binary in [false, true] {
            let data = try mixed(binary: binary)
            let model = try Linear.fit(data, learner, models: models(backend, binary: binary))
            let bytes = model.encoded()
            let read = try CATEModel(bytes: bytes)
            #expect(read.encoded() == bytes)
            #expect(read.trainingEffects == model.trainingEffects)
            #expect(read.training == model.training)
            #expect(read.completeSpec == model.completeSpec)
            #expect(read.schema == model.schema)
            #expect(read.warnings == model.warnings)
            #expect(read.armLabels == model.armLabels && read.armCounts == model.armCounts)
            #expect(read.outcomeKind == model.outcomeKind && read.overlap == model.overlap)
            #expect(
                try bits(read.predict(data.covariates).effects)
                    == bits(model.predict(data.covariates).effects))
        }
    }

    @Test("A model survives its file; a file that is not there is an error with its name")
    func files() throws {
        let data = try mixed()
        let model = try Linear.fit(data, .dr, models: models("linear", binary: false))
        var stream = SystemRandomNumberGenerator()
        let path = "/tmp/metalearners-archive-\(stream.next()).model"
        try model.save(to: path)
        #expect(try CATEModel(contentsOf: path).encoded() == model.encoded())
        let missing = #expect(throws: MetaLearnersError.self) { try CATEModel(contentsOf: path + ".none") }
        #expect(missing?.kind == .inputOutput)
        #expect(missing?.description.contains(path) == true)
        let nowhere = #expect(throws: MetaLearnersError.self) { try model.save(to: "/nowhere/at/all/model") }
        #expect(nowhere?.kind == .inputOutput)
        let folder = #expect(throws: MetaLearnersError.self) { try CATEModel(contentsOf: "/tmp") }
        #expect(folder?.kind == .inputOutput)
        try AtomicFile.write([], to: path)
        let empty = #expect(throws: MetaLearnersError.self) { try CATEModel(contentsOf: path) }
        #expect(empty?.kind == .corruptModel)
    }

    @Test("A file cut short anywhere is refused as damaged")
    func truncated() throws {
        let bytes = try Linear.fit(mixed(), .x, models: models("linear", binary: false)).encoded()
        for length in stride(from: 0, to: bytes.count, by: 97) {
            let error = #expect(throws: MetaLearnersError.self) {
                try CATEModel(bytes: Array(bytes.prefix(length)))
            }
            #expect(error?.kind == .corruptModel)
        }
        let longer = #expect(throws: MetaLearnersError.self) { try CATEModel(bytes: bytes + [0]) }
        #expect(longer?.kind == .corruptModel)
    }

    @Test("A byte altered anywhere is refused")
    func altered() throws {
        let bytes = try Linear.fit(mixed(), .t, models: models("linear", binary: false)).encoded()
        // Eight bytes of a name, four of the format's version, and what the checksum is over.
        for position in Array(0..<24) + stride(from: 24, to: bytes.count, by: 211) {
            var other = bytes
            other[position] ^= 0x20
            let error = #expect(throws: MetaLearnersError.self) { try CATEModel(bytes: other) }
            switch position {
            case 0..<8: #expect(error.says(.corruptModel, "does not begin with MTLRCATE"))
            case 8..<12: #expect(error.says(.incompatibleModel, "this version reads up to"))
            default: #expect(error.says(.corruptModel, "its checksum is wrong"))
            }
        }
    }

    @Test(
        "Altered bytes under a right checksum give an error or a model, never a trap",
        arguments: LearnerKind.allCases)
    func hostile(learner: LearnerKind) throws {
        let data = try mixed()
        for backend in ["linear", "trees"] {
            let bytes = try Linear.fit(data, learner, models: models(backend, binary: false)).encoded()
            var stream = RandomStream(seed: 5)
            for _ in 0..<150 {
                var other = Array(bytes.dropLast(8))
                for _ in 0...stream.integer(below: 3) {
                    other[12 + stream.integer(below: other.count - 12)] = UInt8(
                        truncatingIfNeeded: stream.next())
                }
                if stream.bernoulli(0.3) { other = Array(other.prefix(stream.integer(below: other.count))) }
                var writer = BinaryWriter()
                writer.write(ModelArchive.checksum(other[...]))
                guard let model = try? CATEModel(bytes: other + writer.bytes) else { continue }
                _ = try? model.predict(data.covariates)
                _ = model.encoded()
            }
        }
    }

    @Test("A file of a later format says so")
    func laterFormat() throws {
        var bytes = try Linear.fit(mixed(), .t, models: models("linear", binary: false)).encoded()
        bytes[8] = 99
        let error = #expect(throws: MetaLearnersError.self) { try CATEModel(bytes: bytes) }
        #expect(error?.kind == .incompatibleModel)
    }

    @Test("A model of a backend that is not registered names it")
    func unknownBackend() throws {
        let bytes = try Linear.fit(mixed(), .t, models: models("linear", binary: false)).encoded()
        let error = #expect(throws: MetaLearnersError.self) {
            try CATEModel(bytes: bytes, registry: Registry())
        }
        #expect(error.says(.unsupported, "'ridge'"))
    }

    @Test("Many injected folds survive the archive")
    func manyFolds() throws {
        let data = try SyntheticDataset.linear(rows: 600, seed: 2).dataset
        let folds = try FoldAssignment((0..<600).map { Int32($0 / 2) }, count: 300)
        let models: SpecValue = [
            "outcome": ["backend": "constant"], "propensity": ["backend": "constant"],
            "effect": ["backend": "constant"],
        ]
        let model = try Linear.fit(data, .t, models: models, injecting: folds)
        #expect(try CATEModel(bytes: model.encoded()).training == model.training)
    }

    @Test("A record of training rows whose nuisances are incomplete is refused")
    func incompleteNuisances() throws {
        let data = try SyntheticDataset.linear(rows: 20, seed: 2).dataset
        let training = try #require(try Linear.fit(data, .t).training)
        var bare = NuisanceEstimates(rowCount: 20, armCount: 2)
        let half = [Double](repeating: 0.5, count: 20)
        var noPropensities = bare
        noPropensities.armOutcomes = [0: half, 1: half]
        bare.propensities = [half, half]
        var oneArm = bare
        oneArm.armOutcomes = [0: half]
        var complete = bare
        complete.marginalOutcomes = [1: half]
        for (nuisances, isComplete) in [
            (bare, true), (noPropensities, false), (oneArm, false), (complete, true),
        ] {
            let record = TrainingRecord(
                data, repeats: training.repeats, nuisances: nuisances, effects: training.effects,
                fingerprint: 1)
            var writer = BinaryWriter()
            record.encode(to: &writer)
            var reader = BinaryReader(writer.bytes[...])
            let read = try? TrainingRecord(from: &reader, armCount: 2)
            #expect(read == (isComplete ? record : nil))
        }
    }
}
