import MetaLearnersCore

/// Numbers that BLAS works on: aligned, so that the same numbers are always summed in the same order.
typealias DoubleBuffer = AlignedBuffer<Double>

extension DoubleBuffer {
    /// Makes `count` zeros.
    ///
    /// - Throws: `outOfMemory`.
    convenience init(_ count: Int) throws(MetaLearnersError) {
        try self.init(
            zeroed: count, remedy: "use fewer covariates, or group the levels of the largest category")
    }

    /// The numbers as an array.
    var array: [Double] { Array(UnsafeBufferPointer(start: start, count: count)) }

    /// Sets every number to 0.
    func clear() { start.update(repeating: 0, count: count) }

    /// Whether all numbers are finite.
    var isFinite: Bool { UnsafeBufferPointer(start: start, count: count).allSatisfy(\.isFinite) }
}
