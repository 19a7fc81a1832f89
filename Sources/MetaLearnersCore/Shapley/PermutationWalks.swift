/// Orders in which columns of a background row are replaced by those of the explained row, one by one: what Shapley values are
/// estimated by where nothing exact is feasible (Castro, Gómez & Tejada 2009, doi 10.1016/j.cor.2008.04.004), each order with
/// its reverse (Mitchell, Cooper, Frank & Holmes 2022, JMLR 23:43).
///
/// Each background row gets as many pairs of orders as every other, so that what columns get adds up to the row's value less the
/// background's mean, whatever the orders. They are the same for every row explained: what is said of a row does not depend on
/// the rows beside it.
package struct PermutationWalks: Sendable {
    /// The columns that are replaced.
    let columns: [Int]
    package let backgroundCount: Int
    /// How many pairs of an order and its reverse each background row has.
    package let pairCount: Int
    /// The orders: places in `columns`, pair by pair, for each background row.
    private let orders: [Int32]

    package init(columns: [Int], backgroundCount: Int, pairs: Int, seed: UInt64) {
        self.columns = columns
        self.backgroundCount = backgroundCount
        pairCount = pairs
        var orders: [Int32] = []
        orders.reserveCapacity(columns.count * backgroundCount * pairs)
        var order = columns.indices.map { Int32($0) }
        for row in 0..<backgroundCount {
            var stream = RandomStream(seed: seed, path: 0x5348_4150, UInt64(row))
            for index in order.indices { order[index] = Int32(index) }
            for _ in 0..<pairs {
                stream.shuffle(&order)
                orders += order
            }
        }
        self.orders = orders
    }

    /// Goes all ways from the background rows to a row.
    ///
    /// - Parameters:
    ///   - row: the row explained, all its columns.
    ///   - channels: how many numbers a value is.
    ///   - ofRow: the row's value; `ofBackground` that of each background row, row by row.
    ///   - room: gets the rows on the way, of as many columns as the matrix has.
    ///   - values: for each channel, for each of `columns`: gets what the column contributes.
    ///   - errors: the same, for the standard errors of the contributions; nil where nobody asks. They tell how far the orders
    ///     drawn are from all orders, with these background rows; 0 with a single pair.
    ///   - evaluate: the value of the row in `room`.
    package func walk(
        _ row: UnsafePointer<Double>, _ background: CovariateMatrix, channels: Int,
        ofRow: UnsafePointer<Double>, ofBackground: UnsafePointer<Double>,
        room: UnsafeMutablePointer<Double>, values: UnsafeMutablePointer<Double>,
        errors: UnsafeMutablePointer<Double>?,
        _ evaluate: (UnsafeMutablePointer<Double>) -> UnsafePointer<Double>
    ) {
        let width = columns.count
        let size = channels * width
        for index in 0..<size { values[index] = 0 }
        if let errors { for index in 0..<size { errors[index] = 0 } }
        let share = 1 / (2 * Double(pairCount) * Double(backgroundCount))
        withUnsafeTemporaryAllocation(of: Double.self, capacity: 4 * size + channels + 1) { memory in
            guard let pair = memory.baseAddress else { return }
            let (sum, mean, squares) = (pair + size, pair + 2 * size, pair + 3 * size)
            let before = pair + 4 * size
            for other in 0..<backgroundCount {
                for index in 0..<3 * size { sum[index] = 0 }
                let start = ofBackground + other * channels
                for number in 0..<pairCount {
                    let first = (other * pairCount + number) * width
                    for index in 0..<size { pair[index] = 0 }
                    for isReverse in [false, true] {
                        for column in 0..<background.columnCount {
                            room[column] = background.value(other, column)
                        }
                        for channel in 0..<channels { before[channel] = start[channel] }
                        // What differs last makes the row itself, whose value is known.
                        var last = -1
                        for step in 0..<width {
                            let place = Int(orders[first + (isReverse ? width - 1 - step : step)])
                            if differs(room[columns[place]], row[columns[place]]) { last = step }
                        }
                        guard last >= 0 else { continue }
                        for step in 0...last {
                            let place = Int(orders[first + (isReverse ? width - 1 - step : step)])
                            let column = columns[place]
                            guard differs(room[column], row[column]) else { continue }
                            room[column] = row[column]
                            let after = step == last ? ofRow : evaluate(room)
                            for channel in 0..<channels {
                                pair[channel * width + place] += after[channel] - before[channel]
                                before[channel] = after[channel]
                            }
                        }
                    }
                    for index in 0..<size {
                        sum[index] += pair[index]
                        // Mean and squared deviations as they come (Welford 1962).
                        let deviation = pair[index] - mean[index]
                        mean[index] += deviation / Double(number + 1)
                        squares[index] += deviation * (pair[index] - mean[index])
                    }
                }
                for index in 0..<size { values[index] += share * sum[index] }
                guard let errors, pairCount > 1 else { continue }
                let count = Double(pairCount)
                for index in 0..<size {
                    errors[index] += count * (squares[index] / (count - 1))
                }
            }
        }
        if let errors { for index in 0..<size { errors[index] = share * errors[index].squareRoot() } }
    }

    private func differs(_ left: Double, _ right: Double) -> Bool {
        left != right && !(left.isNaN && right.isNaN)
    }
}
