import MetaLearnersCore

/// Which columns are categories, as XGBoost is told.
struct FeatureTypes: Sendable {
    private let names: [String]

    /// The types of columns with so many levels each, 0 for numbers; nil where all are numbers, which is what
    /// XGBoost takes them for.
    init?(levels: [Int]) {
        guard levels.contains(where: { $0 > 0 }) else { return nil }
        names = levels.map { $0 > 0 ? "c" : "float" }
    }

    /// Tells a matrix.
    ///
    /// - Throws: `numericalFailure` where XGBoost refuses.
    func set(on matrix: XGBoostHandle, _ library: XGBoostLibrary) throws(MetaLearnersError) {
        try set(on: matrix, by: library.functions.setTexts, library)
    }

    /// Tells trees, which they need to know only to be written as text.
    ///
    /// - Throws: `numericalFailure` where XGBoost refuses.
    func set(onBooster booster: XGBoostHandle, _ library: XGBoostLibrary) throws(MetaLearnersError) {
        try set(on: booster, by: library.functions.setBoosterTexts, library)
    }

    private func set(
        on handle: XGBoostHandle, by function: XGBoostFunctions.SetTexts, _ library: XGBoostLibrary
    ) throws(MetaLearnersError) {
        // One byte array of all names, each ended by a NUL, keeps the pointers valid without nesting closures.
        var bytes: [CChar] = []
        var offsets: [Int] = []
        for name in names {
            offsets.append(bytes.count)
            bytes += name.utf8.map { CChar(bitPattern: $0) } + [0]
        }
        let status = bytes.withUnsafeBufferPointer { bytes in
            var pointers = offsets.map { offset in bytes.baseAddress.map { $0 + offset } }
            return function(handle, "feature_type", &pointers, UInt64(pointers.count))
        }
        try library.check(status, "take the types of the columns")
    }
}
