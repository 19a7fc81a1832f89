import MetaLearnersCore

/// A column cut into bins, to see what it alone says of treatment or outcome.
struct ColumnBins {
    /// The bin of each row.
    let codes: [Int32]
    /// How many bins there are.
    let count: Int

    /// Numbers of more different values than this are cut at their quantiles into as many bins.
    private static let most = 30

    /// Cuts a column; missing values are a bin of their own. O(rows log rows).
    init(_ column: Column) {
        let levels: [Int32]
        if let codes = column.codes() {
            levels = codes
            count = (column.levels?.count ?? 0) + 1
        } else {
            let numbers = column.values.doubles()
            let sorted = numbers.filter { !$0.isNaN }.sorted()
            var cuts: [Double] = []
            for value in sorted where cuts.last != value {
                cuts.append(value)
                if cuts.count > Self.most { break }
            }
            if cuts.count > Self.most {
                cuts = (1...Self.most).map {
                    OrderStatistics.quantile(ofSorted: sorted, Double($0) / Double(Self.most))
                }
            }
            levels = numbers.map { $0.isNaN ? -1 : Self.position($0, in: cuts) }
            count = cuts.count + 1
        }
        let missing = Int32(count - 1)
        codes = levels.map { $0 < 0 ? missing : $0 }
    }

    /// The first cut that is not below the value.
    private static func position(_ value: Double, in cuts: [Double]) -> Int32 {
        var low = 0
        var high = max(cuts.count - 1, 0)
        while low < high {
            let middle = (low + high) / 2
            if cuts[middle] < value { low = middle + 1 } else { high = middle }
        }
        return Int32(low)
    }

    /// The mean of a target in each row's bin, over the rows of the other folds; bins are drawn towards the mean of all by one
    /// row. O(rows + bins × folds).
    func outOfFoldMeans(_ target: [Double], _ weights: [Double], _ folds: [Int32], foldCount: Int) -> [Double]
    {
        var sums = [Double](repeating: 0, count: count * foldCount)
        var totals = sums
        for row in target.indices where weights[row] > 0 {
            let cell = Int(codes[row]) * foldCount + Int(folds[row])
            sums[cell] += weights[row] * target[row]
            totals[cell] += weights[row]
        }
        let mean = sums.reduce(0, +) / max(totals.reduce(0, +), .leastNormalMagnitude)
        var means = sums
        for bin in 0..<count {
            let cells = bin * foldCount..<(bin + 1) * foldCount
            let sum = sums[cells].reduce(0, +)
            let total = totals[cells].reduce(0, +)
            for cell in cells { means[cell] = (sum - sums[cell] + mean) / (total - totals[cell] + 1) }
        }
        return target.indices.map { means[Int(codes[$0]) * foldCount + Int(folds[$0])] }
    }
}

/// What single columns say of a target, out of fold.
struct ColumnSignal {
    private static let foldCount = 5
    private let folds: [Int32]
    private let weights: [Double]

    /// Draws folds, whole clusters in one.
    init(_ study: CausalStudy) {
        var stream = RandomStream(seed: 1, path: 0x434F_4C53)
        let groups = study.clusters.map { Int($0.max() ?? -1) + 1 } ?? study.rowCount
        var ofGroup = (0..<groups).map { Int32($0 % Self.foldCount) }
        stream.shuffle(&ofGroup)
        folds = study.clusters.map { $0.map { ofGroup[Int($0)] } } ?? ofGroup
        weights = study.weights ?? [Double](repeating: 1, count: study.rowCount)
    }

    /// The area under the ROC curve with which a column alone tells the rows of `positive` from the others among `rows`:
    /// 0.5 for nothing, 1 for perfectly.
    func area(_ column: ColumnBins, _ positive: [Bool], among rows: [Bool]) -> Double {
        let used = zip(weights, rows).map { $1 ? $0 : 0 }
        let means = column.outOfFoldMeans(
            positive.map { $0 ? 1 : 0 }, used, folds, foldCount: Self.foldCount)
        return ROCArea.area(means, positive: positive, weights: used) ?? 0.5
    }

    /// The share of a number's variance that a column alone explains; 0 where it explains none.
    func explained(_ column: ColumnBins, _ target: [Double]) -> Double {
        let means = column.outOfFoldMeans(target, weights, folds, foldCount: Self.foldCount)
        var moments = WeightedMoments()
        for row in target.indices { moments.add(target[row], weight: weights[row]) }
        var errors = 0.0
        var total = 0.0
        for row in target.indices {
            errors += weights[row] * (target[row] - means[row]) * (target[row] - means[row])
            total += weights[row] * (target[row] - moments.mean) * (target[row] - moments.mean)
        }
        return total > 0 ? max(1 - errors / total, 0) : 0
    }
}
