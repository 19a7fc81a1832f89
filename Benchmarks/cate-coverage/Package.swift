// swift-tools-version: 6.3
import PackageDescription

// The generators of the tests are linked in as files, so that both draw from the same laws.
let package = Package(
    name: "cate-coverage",
    platforms: [.macOS(.v15)],
    dependencies: [.package(name: "swift-metalearners", path: "../..")],
    targets: [
        .executableTarget(
            name: "cate-coverage",
            dependencies: [.product(name: "MetaLearnersKit", package: "swift-metalearners")],
            swiftSettings: [
                .swiftLanguageMode(.v6), .enableUpcomingFeature("MemberImportVisibility"),
                .enableUpcomingFeature("ExistentialAny"),
            ])
    ]
)
