import Foundation
import MetaLearnersCore
import MetaLearnersKit
import PluginEstimators
import Synchronization

/// Plug-ins that the tests compile, each once, into a folder of their own.
enum BuiltPlugin {
    /// The root of the package.
    static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent().path

    private static let folder: String = {
        let path = NSTemporaryDirectory() + "metalearners-plugins-\(getpid())"
        try? FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        return path
    }()
    private static let built = Mutex<Set<String>>([])

    /// Why a plug-in could not be compiled.
    struct CompilerFailure: Error, CustomStringConvertible {
        let description: String
    }

    /// The path of a plug-in compiled from a file of the package.
    static func path(_ source: String, as name: String, flags: [String] = []) throws -> String {
        let target = folder + "/" + name + ".so"
        try built.withLock { built in
            guard built.insert(name).inserted else { return }
            try compile(
                ["-std=c99", "-O1", "-g", "-Wall", "-Wextra", "-pedantic", "-Werror", "-fPIC", "-shared"]
                    + flags + [
                        "-I\(root)/include", root + "/" + source, "-o", target, "-lm", "-ldl", "-lpthread",
                    ])
        }
        return target
    }

    /// The plug-in of nearest neighbours of the examples.
    static func neighbours() throws -> String { try path("examples/plugin/knn.c", as: "knn") }

    /// The plug-in of LightGBM of the examples.
    static func lightGBM() throws -> String {
        try path("examples/plugin/lightgbm_plugin.c", as: "lightgbm_plugin")
    }

    /// A plug-in that misbehaves in one way.
    static func hostile(_ way: String) throws -> String {
        try path("Tests/PluginEstimatorsTests/Hostile/hostile.c", as: way, flags: ["-DHOSTILE=\(way)"])
    }

    /// A registry with one plug-in.
    static func registry(_ path: String) throws -> EstimatorRegistry {
        try EstimatorRegistry().loadingPlugin(at: path)
    }

    /// Whether LightGBM is there for its plug-in to use.
    static let hasLightGBM: Bool = {
        guard let path = try? lightGBM(), let registry = try? registry(path) else { return false }
        return (try? registry.makeEstimator(EstimatorChoice("lightgbm"), at: .root)) != nil
    }()

    private static func compile(_ arguments: [String]) throws {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = ["cc"] + arguments
        let pipe = Pipe()
        process.standardError = pipe
        try process.run()
        let said = pipe.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else {
            throw CompilerFailure(description: String(decoding: said, as: UTF8.self))
        }
    }
}
