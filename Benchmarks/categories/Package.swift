// swift-tools-version: 6.3
import PackageDescription

let package = Package(
    name: "category-benchmark",
    platforms: [.macOS(.v15)],
    dependencies: [.package(name: "swift-metalearners", path: "../..")],
    targets: [
        .executableTarget(
            name: "category-benchmark",
            dependencies: [.product(name: "MetaLearnersKit", package: "swift-metalearners")])
    ]
)
