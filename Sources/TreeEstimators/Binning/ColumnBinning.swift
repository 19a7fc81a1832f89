import MetaLearnersCore

/// How the values of a column become bins of 8 bits or, where there are more, of 16.
enum ColumnBinning: Sendable, Equatable {
    case numeric(NumericBinning)
    case categorical(CategoricalBinning)

    /// The most bins that bytes tell apart.
    static let maximumNarrowBins = 256

    /// How many bins there are; bin 0 is that of missing values.
    var binCount: Int {
        switch self {
        case .numeric(let binning): binning.binCount
        case .categorical(let binning): binning.binCount
        }
    }

    /// Whether bins need 16 bits.
    var isWide: Bool { binCount > Self.maximumNarrowBins }

    /// Whether bins are categories rather than ordered.
    var isCategorical: Bool { if case .categorical = self { true } else { false } }

    /// The bins of the values of some rows; not for wide columns.
    func map(_ values: StridedValues, _ rows: RowSelection, to bins: UnsafeMutablePointer<UInt8>) {
        switch self {
        case .numeric(let binning): binning.map(values, rows, to: bins)
        case .categorical(let binning): binning.map(values, rows, to: bins)
        }
    }

    /// The bins of the values of some rows, of any column.
    func map(_ values: StridedValues, _ rows: RowSelection, toWords bins: UnsafeMutablePointer<UInt16>) {
        switch self {
        case .numeric(let binning): binning.map(values, rows, toWords: bins)
        case .categorical(let binning): binning.map(values, rows, to: bins)
        }
    }
}
