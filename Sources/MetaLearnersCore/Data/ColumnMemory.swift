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

    /// Makes `count` values of memory of its own and lets `fill` write them.
    public init<Value: BitwiseCopyable, Failure: Error>(
        count: Int, of _: Value.Type, fill: (UnsafeMutableBufferPointer<Value>) throws(Failure) -> Void
    ) throws(Failure) {
        let buffer = UnsafeMutableBufferPointer<Value>.allocate(capacity: max(count, 1))
        do {
            try fill(UnsafeMutableBufferPointer(rebasing: buffer[0..<count]))
        } catch {
            buffer.deallocate()
            throw error
        }
        bytes = UnsafeRawBufferPointer(start: buffer.baseAddress, count: count * MemoryLayout<Value>.stride)
        let address = UInt(bitPattern: buffer.baseAddress)
        release = { UnsafeMutableRawPointer(bitPattern: address)?.deallocate() }
    }

    /// Borrows memory; `release` is called once, when nothing points into it any more.
    public init(borrowing bytes: UnsafeRawBufferPointer, release: @escaping @Sendable () -> Void = {}) {
        self.bytes = bytes
        self.release = release
    }

    deinit { release() }
}
