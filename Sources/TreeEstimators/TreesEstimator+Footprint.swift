import MetaLearnersCore

extension TreesEstimator {
    /// The bins, by columns and by rows, are shared. A fit has gradients, scores with their rows' weights, the lists of
    /// its rows and their leaves, and a histogram for each leaf that may still be split.
    public func footprint(rows: Int, of features: Table, outputs: Int) -> Footprint {
        let columns = features.columns.count
        let histograms = (spec.maxLeaves + 1) * columns * 256 * 16
        return Footprint(
            shared: 2 * features.rowCount * columns,
            working: features.rowCount * (16 + 12 * outputs) + rows * 24 + histograms)
    }
}
