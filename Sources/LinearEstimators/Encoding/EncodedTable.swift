import MetaLearnersCore

/// Features whose design matrix is made whenever it is asked for.
struct EncodedTable: DesignSource {
    let encoder: DesignEncoder
    let features: Table

    var width: Int { encoder.width }

    func fill(
        _ rows: UnsafeBufferPointer<Int32>, to target: UnsafeMutablePointer<Double>, stride: Int,
        scratch: UnsafeMutableBufferPointer<Double>
    ) {
        encoder.fill(features, rows: rows, to: target, stride: stride, scratch: scratch)
    }
}
