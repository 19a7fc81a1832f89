// swift-tools-version: 6.3
import PackageDescription

let kit: [Target.Dependency] = [.product(name: "MetaLearnersKit", package: "swift-metalearners")]

let package = Package(
    name: "learner-benchmark",
    platforms: [.macOS(.v15)],
    dependencies: [.package(name: "swift-metalearners", path: "../..")],
    targets: [
        .executableTarget(name: "learner-benchmark", dependencies: kit),
        .executableTarget(name: "archive-benchmark", dependencies: kit),
        .executableTarget(name: "arm-benchmark", dependencies: kit),
    ]
)
