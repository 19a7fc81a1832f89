import Foundation
import MetaLearnersCore
import Testing

import metalearners_cli

@Suite("Files that a command writes")
struct OutputFileTests {
    private let folder: TemporaryFolder
    private let spec: String
    private let data: String

    init() throws {
        folder = try TemporaryFolder()
        spec = try folder.file("spec.yaml", Sample.spec)
        data = try folder.file("data.csv", Sample.csv(rows: 60))
    }

    /// The bytes of every file in the folder, by name; links are followed.
    private func contents() throws -> [String: Data] {
        var all: [String: Data] = [:]
        for name in try folder.names() { all[name] = FileManager.default.contents(atPath: folder.path(name)) }
        return all
    }

    private func link(_ name: String, to target: String) throws -> String {
        try FileManager.default.createSymbolicLink(
            atPath: folder.path(name), withDestinationPath: target)
        return folder.path(name)
    }

    /// Checks that a run is refused as wrong usage before any work, and that every file is as it was.
    private func expectRefusal(
        _ arguments: [String], _ words: String..., at location: SourceLocation = #_sourceLocation
    ) throws {
        let before = try contents()
        let run = try Program.run(arguments)
        #expect(run.status == 2, "\(run.error)", sourceLocation: location)
        #expect(run.output == "", sourceLocation: location)
        #expect(run.error.filter { $0 == "\n" }.count == 1, "\(run.error)", sourceLocation: location)
        for word in words { #expect(run.error.contains(word), "\(run.error)", sourceLocation: location) }
        #expect(try contents() == before, "a file was touched", sourceLocation: location)
    }

    @Test("an output that is an input is refused, whatever path leads to it")
    func outputsAreNoInputs() throws {
        let model = folder.path("m.model")
        #expect(try Program.run(["fit", spec, data, "-o", model]).status == 0)
        let hard = folder.path("hard.csv")
        try FileManager.default.linkItem(atPath: data, toPath: hard)
        let soft = try link("soft.csv", to: "data.csv")
        let around = folder.path(
            "../" + URL(fileURLWithPath: folder.path("")).lastPathComponent + "/data.csv")
        for path in [data, hard, soft, around] {
            try expectRefusal(["fit", spec, data, "-o", path], "-o", "is the data file", "overwritten")
            try expectRefusal(["fit", spec, path, "-o", model, "--cates", data], "--cates", "the data file")
            try expectRefusal(["predict", model, data, "-o", path], "-o", "the data file")
        }
        try expectRefusal(["fit", spec, data, "-o", spec], "-o", "is the spec")
        try expectRefusal(["fit", spec, data, "-o", model, "--cates", spec], "--cates", "is the spec")
        try expectRefusal(["predict", model, data, "-o", model], "is the model")
        try expectRefusal(
            ["fit", spec, data, "-o", model, "--nuisances", model], "is the model of --nuisances")
        try expectRefusal(["fit", spec, data, "-o", Program.executable], "is this program")
    }

    @Test("two outputs are two files, there already or not")
    func outputsDiffer() throws {
        let both = folder.path("both")
        try expectRefusal(["fit", spec, data, "-o", both, "--cates", both], "--cates", "-o", "same file")
        let elsewhere = try link("elsewhere", to: "both")
        try expectRefusal(["fit", spec, data, "-o", both, "--cates", elsewhere], "same file")
        try expectRefusal(
            ["fit", spec, data, "-o", both, "--cates", folder.path("./both")], "same file")
        _ = try folder.file("both", "here already")
        try expectRefusal(["fit", spec, data, "-o", elsewhere, "--cates", both], "same file")
        let nothing = try Program.run(["fit", spec, data, "-o", "/dev/null", "--cates", "/dev/null"])
        #expect(nothing.status == 0, "\(nothing.error)")
    }

    @Test("a plug-in is an input too")
    func pluginsAreInputs() throws {
        let plugin = try folder.file("p.so", "no library")
        let named = try folder.file("plugged.yaml", Sample.spec + "\nplugins: [p.so]\n")
        for arguments in [
            ["fit", named, data, "-o", plugin], ["fit", spec, data, "-o", plugin, "--plugin", plugin],
        ] {
            let before = try contents()
            #expect(try Program.run(arguments).status != 0)
            #expect(try contents() == before)
        }
    }

    @Test("streams that the shell opened on a file count as that file")
    func redirectedStreams() throws {
        let model = folder.path("m.model")
        #expect(try Program.run(["fit", spec, data, "-o", model]).status == 0)
        let before = try contents()
        let program = "'\(Program.executable)'"
        let lines = [
            "\(program) predict '\(model)' - -o '\(data)' <'\(data)'",
            "\(program) predict '\(model)' '\(data)' -o - >>'\(data)'",
            "\(program) ate '\(spec)' '\(data)' >>'\(spec)'",
            "\(program) inspect '\(model)' >>'\(model)'",
            "\(program) fit '\(spec)' '\(data)' -o '\(folder.path("report"))' >>'\(folder.path("report"))'",
        ]
        for line in lines {
            let run = try Program.shell(line)
            #expect(run.status == 2, "\(line): \(run.error)")
            #expect(run.error.contains("is "), "\(run.error)")
        }
        var after = try contents()
        #expect(after.removeValue(forKey: "report") == Data())
        #expect(after == before)
    }

    @Test("a link stays a link: what it points to is written, there already or not")
    func linksAreWrittenThrough() throws {
        let model = try link("link.model", to: "real.model")
        let cates = try link("link.csv", to: "second.csv")
        _ = try link("second.csv", to: folder.path("real.csv"))
        for _ in 0..<2 {
            let run = try Program.run(["fit", spec, data, "-o", model, "--cates", cates])
            #expect(run.status == 0, "\(run.error)")
            for name in ["link.model", "link.csv", "second.csv"] {
                #expect(FileIdentity.isLink(folder.path(name)))
            }
            for name in ["real.model", "real.csv"] { #expect(!FileIdentity.isLink(folder.path(name))) }
            #expect(try CSVReader().read(folder.path("real.csv")).rowCount == 60)
        }
        let circle = try link("circle", to: "circle")
        let run = try Program.run(["fit", spec, data, "-o", circle])
        #expect(run.status == 4 && run.error.contains("leads nowhere"), "\(run.error)")
        #expect(FileIdentity.isLink(circle))
    }
}
