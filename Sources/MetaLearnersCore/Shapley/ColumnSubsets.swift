/// Shapley values by their definition, over all sets of columns: for functions of few columns.
struct ColumnSubsets: Sendable {
    /// Functions of more columns are left to `PermutationWalks`.
    static let columnLimit = 6

    let columns: [Int]

    /// For each channel and each of `columns`, its Shapley value in the mean over the background rows.
    ///
    /// - Parameters:
    ///   - room: gets rows of the matrix's columns.
    ///   - values: gets the results.
    ///   - evaluate: the value of the row in `room`.
    /// - Complexity: O(2ᵈ · background rows) evaluations.
    func explain(
        _ row: UnsafePointer<Double>, _ background: CovariateMatrix, channels: Int,
        room: UnsafeMutablePointer<Double>, values: UnsafeMutablePointer<Double>,
        _ evaluate: (UnsafeMutablePointer<Double>) -> UnsafePointer<Double>
    ) {
        let width = columns.count
        for index in 0..<channels * width { values[index] = 0 }
        let weights = (0..<max(width, 1)).map { LeafGame.weight($0, of: width) / Double(background.rowCount) }
        for other in 0..<background.rowCount {
            for column in 0..<background.columnCount { room[column] = background.value(other, column) }
            for set in 0..<1 << width {
                for (place, column) in columns.enumerated() {
                    room[column] = set >> place & 1 == 1 ? row[column] : background.value(other, column)
                }
                let value = evaluate(room)
                let size = set.nonzeroBitCount
                for place in 0..<width {
                    // A set that has the column counts for it, one that has not against it.
                    let weight = set >> place & 1 == 1 ? weights[size - 1] : -weights[size]
                    for channel in 0..<channels { values[channel * width + place] += weight * value[channel] }
                }
            }
        }
    }
}
