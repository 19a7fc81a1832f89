import MetaLearnersCore

/// A small regression tree of doubly robust scores: a few rules that tell whose effect is larger.
///
/// It is honest: one half of the rows (or clusters) chooses the rules, and the other half, which had no say in them, tells the
/// average effect that each leads to (Athey & Imbens 2016, arXiv 1504.01132).
struct SurrogateTree {
    /// A condition on a row.
    struct Condition {
        /// In words: "age ≤ 40.5", "region is north".
        let text: String
        let item: Int
        let threshold: Double
        let isBelow: Bool

        /// Whether a row fulfils it; a missing value fulfils "not at most" alone.
        func holds(_ value: Double) -> Bool { (value <= threshold) == isBelow }
    }

    /// A leaf: the conditions that lead to it.
    struct Leaf {
        let conditions: [Condition]

        /// The conditions in words, those left out that a later one of the same kind is stricter than.
        var rule: String {
            let needed = conditions.indices.filter { index in
                !conditions[(index + 1)...].contains {
                    $0.item == conditions[index].item && $0.isBelow == conditions[index].isBelow
                }
            }
            return needed.isEmpty
                ? "everybody" : needed.map { conditions[$0].text }.joined(separator: " and ")
        }
    }

    private let items: [Characteristics.Item]
    private let scores: [Double]
    private let weights: [Double]
    private let leastWeight: Double
    /// The cuts of each characteristic that are tried.
    private let cuts: [[Double]]
    /// In the order of their rules.
    private(set) var leaves: [Leaf] = []

    /// Grows a tree.
    ///
    /// - Parameters:
    ///   - scores: ψ for each row.
    ///   - weights: of each row, 0 for rows that have no say.
    ///   - depth: conditions of a rule at most.
    ///   - leastShare: the share of the weight that each leaf has at least.
    /// - Complexity: O(rows × characteristics × cuts) for each level of depth.
    init(
        _ items: [Characteristics.Item], _ scores: [Double], weights: [Double], depth: Int, leastShare: Double
    ) {
        self.items = items
        self.scores = scores
        self.weights = weights
        leastWeight = leastShare * weights.reduce(0, +)
        cuts = items.map { item in
            guard item.level == nil else { return [0.5] }
            let quantiles = WeightedQuantiles(item.values, weights: weights)
            let distinct = Set((1..<32).map { quantiles.quantile(Double($0) / 32) }).sorted()
            return distinct.filter { cut in quantiles.values.last.map { cut < $0 } ?? false }
        }
        grow(weights.indices.filter { weights[$0] > 0 }, [], depth)
    }

    private mutating func grow(_ rows: [Int], _ conditions: [Condition], _ depth: Int) {
        guard depth > 0, let split = bestSplit(rows) else {
            leaves.append(Leaf(conditions: conditions))
            return
        }
        for isBelow in [true, false] {
            let condition = condition(split.item, split.threshold, isBelow)
            grow(
                rows.filter { condition.holds(items[split.item].values[$0]) }, conditions + [condition],
                depth - 1)
        }
    }

    private func condition(_ item: Int, _ threshold: Double, _ isBelow: Bool) -> Condition {
        let name = items[item].name
        let text: String
        if let level = items[item].level {
            let column = String(name.dropLast(level.count + 3))
            text = "\(column) is \(isBelow ? "not " : "")\(level)"
        } else {
            text = "\(name) \(isBelow ? "≤" : ">") \(Column.label(of: threshold))"
        }
        return Condition(text: text, item: item, threshold: threshold, isBelow: isBelow)
    }

    /// The split with the largest sum of squares between its sides; nil where none is clear: its squared t-statistic must exceed
    /// 2 log(2 × candidates), about what the largest of so many reaches by chance.
    private func bestSplit(_ rows: [Int]) -> (item: Int, threshold: Double)? {
        var total = 0.0
        var sum = 0.0
        var squares = 0.0
        for row in rows {
            total += weights[row]
            sum += weights[row] * scores[row]
            squares += weights[row] * scores[row] * scores[row]
        }
        guard total >= 2 * leastWeight, rows.count > 4 else { return nil }
        let variance = squares / total - (sum / total) * (sum / total)
        var best: (gain: Double, item: Int, threshold: Double)?
        var candidates = 0
        for (index, item) in items.enumerated() where !cuts[index].isEmpty {
            let points = cuts[index]
            var weightOf = [Double](repeating: 0, count: points.count + 1)
            var sumOf = weightOf
            for row in rows {
                let value = item.values[row]
                // The first cut that is not below the value, found by halving.
                var low = 0
                var high = points.count
                while low < high {
                    let middle = (low + high) / 2
                    if value <= points[middle] { high = middle } else { low = middle + 1 }
                }
                weightOf[low] += weights[row]
                sumOf[low] += weights[row] * scores[row]
            }
            var left = (weight: 0.0, sum: 0.0)
            for cut in points.indices {
                left.weight += weightOf[cut]
                left.sum += sumOf[cut]
                let right = total - left.weight
                guard left.weight >= leastWeight, right >= leastWeight, left.weight > 0, right > 0 else {
                    continue
                }
                candidates += 1
                let difference = left.sum / left.weight - (sum - left.sum) / right
                let gain = left.weight * right / total * difference * difference
                if gain > best?.gain ?? 0 { best = (gain, index, points[cut]) }
            }
        }
        guard let best, variance > 0 else { return nil }
        // Weights of rows count as shares of the rows: t² = gain/variance in units of rows.
        let statistic = best.gain / total * Double(rows.count) / variance
        guard statistic > 2 * Double.log(Double(max(2 * candidates, 2))) else { return nil }
        return (best.item, best.threshold)
    }

    /// The leaf of each row; −1 for rows without weight.
    func leaf(of rows: Int, weights: [Double]) -> [Int32] {
        (0..<rows).map { row in
            guard weights[row] > 0 else { return -1 }
            let place = leaves.firstIndex { leaf in
                leaf.conditions.allSatisfy { $0.holds(items[$0.item].values[row]) }
            }
            return Int32(place ?? -1)
        }
    }
}
