import MetaLearnersCore

/// A number for each level of a category that has no indicator of its own: one column in place of many.
///
/// A level with an indicator has the score 0. Otherwise a model could tell the level's mean in the fold that it leaves out: within a level the
/// score of a row, from all other folds, is a decreasing function of the mean of the row's own fold, and where an indicator takes up what the
/// level's rows have in common, a slope of that function is left, which holds in the fold left out as well. (65 levels, outcomes and arms of
/// noise: propensities "out of fold" told the arms with an area under the curve of 0.73.)
struct LevelScores: Sendable, Equatable {
    /// The place of the category among the features.
    let feature: Int
    /// One for each level; 0, the mean, where it was never seen or has an indicator.
    let values: [Double]

    /// The score of a code; 0 where it has none.
    @inline(__always)
    func value(of code: Double) -> Double {
        code >= 0 && code < Double(values.count) ? values[Int(code)] : 0
    }

    /// How many levels without an indicator are worth a score.
    private static let leastScored = 16

    /// Scores, and beside each of them that of every row of the features by the other folds.
    struct Fitted: Sendable {
        var scores: [LevelScores] = []
        var ofRows: [[Double]] = []
    }

    /// Scores the levels that have no indicator, of all categories that have more than `limit` in these rows, those of other processes among
    /// them: standardised among the rows of these levels.
    ///
    /// - Parameters:
    ///   - weights: one for each of the rows, positive.
    /// - Throws: what the collective throws.
    /// - Complexity: O((rows + levels × folds) × targets) for each category.
    static func fit(
        _ features: Table, rows: [Int32], weights: [Double], _ scoring: LevelScoring?, limit: Int
    ) throws(MetaLearnersError) -> Fitted {
        var fitted = Fitted()
        guard let scoring else { return fitted }
        let large = features.columns.indices.filter { features.columns[$0].levels?.count ?? 0 > limit }
        guard !large.isEmpty else { return fitted }
        let distribution = features.distribution
        let total = try distribution.sum([weights.reduce(0, +)])[0]
        let count = Double(try distribution.sum([rows.count])[0])
        guard count > 0 else { return fitted }
        let foldCount = try distribution.maximum([Double(scoring.folds.max() ?? -1)])[0] + 1
        for feature in large {
            let column = features.columns[feature]
            let levels = column.levels?.count ?? 0
            let codes = column.values.doubles()
            let isKnown = { (code: Double) in code >= 0 && code < Double(levels) }
            var levelWeights = [Double](repeating: 0, count: levels)
            for (row, weight) in zip(rows, weights) where isKnown(codes[Int(row)]) {
                levelWeights[Int(codes[Int(row)])] += weight
            }
            levelWeights = try distribution.sum(levelWeights)
            let least = CategoricalEncoding.leastWeight(levelWeights, limit)
            guard least > 0 else { continue }
            let isRare = levelWeights.map { $0 < least }
            // A few rare levels share an indicator, which would tell of them what one of its own tells of a level.
            guard levelWeights.count(where: { $0 > 0 && $0 < least }) >= leastScored else { continue }
            let isScored = codes.map { isKnown($0) && isRare[Int($0)] }
            let scored = zip(rows, weights).filter { isScored[Int($0.0)] }
            let share = try distribution.sum([scored.reduce(0) { $0 + $1.1 }])[0]
            guard share > 0 else { continue }
            for target in scoring.targets {
                let sums = try Sums(
                    codes, levels: levels, target, scoring.folds, foldCount: Int(foldCount), rows: rows,
                    weights: weights.map { $0 / total * count }, count: count, distribution)
                guard !sums.isConstant else { continue }
                var ofRows = codes.indices.map { row in
                    isScored[row] ? sums.score(Int(codes[row]), without: scoring.folds[row]) : 0
                }
                var mean = 0.0
                for (row, weight) in scored { mean += weight / share * ofRows[Int(row)] }
                mean = try distribution.sum([mean])[0]
                var variance = 0.0
                for (row, weight) in scored {
                    variance += weight / share * (ofRows[Int(row)] - mean) * (ofRows[Int(row)] - mean)
                }
                variance = try distribution.sum([variance])[0]
                guard variance > 0, variance.isFinite else { continue }
                let deviation = variance.squareRoot()
                for row in ofRows.indices where isScored[row] {
                    ofRows[row] = (ofRows[row] - mean) / deviation
                }
                let values = (0..<levels).map { level in
                    sums.isSeen(level) && isRare[level]
                        ? (sums.score(level, without: -1) - mean) / deviation : 0
                }
                fitted.scores.append(LevelScores(feature: feature, values: values))
                fitted.ofRows.append(ofRows)
            }
        }
        return fitted
    }

    /// What the levels' rows add up to: a target less its mean, and weights, in all and by fold.
    private struct Sums {
        private let levels: Int
        private var target: [Double]
        private var weight: [Double]
        /// Whether the target varies by no more than rounding.
        let isConstant: Bool
        /// How many rows' worth of the mean of all is added to a level.
        private var prior = 0.0

        /// - Parameters:
        ///   - weights: one for each of the rows, of mean 1.
        ///   - count: how many rows there are, those of other processes among them.
        init(
            _ codes: [Double], levels: Int, _ values: [Double], _ folds: [Int32], foldCount: Int,
            rows: [Int32], weights: [Double], count: Double, _ distribution: DistributedRows?
        ) throws(MetaLearnersError) {
            self.levels = levels
            var target = [Double](repeating: 0, count: levels * (foldCount + 1))
            var weight = target
            var mean = 0.0
            for (row, share) in zip(rows, weights) { mean += share / count * values[Int(row)] }
            mean = try distribution.sum([mean])[0]
            var squares = 0.0
            var largest = 0.0
            for (row, share) in zip(rows, weights) {
                let deviation = values[Int(row)] - mean
                squares += share * deviation * deviation
                largest = max(largest, abs(values[Int(row)]))
                let code = codes[Int(row)]
                guard code >= 0, code < Double(levels) else { continue }
                for place in [0, Int(folds[Int(row)]) + 1] where place == 0 || folds[Int(row)] >= 0 {
                    target[place * levels + Int(code)] += share * deviation
                    weight[place * levels + Int(code)] += share
                }
            }
            if let distribution {
                let ofAll = try distribution.sum(target + weight + [squares])
                target = Array(ofAll.prefix(target.count))
                weight = Array(ofAll[target.count..<2 * target.count])
                squares = ofAll[2 * target.count]
                largest = try distribution.maximum([largest])[0]
            }
            self.target = target
            self.weight = weight
            isConstant = (squares / count).squareRoot() <= largest * 1e-13
            prior = Self.prior(target, weight, levels: levels, variance: squares / count)
        }

        /// The variance within levels over that between them, by the method of moments (DerSimonian & Laird 1986), within
        /// 1 and 100.
        private static func prior(_ target: [Double], _ weight: [Double], levels: Int, variance: Double)
            -> Double
        {
            var (between, seen, total, squares) = (0.0, 0.0, 0.0, 0.0)
            for level in 0..<levels where weight[level] > 0 {
                between += target[level] * target[level] / weight[level]
                seen += 1
                total += weight[level]
                squares += weight[level] * weight[level]
            }
            let room = total - squares / max(total, 1)
            guard variance > 0, room > 0 else { return 100 }
            let share = (between / variance - (seen - 1)) / room
            return share > 0 ? min(max((1 - share) / share, 1), 100) : 100
        }

        func isSeen(_ level: Int) -> Bool { weight[level] > 0 }

        /// The mean of a level less that of all, drawn towards 0, from the rows outside a fold (all for −1).
        func score(_ level: Int, without fold: Int32) -> Double {
            var (sum, count) = (target[level], weight[level])
            if fold >= 0 {
                sum -= target[(Int(fold) + 1) * levels + level]
                count = max(count - weight[(Int(fold) + 1) * levels + level], 0)
            }
            return sum / (count + prior)
        }
    }

    func encode(to writer: inout BinaryWriter) {
        writer.write(UInt64(feature))
        writer.write(values)
    }

    init(feature: Int, values: [Double]) {
        self.feature = feature
        self.values = values
    }

    /// - Parameter sources: what becomes of the features.
    init(from reader: inout BinaryReader, of sources: [DesignEncoder.Source]) throws(MetaLearnersError) {
        let place = try reader.read(UInt64.self)
        values = try reader.readDoubles()
        guard let feature = Int(exactly: place), sources.indices.contains(feature),
            case .categorical = sources[feature], values.allSatisfy(\.isFinite)
        else { throw BinaryReader.corrupt("the scores of a category's levels make no sense") }
        self.feature = feature
    }
}
