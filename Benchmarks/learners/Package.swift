// swift-tools-version: 6.3
import PackageDescription

let package = Package(
    name: "learner-benchmark",
    dependencies: [.package(name: "swift-metalearners", path: "../..")],
    targets: [
        .executableTarget(
            name: "learner-benchmark",
            dependencies: [.product(name: "MetaLearnersKit", package: "swift-metalearners")])
    ]
)
