import Foundation
import MetaLearners
import MetaLearnersCore
import MetaLearnersKit
import Testing

/// A model's C source, compiled and loaded.
struct CompiledExport {
    /// Why a source could not be compiled.
    struct CompilerFailure: Error, CustomStringConvertible {
        let description: String
    }

    private let all: @convention(c) (UnsafePointer<Double>, UnsafeMutablePointer<Double>) -> Void
    private let first: @convention(c) (UnsafePointer<Double>) -> Double
    private let outputCount: Int

    /// Compiles a document's source without a warning under all that C compilers commonly warn of.
    init(_ document: FormulaDocument, name: String = "predict") throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent(
            "export-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let source = folder.appendingPathComponent("model.c").path
        let library = folder.appendingPathComponent("model.so").path
        try Data(CSourceExport(document, name: name).text.utf8).write(to: URL(fileURLWithPath: source))
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = [
            "cc", "-std=c99", "-O1", "-Wall", "-Wextra", "-pedantic", "-Werror", "-fPIC", "-shared", source,
            "-o",
            library, "-lm",
        ]
        let pipe = Pipe()
        process.standardError = pipe
        try process.run()
        let said = pipe.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else {
            throw CompilerFailure(description: String(decoding: said.prefix(2000), as: UTF8.self))
        }
        // (It stays loaded: the functions are used as long as the tests run.)
        let handle = try #require(dlopen(library, RTLD_NOW | RTLD_LOCAL))
        all = unsafeBitCast(
            try #require(dlsym(handle, name + "_all")),
            to: (@convention(c) (UnsafePointer<Double>, UnsafeMutablePointer<Double>) -> Void).self)
        first = unsafeBitCast(
            try #require(dlsym(handle, name)), to: (@convention(c) (UnsafePointer<Double>) -> Double).self)
        outputCount = document.names.count
    }

    /// All outputs of a row.
    func callAsFunction(_ row: [Double]) -> [Double] {
        var results = [Double](repeating: 0, count: outputCount)
        all(row, &results)
        return results
    }

    /// What the function of the first output alone gives.
    func predict(_ row: [Double]) -> Double { first(row) }
}
