import MetaLearnersCore

/// Histograms of one size, used again once a leaf needs its own no more.
struct HistogramPool<Sum: BitwiseCopyable> {
    /// How many cells each has.
    let size: Int
    private var buffers: [AlignedBuffer<Sum>] = []
    private var free: [Int] = []

    init(size: Int) { self.size = size }

    /// The cells of a histogram.
    subscript(index: Int) -> UnsafeMutablePointer<Sum> { buffers[index].start }

    /// The number of a histogram that nobody has, whatever it holds.
    ///
    /// - Throws: `outOfMemory`.
    mutating func take() throws(MetaLearnersError) -> Int {
        if let index = free.popLast() { return index }
        buffers.append(try AlignedBuffer(uninitialized: size))
        return buffers.count - 1
    }

    /// Gives a histogram back; nothing for nil.
    mutating func giveBack(_ index: Int?) {
        if let index { free.append(index) }
    }

    /// Gives all of them back.
    mutating func giveBackAll() { free = Array(buffers.indices) }
}
