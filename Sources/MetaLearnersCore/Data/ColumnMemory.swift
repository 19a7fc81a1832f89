#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// Immutable memory that columns point into, kept alive as long as a column needs it.
///
/// It either belongs to the package, or is borrowed from somebody who promises that it neither moves nor
/// changes until `release` is called.
public final class ColumnMemory: @unchecked Sendable {  // The bytes are never written after `init`.
    /// The first byte.
    public let bytes: UnsafeRawBufferPointer
    private let release: @Sendable () -> Void

    /// Copies `values` into memory of its own.
    public init<Value: BitwiseCopyable>(copying values: some Collection<Value>) {
        let buffer = UnsafeMutableBufferPointer<Value>.allocate(capacity: max(values.count, 1))
        _ = buffer.initialize(from: values)
        bytes = UnsafeRawBufferPointer(
            start: buffer.baseAddress, count: values.count * MemoryLayout<Value>.stride)
        let address = UInt(bitPattern: buffer.baseAddress)
        release = { UnsafeMutableRawPointer(bitPattern: address)?.deallocate() }
    }

    /// Makes `count` values of memory of its own and lets `fill` write each of them.
    ///
    /// - Throws: `outOfMemory` where there is none for them.
    public init<Value: BitwiseCopyable>(
        count: Int, of _: Value.Type, fill: (UnsafeMutableBufferPointer<Value>) -> Void
    ) throws(MetaLearnersError) {
        let (size, overflow) = count.multipliedReportingOverflow(by: MemoryLayout<Value>.stride)
        guard !overflow, let start = malloc(max(size, 1)) else {
            throw MetaLearnersError(
                .outOfMemory, "there is not enough memory for a column of \(count) rows",
                remedy: "raise the limit of memory, or use fewer rows or columns")
        }
        fill(
            UnsafeMutableBufferPointer(start: start.bindMemory(to: Value.self, capacity: count), count: count)
        )
        bytes = UnsafeRawBufferPointer(start: start, count: size)
        let address = UInt(bitPattern: start)
        release = { free(UnsafeMutableRawPointer(bitPattern: address)) }
    }

    /// Borrows memory; `release` is called once, when nothing points into it any more.
    public init(borrowing bytes: UnsafeRawBufferPointer, release: @escaping @Sendable () -> Void = {}) {
        self.bytes = bytes
        self.release = release
    }

    deinit { release() }
}
