import MetaLearnersCore

/// How a column of categories enters a design matrix: an indicator for each level seen in training, and one for
/// missing values where there were any, each less its share and, in fits without a penalty, standardised.
///
/// A penalty must meet indicators as they are. Standardised, the indicator of a level with a share p would stand
/// √(p(1 − p)) times as high, and the penalty on what the level does would be p(1 − p) times as heavy: next to none
/// for a rare level, whose few rows would then be fitted as if they were all there is.
///
/// A level that was never seen counts as missing. Where nothing was missing in training, its indicators stand at
/// their shares, so at 0: the row gets the average effect of the levels.
struct CategoricalEncoding: Sendable, Equatable {
    /// Which indicator each level has, several levels perhaps the same; −1 where it was never seen.
    let indicatorOfLevel: [Int32]
    /// The indicator of missing values; −1 where there were none.
    let missingIndicator: Int32
    /// The share of the training weight of each indicator.
    let shares: [Double]
    /// The indicator that is left out because the others imply it; −1 where all are kept.
    let reference: Int32
    /// Whether indicators stand as they are, less their shares; else they are standardised.
    let isPlain: Bool
    /// Which column, from 0, each indicator has; −1 where it is left out.
    let positions: [Int32]
    /// How many columns of the design matrix this is.
    let width: Int

    private init(
        indicatorOfLevel: [Int32], missingIndicator: Int32, shares: [Double], reference: Int32, isPlain: Bool
    ) {
        self.indicatorOfLevel = indicatorOfLevel
        self.missingIndicator = missingIndicator
        self.shares = shares
        self.reference = reference
        self.isPlain = isPlain
        var width: Int32 = 0
        var positions: [Int32] = []
        positions.reserveCapacity(shares.count)
        for (indicator, share) in shares.enumerated() {
            let kept = indicator != Int(reference) && Self.spread(of: share) > 0
            positions.append(kept ? width : -1)
            if kept { width += 1 }
        }
        self.positions = positions
        self.width = Int(width)
    }

    /// Learns the encoding of `column`, a category, at `rows`.
    ///
    /// - Parameters:
    ///   - weights: one for each of the rows, positive.
    ///   - totalWeight: their sum.
    ///   - againstReference: whether to leave the heaviest indicator out, and to standardise the others.
    ///   - levelLimit: the most levels that have an indicator each: the heaviest. The others share one.
    init(
        _ column: Column, rows: [Int32], weights: [Double], totalWeight: Double, againstReference: Bool,
        levelLimit: Int = .max, _ distribution: DistributedRows? = nil
    ) throws(MetaLearnersError) {
        let levelCount = column.levels?.count ?? 0
        var levelWeights = [Double](repeating: 0, count: levelCount)
        var missingWeight = 0.0
        for (code, weight) in zip(column.values.doubles(rows), weights) {
            if code >= 0, code < Double(levelCount) {
                levelWeights[Int(code)] += weight
            } else {
                missingWeight += weight
            }
        }
        if let distribution {
            levelWeights = try distribution.sum(levelWeights + [missingWeight])
            missingWeight = levelWeights.removeLast()
        }
        var shares: [Double] = []
        var indicatorOfLevel = [Int32](repeating: -1, count: levelCount)
        let least = Self.leastWeight(levelWeights, levelLimit)
        for level in 0..<levelCount where levelWeights[level] >= least && levelWeights[level] > 0 {
            indicatorOfLevel[level] = Int32(clamping: shares.count)
            shares.append(levelWeights[level] / totalWeight)
        }
        if least > 0 {
            let rest = (0..<levelCount).filter { levelWeights[$0] > 0 && levelWeights[$0] < least }
            for level in rest { indicatorOfLevel[level] = Int32(clamping: shares.count) }
            shares.append(rest.reduce(0) { $0 + levelWeights[$1] } / totalWeight)
        }
        var missingIndicator: Int32 = -1
        if missingWeight > 0 {
            missingIndicator = Int32(clamping: shares.count)
            shares.append(missingWeight / totalWeight)
        }
        var reference: Int32 = -1
        if againstReference, let heaviest = shares.max(), let first = shares.firstIndex(of: heaviest) {
            reference = Int32(clamping: first)
        }
        self.init(
            indicatorOfLevel: indicatorOfLevel, missingIndicator: missingIndicator, shares: shares,
            reference: reference, isPlain: !againstReference)
    }

    /// What a level must weigh to be one of the `limit` heaviest; levels of equal weight stay together. 0 where there are no
    /// more levels than that.
    static func leastWeight(_ weights: [Double], _ limit: Int) -> Double {
        let heaviest = weights.filter { $0 > 0 }.sorted(by: >)
        guard heaviest.count > limit else { return 0 }
        return heaviest[limit].nextUp
    }

    /// What an indicator with mean `share` is divided by.
    @inline(__always)
    func unit(of share: Double) -> Double { isPlain ? 1 : Self.spread(of: share) }

    /// The standard deviation of an indicator with mean `share`.
    private static func spread(of share: Double) -> Double { (share * (1 - share)).squareRoot() }

    /// The indicator of `code`; −1 where it has none.
    @inline(__always)
    func indicator(of code: Double) -> Int {
        guard code >= 0, code < Double(indicatorOfLevel.count) else { return Int(missingIndicator) }
        let indicator = indicatorOfLevel[Int(code)]
        return Int(indicator >= 0 ? indicator : missingIndicator)
    }

    /// Writes the indicators of `codes` to columns of `target` that are `stride` apart.
    func fill(_ codes: UnsafeBufferPointer<Double>, to target: UnsafeMutablePointer<Double>, stride: Int) {
        for (indicator, position) in positions.enumerated() where position >= 0 {
            let share = shares[indicator]
            (target + Int(position) * stride).update(
                repeating: (0 - share) / unit(of: share), count: codes.count)
        }
        for row in 0..<codes.count {
            let indicator = indicator(of: codes[row])
            guard indicator >= 0 else {
                for column in 0..<width { target[column * stride + row] = 0 }
                continue
            }
            let position = Int(positions[indicator])
            let share = shares[indicator]
            if position >= 0 { target[position * stride + row] = (1 - share) / unit(of: share) }
        }
    }

    func encode(to writer: inout BinaryWriter) {
        writer.write(indicatorOfLevel)
        writer.write(missingIndicator)
        writer.write(shares)
        writer.write(reference)
    }

    /// - Parameter isPlain: whether indicators stand as they are.
    init(from reader: inout BinaryReader, isPlain: Bool) throws(MetaLearnersError) {
        let indicatorOfLevel = try reader.readArray(Int32.self)
        let missingIndicator = try reader.read(Int32.self)
        let shares = try reader.readDoubles()
        let reference = try reader.read(Int32.self)
        let valid = -1..<shares.count
        guard valid.contains(Int(missingIndicator)), valid.contains(Int(reference)),
            indicatorOfLevel.allSatisfy({ valid.contains(Int($0)) }),
            shares.allSatisfy({ $0 >= 0 && $0 <= 1 }), shares.count <= Int(Int32.max)
        else { throw BinaryReader.corrupt("the encoding of a categorical column makes no sense") }
        self.init(
            indicatorOfLevel: indicatorOfLevel, missingIndicator: missingIndicator, shares: shares,
            reference: reference, isPlain: isPlain)
    }
}
