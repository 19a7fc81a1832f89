import MetaLearnersCore

/// Where the rows of a design matrix come from.
protocol DesignSource: Sendable {
    /// How many columns the design matrix has.
    var width: Int { get }

    /// Writes some rows, by columns that are `stride` apart.
    ///
    /// - Parameters:
    ///   - rows: at most `scratch.count` rows.
    ///   - scratch: room for one number per row.
    func fill(
        _ rows: UnsafeBufferPointer<Int32>, to target: UnsafeMutablePointer<Double>, stride: Int,
        scratch: UnsafeMutableBufferPointer<Double>)
}

/// Features whose design matrix is made whenever it is asked for.
struct EncodedTable: DesignSource {
    let encoder: DesignEncoder
    let features: Table
    /// For each of the encoder's scores, that of every row of the features; nil for those of the rows' levels.
    var scores: [[Double]]?

    var width: Int { encoder.width }

    func fill(
        _ rows: UnsafeBufferPointer<Int32>, to target: UnsafeMutablePointer<Double>, stride: Int,
        scratch: UnsafeMutableBufferPointer<Double>
    ) {
        encoder.fill(features, rows: rows, to: target, stride: stride, scratch: scratch, scores: scores)
    }
}

/// Some columns of a design matrix.
struct SelectedColumns: DesignSource {
    let source: any DesignSource
    let columns: [Int]

    var width: Int { columns.count }

    func fill(
        _ rows: UnsafeBufferPointer<Int32>, to target: UnsafeMutablePointer<Double>, stride: Int,
        scratch: UnsafeMutableBufferPointer<Double>
    ) {
        withUnsafeTemporaryAllocation(of: Double.self, capacity: max(source.width * rows.count, 1)) { whole in
            guard let start = whole.baseAddress else { return }
            source.fill(rows, to: start, stride: rows.count, scratch: scratch)
            for (place, column) in columns.enumerated() {
                (target + place * stride).update(from: start + column * rows.count, count: rows.count)
            }
        }
    }
}
