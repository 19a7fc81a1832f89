/// The largest and the smallest sum of a prefix of bins, kept while values are added to bins one after another.
///
/// A binary tree over the bins; each node has the sum of its bins and the extremes of the sums of their prefixes. Adding takes
/// O(log bins), the extremes of all prefixes O(1), those of a range of prefixes O(log bins).
struct PrefixExtremes: ~Copyable {
    private struct Node {
        var sum = 0.0
        var largest = 0.0
        var smallest = 0.0
        var count = 0
    }

    private let size: Int
    private let nodes: UnsafeMutablePointer<Node>

    /// Creates a tree of empty bins.
    init(bins: Int) {
        var size = 1
        while size < bins { size *= 2 }
        self.size = size
        nodes = .allocate(capacity: 2 * size)
        nodes.initialize(repeating: Node(), count: 2 * size)
    }

    deinit { nodes.deallocate() }

    /// Adds a value to a bin.
    func add(_ value: Double, to bin: Int) {
        var index = size + bin
        nodes[index].sum += value
        nodes[index].largest = nodes[index].sum
        nodes[index].smallest = nodes[index].sum
        nodes[index].count += 1
        while index > 1 {
            index /= 2
            let (left, right) = (nodes + 2 * index, nodes + 2 * index + 1)
            nodes[index] = Node(
                sum: left.pointee.sum + right.pointee.sum,
                largest: max(left.pointee.largest, left.pointee.sum + right.pointee.largest),
                smallest: min(left.pointee.smallest, left.pointee.sum + right.pointee.smallest),
                count: left.pointee.count + right.pointee.count)
        }
    }

    /// The extremes of the sums of all prefixes, those of none and of all bins included.
    var extremes: (largest: Double, smallest: Double) {
        (max(nodes[1].largest, 0), min(nodes[1].smallest, 0))
    }

    /// The extremes of the sums of the prefixes that hold at least `least` values and leave as many; nil where there are none.
    func extremes(leaving least: Int) -> (largest: Double, smallest: Double)? {
        let total = nodes[1].count
        guard total >= 2 * least else { return nil }
        let first = bin { $0 >= least }
        let last = bin { $0 > total - least } - 1
        guard first <= last else { return nil }
        var before = 0.0
        var index = size + first
        while index > 1 {
            if index & 1 == 1 { before = nodes[index - 1].sum + before }
            index /= 2
        }
        return extremes(from: first, through: last, after: before)
    }

    /// The first bin with whose prefix a count satisfies a condition that larger counts satisfy as well.
    private func bin(where condition: (Int) -> Bool) -> Int {
        guard condition(nodes[1].count) else { return size }
        var (index, before) = (1, 0)
        while index < size {
            index *= 2
            if !condition(before + nodes[index].count) {
                before += nodes[index].count
                index += 1
            }
        }
        return index - size
    }

    /// The extremes over the prefixes that end in some bins, from left to right by the largest blocks that fit.
    private func extremes(from first: Int, through last: Int, after before: Double) -> (Double, Double) {
        var (start, head, largest, smallest) = (first, before, -Double.infinity, Double.infinity)
        while start <= last {
            var (index, width) = (start + size, 1)
            while index & 1 == 0, start + 2 * width - 1 <= last {
                index /= 2
                width *= 2
            }
            largest = max(largest, head + nodes[index].largest)
            smallest = min(smallest, head + nodes[index].smallest)
            head += nodes[index].sum
            start += width
        }
        return (largest, smallest)
    }
}
