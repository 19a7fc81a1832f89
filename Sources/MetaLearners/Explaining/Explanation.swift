import MetaLearnersCore

/// How far each covariate moves the effect of each row from the mean: Shapley values of the CATE.
///
/// For every row and output the values of the covariates and the base value add up to the effect that the model predicts. A
/// category is one covariate, however a base learner encodes it.
public struct Explanation: Sendable {
    /// The names of the effects explained, as `predict` has them: `cate`, or `cate_<arm>` for each arm.
    public let outputNames: [String]
    /// The covariates, in the order of training.
    public let featureNames: [String]
    /// Row by row, and in a row effect by effect: a number for each covariate.
    public let values: [Double]
    /// The standard errors of these; empty where the values are exact. They tell how far the orders drawn are from all orders,
    /// for these background rows.
    public let standardErrors: [Double]
    /// The expected value of each effect, which the values start from.
    public let baseValues: [Double]
    /// For each effect, its prediction for each row.
    public let effects: [[Double]]
    /// The covariates of the rows, as the model knows them.
    public let features: Table
    /// How the values were found.
    public let method: ShapleyMethod
    /// The same in a sentence.
    public let note: String
    /// The rows that absent covariates took their values from; 0 where none were needed.
    public let backgroundRowCount: Int
    /// The largest difference between an effect and what its values added up to before it was shared out among them: rounding.
    public let largestGap: Double
    /// What the user should know of the rows.
    public let warnings: [String]

    /// How many rows are explained.
    public var rowCount: Int { features.rowCount }

    /// What a covariate contributes to an effect in a row.
    public func value(row: Int, output: Int, feature: Int) -> Double {
        values[(row * outputNames.count + output) * featureNames.count + feature]
    }

    /// The mean absolute value of each covariate: how much the effect depends on it.
    public func meanAbsoluteValues(output: Int) -> [Double] {
        var sums = [Double](repeating: 0, count: featureNames.count)
        for row in 0..<rowCount {
            for feature in sums.indices {
                sums[feature] += abs(value(row: row, output: output, feature: feature))
            }
        }
        return sums.map { $0 / Double(max(rowCount, 1)) }
    }

    /// What the explanation is, but for the numbers of rows.
    public var summary: SpecValue {
        [
            "outputs": .array(outputNames.map { .string($0) }),
            "features": .array(featureNames.map { .string($0) }),
            "levels": .array(
                features.columns.map { .array(($0.levels ?? []).map { .string($0) }) }),
            "rows": .integer(rowCount),
            "method": .string(method.rawValue),
            "exact": .boolean(standardErrors.isEmpty),
            "note": .string(note),
            "background_rows": .integer(backgroundRowCount),
            "base_values": .array(baseValues.map { .number($0) }),
            "mean_absolute_values": .array(
                outputNames.indices.map { .array(meanAbsoluteValues(output: $0).map { .number($0) }) }),
            "largest_gap": .number(largestGap),
            "warnings": .array(warnings.map { .string($0) }),
        ]
    }
}

extension Explanation {
    /// The explanation of the rows of parts, one behind the other; at least one part.
    init(joining parts: [Explanation]) {
        let first = parts[0]
        guard parts.count > 1 else {
            self = first
            return
        }
        let columns = first.features.columns.indices.map { index in
            let values = parts.flatMap { $0.features.columns[index].values.doubles() }
            let column = first.features.columns[index]
            guard let levels = column.levels else { return Column(column.name, values) }
            return Column(
                column.name, codes: StridedValues(values.map { $0 >= 0 ? Int32($0) : -1 }), levels: levels)
        }
        self.init(
            outputNames: first.outputNames, featureNames: first.featureNames,
            values: parts.flatMap(\.values), standardErrors: parts.flatMap(\.standardErrors),
            baseValues: first.baseValues,
            effects: first.effects.indices.map { output in parts.flatMap { $0.effects[output] } },
            features: first.features.replacing(columns), method: first.method, note: first.note,
            backgroundRowCount: first.backgroundRowCount,
            largestGap: parts.reduce(0) { max($0, $1.largestGap) }, warnings: first.warnings)
    }
}

extension Table {
    /// A table of these columns, which are as long as each other and named as the table's.
    fileprivate func replacing(_ columns: [Column]) -> Table {
        (try? Table(columns, rowCount: columns.first?.count ?? 0)) ?? self
    }
}
