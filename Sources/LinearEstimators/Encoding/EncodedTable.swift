import MetaLearnersCore

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
