import MetaLearnersCore
import Testing

@testable import LinearEstimators

@Suite struct BLASThreadsTests {
    @Test("BLAS runs on one thread within a fit, however many fits there are, and an error is no exception")
    func oneThread() throws {
        try BLASThreads.single { () throws(MetaLearnersError) in
            try BLASThreads.single { () throws(MetaLearnersError) in #expect(BLAS.threads == 1)
            }
            _ = try? BLASThreads.single { () throws(MetaLearnersError) in
                throw MetaLearnersError(.cancelled, "stopped")
            }
            #expect(BLAS.threads == 1)
        }
    }
}
