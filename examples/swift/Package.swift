// swift-tools-version: 6.3
import PackageDescription

let package = Package(
    name: "swap-backends",
    platforms: [.macOS(.v15)],
    dependencies: [.package(name: "swift-metalearners", path: "../..")],
    targets: [
        .executableTarget(
            name: "swap-backends",
            dependencies: [.product(name: "MetaLearnersKit", package: "swift-metalearners")],
            path: "Sources")
    ]
)
