// swift-tools-version: 6.3
import PackageDescription

let package = Package(
    name: "forest-coverage-benchmark",
    platforms: [.macOS(.v15)],
    dependencies: [.package(name: "swift-metalearners", path: "../..")],
    targets: [
        .executableTarget(
            name: "forest-coverage",
            dependencies: [.product(name: "MetaLearnersKit", package: "swift-metalearners")],
            swiftSettings: [.swiftLanguageMode(.v6)])
    ]
)
