import MetaLearnersCore

/// The least-squares projection of doubly robust scores on characteristics: E[ψ | A] ≈ β₀ + Aβ (Semenova & Chernozhukov 2021,
/// arXiv 1702.06240), with HC3 errors, or cluster-robust ones where there are clusters.
struct ScoreProjection {
    /// The constant first.
    let names: [String]
    let fit: LeastSquaresFit
    /// How many rows took part.
    let rowCount: Int
    /// Characteristics of which values were missing.
    let incomplete: [String]

    /// Fits the projection. A missing value counts as the mean of its column.
    ///
    /// - Throws: `invalidData` where there are not more rows than coefficients, or fewer than two clusters.
    init(_ study: CausalStudy, _ scores: [Double], _ characteristics: Characteristics)
        throws(MetaLearnersError)
    {
        let weights = study.rowWeights
        let rows = weights.indices.filter { weights[$0] > 0 }
        let items = characteristics.items
        let means = items.map { Characteristics.mean($0.values, weights) }
        names = ["(constant)"] + items.map(\.name)
        var values: [Double] = []
        values.reserveCapacity(rows.count * names.count)
        for row in rows {
            values.append(1)
            for (item, mean) in zip(items, means) {
                let value = item.values[row]
                values.append(value.isNaN ? (mean.isNaN ? 0 : mean) : value)
            }
        }
        incomplete = items.filter { item in rows.contains { item.values[$0].isNaN } }.map(\.name)
        rowCount = rows.count
        fit = try LeastSquaresFit(
            DesignMatrix(names: names, values: values), rows.map { scores[$0] },
            weights: rows.map { weights[$0] },
            clusters: study.clusters.map { clusters in rows.map { clusters[$0] } }, errors: .hc3)
    }

    /// The coefficient of a column; nil where the column depends on those before it.
    func coefficient(_ column: Int) -> NormalEstimate? {
        guard !fit.isAliased[column] else { return nil }
        var combination = [Double](repeating: 0, count: names.count)
        combination[column] = 1
        return fit.estimate(combination)
    }

    /// Wald's test (Hotelling's) that all coefficients but the constant are 0; nil where there is none.
    var slopes: WaldTest? {
        let width = names.count
        let covariance = fit.covariance()
        let columns = (1..<max(width, 1)).filter { !fit.isAliased[$0] }
        guard !columns.isEmpty else { return nil }
        return WaldTest(
            estimates: columns.map { fit.coefficients[$0] },
            covariance: columns.flatMap { row in columns.map { covariance[row * width + $0] } },
            .hotelling(Int(fit.degreesOfFreedom)))
    }
}
