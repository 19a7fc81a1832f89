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
