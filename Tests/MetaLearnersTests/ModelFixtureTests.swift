import MetaLearners
import MetaLearnersCore
import MetaLearnersKit
import Testing
import _TestSupport

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

@Suite("Model files of earlier versions")
struct ModelFixtureTests {
    @Test(
        "A model file that was written once is read for ever and predicts the same",
        arguments: ModelFixture.recipes)
    func predictsTheSame(recipe: ModelFixture.Recipe) throws {
        if ProcessInfo.processInfo.environment["METALEARNERS_WRITE_FIXTURES"] == "1" {
            try ModelFixture.write(recipe)
        }
        let model = try CATEModel(contentsOf: ModelFixture.path(recipe.name + ".model"))
        let stored = try Fixture("models/format\(ModelFixture.version)_\(recipe.name)")
        let expected = try stored.part("predictions")
        let predictions = try ModelFixture.predictions(model)
        #expect(Set(predictions.keys) == Set(expected.value.objectValue?.keys ?? []))
        for output in predictions.keys {
            let columns = try #require(predictions[output]?.objectValue)
            #expect(try Set(columns.keys) == Set(expected.part(output).value.objectValue?.keys ?? []))
            for name in columns.keys {
                let now = (columns[name]?.arrayValue ?? []).map { $0.doubleValue ?? .nan }
                let then = try expected.part(output).numbers(name)
                #expect(now.count == then.count)
                for (now, then) in zip(now, then) {
                    #expect(
                        now.isNaN && then.isNaN || abs(now - then) <= 1e-9 * max(1, abs(then)),
                        "\(output).\(name)")
                }
            }
        }
        #expect(try model.trainingEffects == stored.lists("training_effects"))
    }

    @Test("What is written today is of the version that the fixtures are of")
    func version() throws {
        let data = try SyntheticDataset.linear(rows: 40, seed: 1).dataset
        let bytes = try Linear.fit(data, .t).encoded()
        #expect(Int(bytes[8]) == ModelFixture.version && bytes[9...15].allSatisfy { $0 == 0 })
    }
}
