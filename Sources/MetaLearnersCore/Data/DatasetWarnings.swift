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

    private var distribution: DistributedRows? { covariates.distribution }

    /// The warnings, in a fixed order; those of single covariates only where all of their numbers are here.
    func texts() throws(MetaLearnersError) -> [String] {
        var texts: [String] = []
        if try isConstant() {
            texts.append("the outcome is the same in every row: all effects are zero")
        }
        texts += try labelWarnings + armWarnings() + weightWarnings() + propensityWarnings()
        guard distribution == nil else { return texts }
        for column in covariates.columns where column.values.coded == nil {
            texts += CovariateWarnings(column: column, treatment: treatment, outcome: outcome).texts
        }
        return texts
    }

    private func isConstant() throws(MetaLearnersError) -> Bool {
        guard let distribution else { return outcome.isConstant }
        let least = outcome.values.min() ?? .infinity
        let greatest = outcome.values.max() ?? -.infinity
        let range = try distribution.maximum([-least, greatest])
        return -range[0] == range[1]
    }

    /// The sums of some terms over all rows, those of other processes among them, for each of several things.
    private func sums(_ sums: [ExactSum]) throws(MetaLearnersError) -> [Double] {
        (try distribution?.sum(sums) ?? sums).map(\.value)
    }

    /// The first row of all where the value is the greatest of those of `rows`, with the value; nil where there are no rows.
    private func greatest(_ rows: [Int], _ value: (Int) -> Double) throws(MetaLearnersError) -> (
        value: Double, name: String
    )? {
        var row: Int?
        for other in rows where row.map({ value(other) > value($0) }) ?? true { row = other }
        guard let distribution else { return row.map { (value($0), places.name($0)) } }
        let most = try distribution.maximum([row.map(value) ?? -.infinity])[0]
        let mine = row.flatMap { value($0) == most ? Int64(distribution.firstRow + $0) : nil }
        let first = try distribution.maximum([mine.map { -$0 } ?? .min])[0]
        return first == .min ? nil : (most, "row index \(-first)")
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
            ObviousLabels.lookalikes(in: labels, mayBeCodes: noun == "levels").map { group in
                let list = group.labels.map { "'\($0)'" }.joined(separator: " and ")
                let likeness = group.areNumbers ? "are the same number" : "differ only in case or blanks"
                return "\(place): \(list) \(likeness), and count as different \(noun)"
            }
        }
    }

    private func armWarnings() throws(MetaLearnersError) -> [String] {
        var counts = [Int](repeating: 0, count: treatment.armCount)
        for (row, arm) in treatment.arms.enumerated() where weights.map({ $0[row] > 0 }) ?? true {
            counts[Int(arm)] += 1
        }
        if let distribution { counts = try distribution.sum(counts) }
        return counts.enumerated().compactMap { arm, count in
            guard count < Self.fewRows else { return nil }
            let noun = weights == nil ? "rows" : "rows with a weight"
            return
                "\(names.treatment): arm '\(treatment.labels[arm])' has only \(count) \(noun): its effects hang on single rows, and their intervals and p-values are not to be relied on"
        }
    }

    private func weightWarnings() throws(MetaLearnersError) -> [String] {
        guard let weights, distribution?.rowCount ?? weights.count >= 10 else { return [] }
        var texts: [String] = []
        var rows = [[Int]](repeating: [], count: treatment.armCount)
        for (row, arm) in treatment.arms.enumerated() { rows[Int(arm)].append(row) }
        let totals = try sums(
            rows.map { rows in
                var sum = ExactSum()
                sum.add(rows) { weights[$0] }
                return sum
            })
        let squares = try sums(
            rows.map { rows in
                var sum = ExactSum()
                sum.add(rows) { weights[$0] * weights[$0] }
                return sum
            })
        let total = totals.reduce(0, +)
        for (arm, rows) in rows.enumerated() {
            guard let heaviest = try greatest(rows, { weights[$0] }) else { continue }
            let ofArm = heaviest.value / totals[arm]
            let ofAll = heaviest.value / total
            // As many equal weights as say as much (Kish 1965); of arms that have few rows anyway that is said already.
            let equal = squares[arm] > 0 ? totals[arm] * totals[arm] / squares[arm] : 0
            var weighted = rows.count { weights[$0] > 0 }
            if let distribution { weighted = try distribution.sum(weighted) }
            if ofArm > Self.heavyShare.arm || ofAll > Self.heavyShare.total {
                texts.append(
                    "\(names.weight): \(heaviest.name) alone holds \(percent(ofAll)) of the total weight and \(percent(ofArm)) of that of arm '\(treatment.labels[arm])': estimates hang on this row"
                )
            } else if equal < Double(Self.fewRows), weighted >= Self.fewRows {
                texts.append(
                    "\(names.weight): the \(weighted) rows of arm '\(treatment.labels[arm])' have weights so unequal that they say as much as \(Int(equal.rounded())) of equal weight: estimates are as uncertain as with so few"
                )
            }
        }
        return texts
    }

    private func propensityWarnings() throws(MetaLearnersError) -> [String] {
        guard let knownPropensities else { return [] }
        var texts: [String] = []
        for (arm, values) in knownPropensities.enumerated() {
            var low = values.reduce(0) { $0 + ($1 < Self.lowPropensity ? 1 : 0) }
            if let distribution { low = try distribution.sum(low) }
            guard low > 0, let least = try greatest(Array(values.indices), { -values[$0] }) else { continue }
            let count = distribution?.rowCount ?? values.count
            texts.append(
                "propensity: \(low) of \(count) rows have a known propensity below \(Self.lowPropensity) for arm '\(treatment.labels[arm])' (\(-least.value) in \(least.name)): known propensities are used as they are, and single rows can decide the estimate"
            )
        }
        return texts + (try shareWarnings(knownPropensities))
    }

    /// Whether each arm is as frequent as its known propensities say: within five standard errors, and 0.02.
    private func shareWarnings(_ propensities: [[Double]]) throws(MetaLearnersError) -> [String] {
        let armCount = treatment.armCount
        // The weights, their squares, those of each arm, and what the propensities say of each arm.
        var terms = [ExactSum](repeating: ExactSum(), count: 2 + 2 * armCount)
        for (row, arm) in treatment.arms.enumerated() {
            let weight = weights?[row] ?? 1
            terms[0].add(weight)
            terms[1].add(weight * weight)
            terms[2 + Int(arm)].add(weight)
            for arm in 0..<armCount { terms[2 + armCount + arm].add(weight * propensities[arm][row]) }
        }
        let found = try sums(terms)
        let total = found[0]
        let observed = found[2..<2 + armCount].map { $0 / total }
        let expected = found[(2 + armCount)...].map { $0 / total }
        // Of clusters that are assigned as a whole there are only so many draws.
        let rows = distribution?.rowCount ?? treatment.arms.count
        let clusterCount =
            try clusters.map { clusters throws(MetaLearnersError) in
                Int(try distribution.maximum([Double(clusters.max() ?? -1)])[0]) + 1
            } ?? rows
        let draws = min(total * total / found[1], Double(clusterCount))
        func misses(_ expected: [Double]) -> [Int] {
            expected.indices.filter { arm in
                let error = (expected[arm] * (1 - expected[arm]) / draws).squareRoot()
                return abs(observed[arm] - expected[arm]) > max(5 * error, 0.02)
            }
        }
        guard let arm = misses(expected).first else {
            return try likelihoodWarnings(propensities, shares: observed)
        }
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

    /// Whether known propensities predict arms worse than the arms' shares do: by a hundredth of a unit of log-likelihood a row, and five
    /// standard errors. Those of somebody else's rows, or of the other arm where both are as frequent, are found by nothing else.
    private func likelihoodWarnings(_ propensities: [[Double]], shares: [Double]) throws(MetaLearnersError)
        -> [String]
    {
        let last = try clusters.map { clusters throws(MetaLearnersError) in
            Int(try distribution.maximum([Double(clusters.max() ?? -1)])[0])
        }
        var gains = [Double](repeating: 0, count: (last ?? -1) + 1)
        // The gains, their squares, and the weights.
        var terms = [ExactSum](repeating: ExactSum(), count: 3)
        for (row, arm) in treatment.arms.enumerated() {
            let (weight, arm) = (weights?[row] ?? 1, Int(arm))
            guard weight > 0 else { continue }
            let gain =
                weight * Double.log(shares[arm] / max(propensities[arm][row], Double.leastNormalMagnitude))
            terms[0].add(gain)
            terms[1].add(gain * gain)
            terms[2].add(weight)
            if let clusters { gains[Int(clusters[row])] += gain }
        }
        let found = try sums(terms)
        var squares = found[1]
        if clusters != nil { squares = try distribution.sum(gains).reduce(0) { $0 + $1 * $1 } }
        guard found[0] > max(5 * squares.squareRoot(), 0.01 * found[2]) else { return [] }
        return [
            "propensity: the known propensities predict the arms worse than each arm's share of the rows would: they may be those of another arm, or of other rows; effects and averages are wrong where they are"
        ]
    }

    private func percent(_ share: Double) -> String {
        let tenths = (share * 1000).rounded() / 10
        return tenths == tenths.rounded() ? "\(Int(tenths)) %" : "\(tenths) %"
    }
}
