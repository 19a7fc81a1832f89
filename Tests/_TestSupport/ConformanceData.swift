import MetaLearnersCore

/// Small data for the conformance checks: numeric columns, with categories and missing values on request.
struct ConformanceData {
    static let rowCount = 90

    let features: Table
    let target: [Double]
    let labels: [Double]
    let regressor: [Double]

    init(missing: Bool = false, categorical: Bool = false) throws(MetaLearnersError) {
        var stream = RandomStream(seed: 7, path: 1)
        let count = Self.rowCount
        let numbers = (0..<3).map { _ in (0..<count).map { _ in stream.normal() } }
        var columns = numbers.enumerated().map { index, values in
            Column("x\(index + 1)", values.enumerated().map { missing && $0 % 7 == index ? .nan : $1 })
        }
        let group = (0..<count).map { _ in stream.integer(below: 4) }
        if categorical {
            let names = ["north", "south", "east", "west"]
            columns.append(
                Column(
                    "region", categories: group.enumerated().map { missing && $0 % 9 == 0 ? nil : names[$1] })
            )
        }
        features = try Table(columns)
        let noise = (0..<count).map { _ in stream.normal() }
        target = (0..<count).map { row in
            1 + 2 * numbers[0][row] - numbers[1][row] + Double(group[row]) + 0.3 * noise[row]
        }
        labels = (0..<count).map { row in numbers[0][row] + noise[row] > 0 ? 1 : 0 }
        regressor = noise.map { 0.5 + abs($0) }
    }

    /// Labels of three classes.
    var threeLabels: [Double] { zip(labels, target).map { $0 + ($1 > 2 ? 1 : 0) } }

    /// The same features with the values of the rows that `keep` leaves out in reverse order, or replaced by a
    /// huge number.
    static func disturbing(_ features: Table, outside keep: [Int32], huge: Bool) throws(MetaLearnersError)
        -> Table
    {
        let kept = Set(keep)
        let outside = (0..<features.rowCount).filter { !kept.contains(Int32($0)) }
        var columns: [Column] = []
        for column in features.columns {
            var values = column.values.doubles()
            let original = values
            for (row, other) in zip(outside, outside.reversed()) {
                values[row] = huge && column.levels == nil ? 1e6 * Double(row + 1) : original[other]
            }
            columns.append(
                column.levels.map { Column(column.name, codes: StridedValues(values), levels: $0) }
                    ?? Column(column.name, values))
        }
        return try Table(columns)
    }
}
