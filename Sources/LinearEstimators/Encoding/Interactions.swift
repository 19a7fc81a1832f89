import MetaLearnersCore

/// The products of pairs of a design matrix's linear columns, less their means: standardised, but where an indicator that
/// is not standardised takes part.
struct Interactions: Sendable, Equatable {
    /// The columns of each product: two places within the design matrix.
    let first: [Int32]
    let second: [Int32]
    /// The mean of each product.
    let centers: [Double]
    /// What each product is divided by, positive: its standard deviation, or 1.
    let spreads: [Double]

    /// The number of products.
    var width: Int { first.count }

    /// Learns the products of every two of the columns that `owners` names, unless one feature owns both. Products that
    /// are constant are left out.
    ///
    /// - Parameters:
    ///   - source: makes the columns.
    ///   - weights: one for each of the rows.
    ///   - totalWeight: their sum, those of other processes among them.
    ///   - owners: the place and the feature of each linear column, and whether it is an indicator as it is.
    /// - Complexity: O(rows × columns²).
    init(
        _ source: EncodedTable, rows: [Int32], weights: [Double], totalWeight: Double,
        owners: [(column: Int, feature: Int, isPlain: Bool)], _ context: ExecutionContext
    ) throws(MetaLearnersError) {
        var pairs: [(Int32, Int32)] = []
        var isPlain: [Bool] = []
        for (index, left) in owners.enumerated() {
            for right in owners[(index + 1)...] where right.feature != left.feature {
                pairs.append((Int32(clamping: left.column), Int32(clamping: right.column)))
                isPlain.append(left.isPlain || right.isPlain)
            }
        }
        var sums = [Double](repeating: 0, count: pairs.count)
        var squares = sums
        let step = DesignBlocks.rowsPerBlock
        let block = try DoubleBuffer(source.width * step)
        try DesignBlocks(source, rows: rows).forEach(into: block, context) {
            range throws(MetaLearnersError) in
            for (index, pair) in pairs.enumerated() {
                let left = block.start + Int(pair.0) * step
                let right = block.start + Int(pair.1) * step
                for (offset, row) in range.enumerated() {
                    let product = left[offset] * right[offset]
                    let weighted = weights[row] / totalWeight * product
                    sums[index] += weighted
                    squares[index] += weighted * product
                }
            }
        }
        let ofAll = try source.features.distribution.sum(sums + squares)
        sums = Array(ofAll.prefix(pairs.count))
        squares = Array(ofAll.suffix(pairs.count))
        let kept = pairs.indices.filter { squares[$0] - sums[$0] * sums[$0] > 1e-9 * squares[$0] }
        first = kept.map { pairs[$0].0 }
        second = kept.map { pairs[$0].1 }
        centers = kept.map { sums[$0] }
        spreads = kept.map { isPlain[$0] ? 1 : (squares[$0] - sums[$0] * sums[$0]).squareRoot() }
        guard centers.allSatisfy(\.isFinite), spreads.allSatisfy(\.isFinite) else {
            throw LeastSquares.overflow
        }
    }

    /// Writes the products of the columns that stand at `source` to `target`.
    func fill(
        _ rows: Int, from source: UnsafeMutablePointer<Double>, to target: UnsafeMutablePointer<Double>,
        stride: Int
    ) {
        for index in 0..<width {
            let left = source + Int(first[index]) * stride
            let right = source + Int(second[index]) * stride
            let product = target + index * stride
            let center = centers[index]
            let inverse = 1 / spreads[index]
            for row in 0..<rows { product[row] = (left[row] * right[row] - center) * inverse }
        }
    }

    func encode(to writer: inout BinaryWriter) {
        writer.write(first)
        writer.write(second)
        writer.write(centers)
        writer.write(spreads)
    }

    /// - Parameter columns: how many columns there are to multiply.
    init(from reader: inout BinaryReader, columns: Int) throws(MetaLearnersError) {
        first = try reader.readArray(Int32.self)
        second = try reader.readArray(Int32.self)
        centers = try reader.readDoubles()
        spreads = try reader.readDoubles()
        let count = first.count
        guard second.count == count, centers.count == count, spreads.count == count,
            (first + second).allSatisfy({ $0 >= 0 && $0 < columns }), centers.allSatisfy(\.isFinite),
            spreads.allSatisfy({ $0.isFinite && $0 > 0 })
        else { throw BinaryReader.corrupt("the products of columns make no sense") }
    }
}
