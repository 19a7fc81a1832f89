import MetaLearnersCore

/// The covariates of a study as numbers: a numeric column as it is, a categorical one as an indicator for each level.
struct Characteristics {
    /// A number for each row.
    struct Item {
        /// The column, with the level of an indicator: "region = north".
        let name: String
        /// NaN where the column is missing.
        let values: [Double]
        /// The level that the indicator stands for; nil for numbers.
        let level: String?
    }

    let items: [Item]

    /// Reads the covariates, or those that are named.
    ///
    /// - Parameters:
    ///   - names: columns of the study, whether covariates or not; empty for all covariates.
    ///   - dropsFirstLevel: whether the first level of a category has no indicator, as regressions with a constant need it.
    /// - Throws: `invalidData` where there is no such column; `unsupported` where there are no covariates.
    init(_ study: CausalStudy, _ names: [String], dropsFirstLevel: Bool) throws(MetaLearnersError) {
        var columns: [Column] = []
        if names.isEmpty {
            try study.require(.covariates, for: "covariates")
            columns = study.covariates.columns
        } else {
            for name in names { columns.append(try study.columns.requiredColumn(name, for: "columns")) }
        }
        items = columns.flatMap { column -> [Item] in
            guard let levels = column.levels, let codes = column.codes() else {
                return [Item(name: column.name, values: column.values.doubles(), level: nil)]
            }
            return levels.indices.dropFirst(dropsFirstLevel ? 1 : 0).map { level in
                Item(
                    name: "\(column.name) = \(levels[level])",
                    values: codes.map { $0 < 0 ? .nan : $0 == level ? 1 : 0 }, level: levels[level])
            }
        }
    }

    /// The mean of numbers that are there, over rows with weight; NaN where none is.
    static func mean(_ values: [Double], _ weights: [Double]) -> Double {
        var sum = 0.0
        var total = 0.0
        for row in values.indices where weights[row] > 0 && !values[row].isNaN {
            sum += weights[row] * values[row]
            total += weights[row]
        }
        return total > 0 ? sum / total : .nan
    }
}
