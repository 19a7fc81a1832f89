import CFuzzTargets

/// Something that a fuzzer feeds with bytes: it returns, or there is a mistake.
package struct FuzzTarget: Sendable {
    /// The name, also that of its folder of seeds.
    package let name: String
    /// Runs one input.
    package let run: @Sendable (UnsafeBufferPointer<UInt8>) -> Void

    init(_ name: String, _ run: @escaping @Sendable (UnsafeBufferPointer<UInt8>) -> Void) {
        self.name = name
        self.run = run
    }

    /// A target behind the C interface.
    init(_ name: String, edge: @escaping @Sendable @convention(c) (UnsafePointer<UInt8>?, Int) -> Void) {
        self.init(name) { edge($0.baseAddress, $0.count) }
    }

    /// All targets.
    package static let all = [
        FuzzTarget("spec", edge: { fuzz_spec($0, $1) }),
        FuzzTarget("yaml") { readSpec($0, format: "yaml") },
        FuzzTarget("toml") { readSpec($0, format: "toml") },
        FuzzTarget("csv", readTable),
        FuzzTarget("formulas", exportFormulas),
        FuzzTarget("archive", edge: { fuzz_archive($0, $1) }),
        FuzzTarget("views", edge: { fuzz_views($0, $1) }),
        FuzzTarget("sparse", edge: { fuzz_sparse($0, $1) }),
        FuzzTarget("arrow", edge: { fuzz_arrow($0, $1) }),
        FuzzTarget("plugin", edge: { fuzz_plugin($0, $1) }),
    ]

    /// The target called `name`.
    package static func named(_ name: String) -> FuzzTarget? { all.first { $0.name == name } }
}
