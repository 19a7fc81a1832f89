/// How the results of repeated cross-fitting become one: element by element over the repeats.
///
/// The median is the choice of Chernozhukov et al. (2018, arXiv 1608.00060, section 3.4): one unlucky draw of folds does
/// not move it.
public enum RepeatAggregation: String, Sendable, CaseIterable {
    /// The median; the mean of the middle two where their number is even.
    case median
    /// The mean.
    case mean

    /// One value for each position.
    ///
    /// - Parameter repeats: lists of equal length, one per repeat.
    /// - Complexity: O(values · repeats · log repeats).
    public func combined(_ repeats: [[Double]]) -> [Double] {
        guard repeats.count > 1, let first = repeats.first else { return repeats.first ?? [] }
        let count = repeats.count
        switch self {
        case .mean:
            return first.indices.map { index in
                repeats.reduce(0) { $0 + $1[index] } / Double(count)
            }
        case .median:
            var values = [Double](repeating: 0, count: count)
            return first.indices.map { index in
                for position in 0..<count { values[position] = repeats[position][index] }
                values.sort()
                return OrderStatistics.median(ofSorted: values)
            }
        }
    }

    /// Combines the probabilities of so many classes, which add up to 1 again.
    ///
    /// - Parameter repeats: lists of equal length, one per repeat, each with `classes` numbers per row.
    public func combinedProbabilities(_ repeats: [[Double]], classes: Int) -> [Double] {
        var all = combined(repeats)
        guard repeats.count > 1, classes > 1 else { return all }
        for start in stride(from: 0, to: all.count - classes + 1, by: classes) {
            let sum = all[start..<start + classes].reduce(0, +)
            guard sum > 0 else { continue }
            for index in start..<start + classes { all[index] /= sum }
        }
        return all
    }
}
