// swift-tools-version: 6.3
import PackageDescription

let swiftSettings: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("ExistentialAny"),
]

/// Where BLAS and LAPACK are the system's own: Accelerate.
let apple: [Platform] = [.macOS, .macCatalyst, .iOS, .tvOS, .watchOS, .visionOS]

let package = Package(
    name: "swift-metalearners",
    platforms: [.macOS(.v15)],
    products: [
        .library(name: "MetaLearnersKit", targets: ["MetaLearnersKit"]),
        .library(name: "metalearners", type: .dynamic, targets: ["MetaLearnersABI"]),
        .executable(name: "metalearners-cli", targets: ["metalearners-command"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2")
    ],
    targets: [
        // The C ABI: headers only. Swift implements them in MetaLearnersABI.
        .target(name: "CMetaLearners", path: "include", publicHeadersPath: "."),

        .systemLibrary(
            name: "COpenBLAS", pkgConfig: "openblas",
            providers: [.apt(["libopenblas-dev"]), .brew(["openblas"])]),
        .systemLibrary(
            name: "CCSV",
            providers: [.apt(["libcsv-dev"]), .brew(["libcsv"])]),
        .systemLibrary(
            name: "CYAML", pkgConfig: "yaml-0.1",
            providers: [.apt(["libyaml-dev"]), .brew(["libyaml"])]),
        .systemLibrary(
            name: "CZLIB", pkgConfig: "zlib",
            providers: [.apt(["zlib1g-dev"]), .brew(["zlib"])]),

        .target(name: "CTreeKernels"),
        .target(name: "CForkWatch"),
        .target(
            name: "MetaLearnersCore", dependencies: ["CTreeKernels", "CForkWatch"],
            swiftSettings: swiftSettings),
        .target(
            name: "LinearEstimators",
            dependencies: [
                "MetaLearnersCore",
                .target(
                    name: "COpenBLAS", condition: .when(platforms: [.linux, .windows, .android, .openbsd])),
            ],
            swiftSettings: swiftSettings,
            linkerSettings: [.linkedFramework("Accelerate", .when(platforms: apple))]),
        .target(
            name: "TreeEstimators", dependencies: ["MetaLearnersCore", "CTreeKernels"],
            swiftSettings: swiftSettings),
        .target(
            name: "XGBoostEstimators", dependencies: ["MetaLearnersCore"], swiftSettings: swiftSettings),
        .target(
            name: "PluginEstimators", dependencies: ["CMetaLearners", "MetaLearnersCore"],
            swiftSettings: swiftSettings),
        // Formulas in other languages.
        .target(name: "FormulaExport", dependencies: ["MetaLearnersCore"], swiftSettings: swiftSettings),
        .target(
            name: "MetaLearners", dependencies: ["MetaLearnersCore", "PluginEstimators", "FormulaExport"],
            swiftSettings: swiftSettings),
        .target(
            name: "AutoLearner", dependencies: ["MetaLearnersCore", "MetaLearners"],
            swiftSettings: swiftSettings),
        .target(
            name: "CausalAnalysis", dependencies: ["MetaLearnersCore", "MetaLearners"],
            swiftSettings: swiftSettings),
        .target(
            name: "Reporting", dependencies: ["MetaLearnersCore", "CausalAnalysis"],
            swiftSettings: swiftSettings),
        .target(
            name: "Tuning", dependencies: ["MetaLearnersCore", "MetaLearners", "CausalAnalysis"],
            swiftSettings: swiftSettings),
        // Everything with every backend: what apps import.
        .target(
            name: "MetaLearnersKit",
            dependencies: [
                "MetaLearnersCore", "LinearEstimators", "TreeEstimators", "XGBoostEstimators",
                "PluginEstimators", "FormulaExport", "MetaLearners", "AutoLearner", "CausalAnalysis",
                "Reporting", "Tuning",
            ],
            swiftSettings: swiftSettings),
        .target(
            name: "MetaLearnersABI",
            dependencies: [
                "CMetaLearners", "MetaLearnersCore", "TreeEstimators", "PluginEstimators", "MetaLearners",
                "CausalAnalysis", "Reporting", "Tuning", "MetaLearnersKit",
            ],
            swiftSettings: swiftSettings),
        // The command line: a library, so that tests and fuzzers can reach its readers, and the program around it.
        .target(
            name: "metalearners-cli",
            dependencies: [
                "CCSV", "CYAML", "CZLIB", "MetaLearnersCore", "PluginEstimators", "FormulaExport",
                "MetaLearners",
                "CausalAnalysis", "Reporting", "Tuning", "MetaLearnersKit",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            swiftSettings: swiftSettings),
        .executableTarget(
            name: "metalearners-command", dependencies: ["metalearners-cli"], swiftSettings: swiftSettings),

        // A package of its own for those who read it, built here too so that the tests run it.
        .executableTarget(
            name: "swap-backends", dependencies: ["MetaLearnersKit"],
            path: "examples/swift/Sources", swiftSettings: swiftSettings),

        .target(
            name: "_TestSupport", dependencies: ["MetaLearnersCore"], path: "Tests/_TestSupport",
            swiftSettings: swiftSettings),
        .testTarget(
            name: "MetaLearnersCoreTests", dependencies: ["MetaLearnersCore", "_TestSupport"],
            exclude: ["Fixtures"],
            swiftSettings: swiftSettings),
        .testTarget(
            name: "LinearEstimatorsTests",
            dependencies: ["LinearEstimators", "MetaLearnersCore", "_TestSupport"],
            resources: [.copy("Fixtures")], swiftSettings: swiftSettings),
        .testTarget(
            name: "TreeEstimatorsTests",
            dependencies: ["TreeEstimators", "MetaLearnersCore", "_TestSupport"],
            resources: [.copy("Fixtures")], swiftSettings: swiftSettings),
        .testTarget(
            name: "XGBoostEstimatorsTests",
            dependencies: [
                "XGBoostEstimators", "MetaLearners", "MetaLearnersCore", "MetaLearnersKit", "_TestSupport",
            ],
            resources: [.copy("Fixtures")], swiftSettings: swiftSettings),
        .testTarget(
            name: "PluginEstimatorsTests",
            dependencies: [
                "PluginEstimators", "MetaLearners", "MetaLearnersCore", "MetaLearnersKit", "_TestSupport",
            ],
            exclude: ["Hostile"], swiftSettings: swiftSettings),
        .testTarget(
            name: "MetaLearnersTests",
            dependencies: [
                "MetaLearners", "AutoLearner", "CausalAnalysis", "FormulaExport", "LinearEstimators",
                "MetaLearnersCore", "MetaLearnersKit", "_TestSupport",
            ],
            resources: [.copy("Fixtures")], swiftSettings: swiftSettings),
        .testTarget(
            name: "CausalAnalysisTests",
            dependencies: [
                "CausalAnalysis", "MetaLearners", "MetaLearnersCore", "MetaLearnersKit", "_TestSupport",
            ],
            resources: [.copy("Fixtures")], swiftSettings: swiftSettings),
        .testTarget(
            name: "TuningTests",
            dependencies: [
                "Tuning", "CausalAnalysis", "MetaLearners", "MetaLearnersCore", "MetaLearnersKit",
                "TreeEstimators", "_TestSupport",
            ],
            resources: [.copy("Fixtures")], swiftSettings: swiftSettings),
        .testTarget(
            name: "ReportingTests",
            dependencies: [
                "Reporting", "CausalAnalysis", "MetaLearners", "MetaLearnersCore", "MetaLearnersKit",
                "_TestSupport",
            ], swiftSettings: swiftSettings),
        .testTarget(
            name: "DocumentationTests",
            dependencies: ["CausalAnalysis", "MetaLearners", "MetaLearnersCore", "MetaLearnersKit"],
            swiftSettings: swiftSettings),
        .testTarget(
            name: "CommandLineTests",
            dependencies: [
                "metalearners-cli", "metalearners-command", "swap-backends", "Reporting", "MetaLearners",
                "MetaLearnersCore", "MetaLearnersKit", "_TestSupport",
            ],
            resources: [.copy("Fixtures")], swiftSettings: swiftSettings),

        // What fuzzers feed with bytes (Tests/Fuzz/README.md), and a test that feeds them with what is stored.
        .target(
            name: "CFuzzTargets", dependencies: ["CMetaLearners", "MetaLearnersABI"], path: "Tests/Fuzz/Edge"),
        .target(
            name: "FuzzTargets",
            dependencies: [
                "CFuzzTargets", "metalearners-cli", "FormulaExport", "MetaLearners", "MetaLearnersCore",
                "MetaLearnersABI",
            ],
            path: "Tests/Fuzz/Targets", swiftSettings: swiftSettings),
        .testTarget(
            name: "FuzzTests", dependencies: ["FuzzTargets"], path: "Tests/Fuzz/Replay",
            swiftSettings: swiftSettings),
    ]
)

// The fuzzer itself links with libFuzzer, which no other build has: scripts/fuzz sets this and the flags.
if Context.environment["METALEARNERS_FUZZER"] != nil {
    package.targets.append(
        .executableTarget(
            name: "fuzzer", dependencies: ["FuzzTargets"], path: "Tests/Fuzz/Driver",
            swiftSettings: swiftSettings))
}
