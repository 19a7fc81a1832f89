import MetaLearnersCore

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// Numbers in memory that BLAS works on: zeros at first, aligned to a cache line, so that the same numbers are
/// always summed in the same order.
///
/// Those who share one between threads write to different parts of it, or none: hence `@unchecked`.
final class DoubleBuffer: @unchecked Sendable {
    /// The first number.
    let start: UnsafeMutablePointer<Double>
    /// How many there are.
    let count: Int

    /// Makes `count` zeros.
    ///
    /// - Throws: `outOfMemory`.
    init(_ count: Int) throws(MetaLearnersError) {
        let (size, overflow) = max(count, 1).multipliedReportingOverflow(by: MemoryLayout<Double>.stride)
        var memory: UnsafeMutableRawPointer?
        guard !overflow, posix_memalign(&memory, 64, size) == 0, let memory else {
            throw MetaLearnersError(
                .outOfMemory, "there is no memory for \(count) numbers",
                remedy: "use fewer covariates, or group the levels of the largest category")
        }
        start = memory.bindMemory(to: Double.self, capacity: max(count, 1))
        start.initialize(repeating: 0, count: max(count, 1))
        self.count = count
    }

    deinit { free(start) }

    /// The numbers as an array.
    var array: [Double] { Array(UnsafeBufferPointer(start: start, count: count)) }

    /// Sets every number to 0.
    func clear() { start.update(repeating: 0, count: count) }

    /// Whether all numbers are finite.
    var isFinite: Bool { UnsafeBufferPointer(start: start, count: count).allSatisfy(\.isFinite) }
}
