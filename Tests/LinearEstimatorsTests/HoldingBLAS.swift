import Testing

@testable import LinearEstimators

/// Keeps BLAS on the calling thread while tests call what fits call.
struct HoldingBLAS: TestTrait, SuiteTrait, TestScoping {
    let isRecursive = true

    func provideScope(
        for test: Test, testCase: Test.Case?, performing function: @Sendable () async throws -> Void
    ) async throws {
        try BLASThreads.hold()
        defer { BLASThreads.release() }
        try await function()
    }
}

extension Trait where Self == HoldingBLAS {
    /// For suites that call the solvers themselves.
    static var holdingBLAS: Self { Self() }
}
