import MetaLearnersCore

/// A covariate of which nothing is left but its bins.
final class CodedColumn: CodedValues {
    let identity: ColumnMemory
    let fingerprint: UInt64
    /// The bins.
    let column: BinnedColumn
    /// A number of each bin, which any binning with the same edges puts there again; codes of categories.
    private let numbers: [Double]

    /// - Parameter identity: that of the column's key.
    init(_ column: BinnedColumn, identity: ColumnMemory, fingerprint: UInt64) {
        self.column = column
        self.identity = identity
        self.fingerprint = fingerprint
        switch column.binning {
        case .numeric(let binning):
            // A number equal to an edge lies below it; beyond the last one there is none.
            numbers = [.nan] + binning.edges + [binning.edges.last?.nextUp ?? 0]
        case .categorical(let binning):
            var numbers = [Double](repeating: -1, count: max(binning.binCount, 1))
            for (level, bin) in binning.levelBins.enumerated().reversed() where bin > 0 {
                numbers[Int(bin)] = Double(level)
            }
            self.numbers = numbers
        }
    }

    /// The column as a covariate.
    func covariate(_ name: String, levels: [String]?, rowCount: Int) -> Column {
        let values = StridedValues(coded: self, count: rowCount)
        return levels.map { Column(name, codes: values, levels: $0) } ?? Column(name, values)
    }

    func copy(_ rows: Range<Int>, to target: UnsafeMutableBufferPointer<Double>) {
        for (position, row) in rows.enumerated() { target[position] = numbers[bin(of: row)] }
    }

    func gather(_ rows: UnsafeBufferPointer<Int32>, to target: UnsafeMutableBufferPointer<Double>) {
        for (position, row) in rows.enumerated() { target[position] = numbers[bin(of: Int(row))] }
    }

    private func bin(of row: Int) -> Int {
        column.wideBins.map { Int($0.start[row]) } ?? Int(column.bins.start[row])
    }

    /// The bins of some rows; not of a wide column.
    func copyBins(_ rows: RowSelection, to target: UnsafeMutablePointer<UInt8>) {
        Self.copy(column.bins.start, rows, to: target)
    }

    /// The bins of some rows of any column.
    func copyBins(_ rows: RowSelection, toWords target: UnsafeMutablePointer<UInt16>) {
        if let wide = column.wideBins { return Self.copy(wide.start, rows, to: target) }
        let bins = column.bins.start
        switch rows {
        case .range(let range):
            for (position, row) in range.enumerated() { target[position] = UInt16(bins[row]) }
        case .list(let list):
            for position in 0..<list.count { target[position] = UInt16(bins[Int(list[position])]) }
        }
    }

    private static func copy<Bin>(
        _ bins: UnsafeMutablePointer<Bin>, _ rows: RowSelection, to target: UnsafeMutablePointer<Bin>
    ) {
        switch rows {
        case .range(let range): target.update(from: bins + range.lowerBound, count: range.count)
        case .list(let list): for position in 0..<list.count { target[position] = bins[Int(list[position])] }
        }
    }
}

extension Column {
    /// The bins that are all that there is of the column; nil where its numbers are there.
    var codedColumn: CodedColumn? { values.coded as? CodedColumn }
}

extension BinLimits {
    /// Checks that covariates of which only bins are left have as many as a model asks for.
    ///
    /// - Throws: `unsupported`.
    func requireBins(of features: Table) throws(MetaLearnersError) {
        for column in features.columns {
            guard let coded = column.codedColumn else { continue }
            let wanted = BinnedColumn.Key(column, self).maxBins
            guard coded.column.key.maxBins == wanted else {
                throw MetaLearnersError(
                    .unsupported, at: "max_bins",
                    "is \(numbers), and the rows were read into at most \(coded.column.key.maxBins) bins of column '\(column.name)'",
                    remedy: "use as many bins in all models, and say how many when the rows are read")
            }
        }
    }
}
