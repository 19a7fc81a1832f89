/// What is doubtful about rows to learn from, and yet no error: arms, weights and known propensities.
///
/// The rows are looked at once, when the dataset is made; every model that is fitted to it hands the warnings on.
/// Complexity: O(rows · columns), and less for most columns.
struct DatasetWarnings {
    let covariates: Table
    let treatment: Treatment
    let outcome: Outcome
    /// On the scale where the mean of the positive ones is 1.
    let weights: [Double]?
    let clusters: [Int32]?
    let knownPropensities: [[Double]]?
    let names: CausalDataset.PartNames
    let places: RowPlaces

    /// Arms of fewer rows than this have estimates that hang on single rows, and their intervals are too short.
    private static let fewRows = 20
    /// The share of the total, and of an arm's total, from which on one row's weight is said to hold most of it.
    private static let heavyShare = (total: 0.2, arm: 0.5)
    /// Known propensities below this give a row more than a thousand times its weight.
    private static let lowPropensity = 1e-3

    /// The warnings, in a fixed order.
    var texts: [String] {
        var texts: [String] = []
        if outcome.isConstant {
            texts.append("the outcome is the same in every row: all effects are zero")
        }
        texts += labelWarnings + armWarnings + weightWarnings + propensityWarnings
        for column in covariates.columns {
            texts += CovariateWarnings(column: column, treatment: treatment, outcome: outcome).texts
        }
        return texts
    }

    /// Labels of arms, classes and levels that a person would take for the same.
    private var labelWarnings: [String] {
        var lists = [(names.treatment, treatment.labels, "arms")]
        switch outcome.kind {
        case .binary(let labels), .classes(let labels): lists.append((names.outcome, labels, "classes"))
        case .continuous, .count: break
        }
        for column in covariates.columns {
            if let levels = column.levels { lists.append(("column '\(column.name)'", levels, "levels")) }
        }
        return lists.flatMap { place, labels, noun in
            ObviousLabels.lookalikes(in: labels).map { group in
                let list = group.map { "'\($0)'" }.joined(separator: " and ")
                return "\(place): \(list) differ only in case or blanks, and count as different \(noun)"
            }
        }
    }

    private var armWarnings: [String] {
        var counts = [Int](repeating: 0, count: treatment.armCount)
        for (row, arm) in treatment.arms.enumerated() where weights.map({ $0[row] > 0 }) ?? true {
            counts[Int(arm)] += 1
        }
        return counts.enumerated().compactMap { arm, count in
            guard count < Self.fewRows else { return nil }
            let noun = weights == nil ? "rows" : "rows with a weight"
            return
                "\(names.treatment): arm '\(treatment.labels[arm])' has only \(count) \(noun): its effects hang on single rows, and their intervals and p-values are not to be relied on"
        }
    }

    private var weightWarnings: [String] {
        guard let weights, weights.count >= 10 else { return [] }
        var largest = [Int](repeating: -1, count: treatment.armCount)
        var totals = [Double](repeating: 0, count: treatment.armCount)
        for (row, arm) in treatment.arms.enumerated() {
            let arm = Int(arm)
            totals[arm] += weights[row]
            if largest[arm] < 0 || weights[row] > weights[largest[arm]] { largest[arm] = row }
        }
        let total = totals.reduce(0, +)
        return largest.enumerated().compactMap { arm, row in
            guard row >= 0 else { return nil }
            let ofArm = weights[row] / totals[arm]
            let ofAll = weights[row] / total
            guard ofArm > Self.heavyShare.arm || ofAll > Self.heavyShare.total else { return nil }
            return
                "\(names.weight): \(places.name(row)) alone holds \(percent(ofAll)) of the total weight and \(percent(ofArm)) of that of arm '\(treatment.labels[arm])': estimates hang on this row"
        }
    }

    private var propensityWarnings: [String] {
        guard let knownPropensities else { return [] }
        var texts: [String] = []
        for (arm, values) in knownPropensities.enumerated() {
            let low = values.reduce(0) { $0 + ($1 < Self.lowPropensity ? 1 : 0) }
            guard low > 0, let row = values.indices.min(by: { values[$0] < values[$1] }) else { continue }
            texts.append(
                "propensity: \(low) of \(values.count) rows have a known propensity below \(Self.lowPropensity) for arm '\(treatment.labels[arm])' (\(values[row]) in \(places.name(row))): known propensities are used as they are, and single rows can decide the estimate"
            )
        }
        return texts + shareWarnings(knownPropensities)
    }

    /// Whether each arm is as frequent as its known propensities say: within five standard errors, and 0.02.
    private func shareWarnings(_ propensities: [[Double]]) -> [String] {
        let rows = treatment.arms.count
        var total = 0.0
        var squares = 0.0
        var observed = [Double](repeating: 0, count: treatment.armCount)
        var expected = observed
        for (row, arm) in treatment.arms.enumerated() {
            let weight = weights?[row] ?? 1
            total += weight
            squares += weight * weight
            observed[Int(arm)] += weight
            for arm in expected.indices { expected[arm] += weight * propensities[arm][row] }
        }
        observed = observed.map { $0 / total }
        expected = expected.map { $0 / total }
        // Of clusters that are assigned as a whole there are only so many draws.
        let clusterCount = clusters.map { Set($0).count } ?? rows
        let draws = min(total * total / squares, Double(clusterCount))
        func misses(_ expected: [Double]) -> [Int] {
            expected.indices.filter { arm in
                let error = (expected[arm] * (1 - expected[arm]) / draws).squareRoot()
                return abs(observed[arm] - expected[arm]) > max(5 * error, 0.02)
            }
        }
        guard let arm = misses(expected).first else { return [] }
        let shares =
            "propensity: arm '\(treatment.labels[arm])' has \(percent(observed[arm])) of the rows, and its known propensities say \(percent(expected[arm]))"
        // In another order they would fit: the greatest of the one to the greatest of the other.
        let byObserved = observed.indices.sorted { observed[$0] < observed[$1] }
        let ascending = expected.sorted()
        var reordered = expected
        for (place, arm) in byObserved.enumerated() { reordered[arm] = ascending[place] }
        if misses(reordered).isEmpty {
            return [
                shares
                    + "; in another order they would fit: list the arms' propensities with the control first (\(treatment.labels.map { "'\($0)'" }.joined(separator: ", ")))"
            ]
        }
        return [shares + ": effects and averages are wrong where the known propensities are"]
    }

    private func percent(_ share: Double) -> String {
        let tenths = (share * 1000).rounded() / 10
        return tenths == tenths.rounded() ? "\(Int(tenths)) %" : "\(tenths) %"
    }
}
