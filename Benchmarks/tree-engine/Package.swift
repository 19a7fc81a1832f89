// swift-tools-version: 6.3
import PackageDescription

let package = Package(
    name: "tree-engine-benchmark",
    platforms: [.macOS(.v15)],
    dependencies: [.package(name: "swift-metalearners", path: "../..")],
    targets: [
        .executableTarget(
            name: "tree-benchmark",
            dependencies: [.product(name: "MetaLearnersKit", package: "swift-metalearners")],
            swiftSettings: [.swiftLanguageMode(.v6)])
    ]
)
