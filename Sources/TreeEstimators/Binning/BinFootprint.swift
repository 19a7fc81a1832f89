import MetaLearnersCore

/// The memory that the bins of some columns take, and the sizes of histograms over them, before any value is read.
///
/// A column of numbers counts with as many bins as it may have: fewer where its values are few is more than it needs.
struct BinFootprint {
    /// Bytes of the bins, by columns and by rows, and while they are made of the sampled values.
    let bytes: Int
    /// The most cells of a histogram, as `TilePlan` lays them out.
    let cells: Int
    /// The most bins of all columns together.
    let bins: Int

    init(_ features: Table, _ limits: BinLimits) {
        let rows = features.rowCount
        var bytes = 0
        var cells = 0
        var bins = 0
        for column in features.columns {
            let count = Self.bins(column, limits, rows)
            let isWide = count > ColumnBinning.maximumNarrowBins
            bytes += rows * (isWide ? 4 : 2)
            cells += isWide ? count + 8 : TilePlan.columnStride
            bins += count
        }
        self.bytes = max(bytes, ColumnBinner.sampleBytes(features, limits))
        self.cells = cells
        self.bins = bins
    }

    private static func bins(_ column: Column, _ limits: BinLimits, _ rows: Int) -> Int {
        if let levels = column.levels { return min(levels.count, limits.categories) + 1 }
        let values =
            switch column.values.element {
            case .int8, .uint8: min(rows, 256)
            case .int16, .int32, .int64, .float32, .float64: rows
            }
        return min(values, limits.numbers) + 1
    }
}
