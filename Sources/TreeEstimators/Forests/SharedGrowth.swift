import MetaLearnersCore

/// How processes divide the trees of a forest: process r of s grows tree number t where t mod s is r, and all get all trees.
struct SharedGrowth: Sendable {
    let distribution: DistributedRows
    /// How many columns trees may split by.
    let columns: Int
    let output: ForestOutput
    let context: ExecutionContext

    /// Trees that each thread grows between two exchanges, about: few enough that no process waits for long for another one, many
    /// enough that threads seldom wait for each other.
    private static let treesPerThread = 8

    /// Grows `count` trees together with the other processes.
    ///
    /// - Parameter own: grows the trees of these numbers.
    /// - Returns: all trees, in the order of their numbers.
    /// - Throws: what `own` throws, and what the other processes have to say.
    func grow(_ count: Int, _ own: ([Int]) throws(MetaLearnersError) -> [GrownForestTree])
        throws(MetaLearnersError) -> [GrownForestTree]
    {
        let threads = Int(try distribution.maximum([Int64(context.threads)])[0])
        let batch = distribution.size * threads * Self.treesPerThread
        var trees: [GrownForestTree] = []
        trees.reserveCapacity(count)
        for first in stride(from: 0, to: count, by: batch) {
            let numbers = first..<min(first + batch, count)
            var writer = BinaryWriter()
            for tree in try own(numbers.filter { $0 % distribution.size == distribution.rank }) {
                tree.encode(to: &writer, leafWidth: output.leafWidth)
            }
            trees += try decoded(try distribution.gather(writer.bytes), numbers)
        }
        return trees
    }

    /// The trees of some numbers, of which the processes have grown these bytes.
    private func decoded(_ parts: [[UInt8]], _ numbers: Range<Int>) throws(MetaLearnersError)
        -> [GrownForestTree]
    {
        var trees = [GrownForestTree](repeating: GrownForestTree(gains: []), count: numbers.count)
        let failure = Lock<MetaLearnersError?>(nil)
        trees.withUnsafeMutableBufferPointer { buffer in
            let trees = DisjointWrites(buffer)
            context.concurrently(parts.count) { rank in
                var reader = BinaryReader(parts[rank][...])
                do throws(MetaLearnersError) {
                    for number in numbers where number % parts.count == rank {
                        trees[number - numbers.lowerBound] = try GrownForestTree(
                            from: &reader, columns: columns, output: output)
                    }
                } catch {
                    failure.withLock { $0 = $0 ?? error }
                }
            }
        }
        if let error = failure.withLock({ $0 }) {
            throw MetaLearnersError(
                .numericalFailure, "a tree of a forest cannot be told to other processes: \(error.problem)")
        }
        return trees
    }
}

extension GrownForestTree {
    /// Writes the tree, and the gains of those columns that it splits by.
    func encode(to writer: inout BinaryWriter, leafWidth: Int) {
        tree.encode(to: &writer, leafWidth: leafWidth)
        let used = gains.indices.filter { gains[$0] != 0 }
        writer.write(UInt16(used.count))
        for feature in used {
            writer.write(UInt16(feature))
            writer.write(gains[feature])
        }
    }

    /// Reads what `encode` wrote.
    ///
    /// - Throws: `corruptModel` for a column beyond `columns`, a value that is none, or a tree that is too deep.
    init(from reader: inout BinaryReader, columns: Int, output: ForestOutput) throws(MetaLearnersError) {
        let tree = try ForestTree(from: &reader, columns: columns, output: output)
        self.init(tree: tree, gains: [Double](repeating: 0, count: columns))
        for _ in 0..<(try reader.read(UInt16.self)) {
            let feature = Int(try reader.read(UInt16.self))
            guard feature < columns else {
                throw BinaryReader.corrupt("a forest splits by a column it does not use")
            }
            gains[feature] = try reader.readDouble()
        }
    }
}
