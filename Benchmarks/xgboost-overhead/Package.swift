// swift-tools-version: 6.3
import PackageDescription

let package = Package(
    name: "xgboost-overhead",
    platforms: [.macOS(.v15)],
    dependencies: [.package(name: "swift-metalearners", path: "../..")],
    targets: [
        .target(name: "BareLoop", cSettings: [.unsafeFlags(["-O2"])]),
        .executableTarget(
            name: "overhead",
            dependencies: ["BareLoop", .product(name: "MetaLearnersKit", package: "swift-metalearners")],
            swiftSettings: [.swiftLanguageMode(.v6)]),
    ]
)
