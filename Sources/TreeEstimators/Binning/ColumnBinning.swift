import MetaLearnersCore

/// How the values of a column become bins of 8 bits.
enum ColumnBinning: Sendable, Equatable {
    case numeric(NumericBinning)
    case categorical(CategoricalBinning)

    /// How many bins there are; bin 0 is that of missing values.
    var binCount: Int {
        switch self {
        case .numeric(let binning): binning.binCount
        case .categorical(let binning): binning.binCount
        }
    }

    /// Whether bins are categories rather than ordered.
    var isCategorical: Bool { if case .categorical = self { true } else { false } }

    /// The bins of the values of some rows.
    func map(_ values: StridedValues, _ rows: RowSelection, to bins: UnsafeMutablePointer<UInt8>) {
        switch self {
        case .numeric(let binning): binning.map(values, rows, to: bins)
        case .categorical(let binning): binning.map(values, rows, to: bins)
        }
    }
}
