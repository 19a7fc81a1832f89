import Foundation
import MetaLearners
import MetaLearnersCore
import Testing

import metalearners_cli

@Suite("Plug-ins on the command line")
struct PluginCommandTests {
    private let folder: TemporaryFolder
    private let spec: String
    private let data: String
    private let plugin: String

    init() throws {
        folder = try TemporaryFolder()
        data = try folder.file("data.csv", Sample.csv())
        spec = try folder.file(
            "spec.yaml",
            """
            data: {treatment: w, outcome: y, exclude: [group]}
            learner: r
            models: {outcome: knn, propensity: logistic, effect: {backend: knn, neighbours: 20}}
            cross_fitting: {folds: 3}
            """)
        plugin = folder.path("knn.so")
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().path
        let built = try Program.shell(
            "cc -std=c99 -O1 -fPIC -shared -I'\(root)/include' '\(root)/examples/plugin/knn.c' -lm -o '\(plugin)'"
        )
        try #require(built.status == 0, "\(built.error)")
    }

    @Test("a plug-in from the command line, the spec or the environment gives the same model")
    func sources() throws {
        let option = try Program.run([
            "fit", spec, data, "-o", folder.path("a.model"), "--plugin", plugin, "--json",
        ])
        #expect(option.status == 0, "\(option.error)")
        let list = try folder.file("listed.yaml", "plugins: [knn.so]\n" + folder.text("spec.yaml"))
        let listed = try Program.run(["fit", list, data, "-o", folder.path("b.model"), "--json"])
        #expect(listed.status == 0, "\(listed.error)")
        let environment = try Program.shell(
            "METALEARNERS_PLUGIN_PATH='\(plugin)' '\(Program.executable)' fit '\(spec)' '\(data)' -o '\(folder.path("c.model"))'"
        )
        #expect(environment.status == 0, "\(environment.error)")
        let bytes = try ["a", "b", "c"].map {
            try Data(contentsOf: URL(fileURLWithPath: folder.path($0 + ".model")))
        }
        #expect(bytes[0] == bytes[1] && bytes[0] == bytes[2])

        let missing = try Program.run(["predict", folder.path("a.model"), data, "-o", "-"])
        #expect(missing.status == 2 && missing.output == "")
        #expect(missing.error.contains("'knn' 1.0.0") && missing.error.contains("--plugin"))
        let found = try Program.run(["predict", folder.path("a.model"), data, "-o", "-", "--plugin", plugin])
        #expect(found.status == 0, "\(found.error)")
        #expect(found.output.split(separator: "\n").count == 241)
        let average = try Program.run(["ate", folder.path("a.model"), data, "--plugin", plugin, "--json"])
        #expect(average.status == 0, "\(average.error)")
    }

    @Test("backends lists plug-ins with their file, and what could not be loaded")
    func backends() throws {
        let table = try Program.run(["backends", "--plugin", plugin])
        #expect(
            table.status == 0 && table.output.contains("knn.so")
                && table.output.contains("regression, weights"))
        let bad = try Program.shell(
            "METALEARNERS_PLUGIN_PATH='\(data)' '\(Program.executable)' backends --json")
        #expect(bad.status == 0 && bad.error.contains("data.csv"))
        let json = try bad.json()
        #expect(json["problems"]?.arrayValue?.count == 1)
        #expect(json["backends"]?.arrayValue?.isEmpty == false)
        let missing = try Program.run(["backends", "--plugin", "/no/such.so"])
        #expect(missing.status == 4 && missing.output == "")
    }

    @Test("backends --parameters says of each backend how it follows the common names")
    func parameters() throws {
        let table = try Program.run(["backends", "--parameters", "--plugin", plugin])
        #expect(table.status == 0)
        let json = try Program.run(["backends", "--parameters", "--json", "--plugin", plugin]).json()
        let backends = json["backends"]?.arrayValue?.compactMap { $0.objectValue } ?? []
        #expect(backends.count > 5)
        for backend in backends {
            let name = try #require(backend["name"]?.stringValue)
            #expect(table.output.contains(name + "\n"))
            let common = try #require(backend["common"]?.objectValue)
            #expect(Set(common.keys) == Set(CommonParameter.allCases.map(\.rawValue)))
            for (key, value) in common.entries {
                let kind = try #require(value.objectValue?["mapping"]?.stringValue, "\(name).\(key)")
                #expect(["exact", "approximate", "unsupported"].contains(kind))
            }
        }
        let ridge = try #require(backends.first { $0["name"] == "ridge" }?["common"]?.objectValue)
        #expect(ridge["l2"]?.objectValue?["mapping"] == "exact")
        #expect(ridge["trees"]?.objectValue?["mapping"] == "unsupported")
        let knn = try #require(backends.first { $0["name"] == "knn" })
        #expect(knn["parameters"]?.arrayValue?.first?.objectValue?["name"] == "neighbours")
    }

    @Test("a printed spec documents the parameters of a plug-in")
    func documents() throws {
        let printed = try Program.run([
            "spec", "--learner", "dr", "--plugin", plugin, "--set", "models.outcome=knn",
        ])
        #expect(printed.status == 0, "\(printed.error)")
        #expect(printed.output.contains("neighbours to average over"))
        #expect(printed.output.contains("neighbours: 10"))
    }
}
