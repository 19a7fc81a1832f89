import MetaLearnersCore

/// How a column of categories enters a design matrix: an indicator for each level seen in training, and one for
/// missing values where there were any, each standardised.
///
/// A level that was never seen counts as missing. Where nothing was missing in training, its indicators stand at
/// their means, so at 0 once standardised: the row gets the average effect of the levels.
struct CategoricalEncoding: Sendable, Equatable {
    /// Which indicator each level has; −1 where it was never seen.
    let indicatorOfLevel: [Int32]
    /// The indicator of missing values; −1 where there were none.
    let missingIndicator: Int32
    /// The share of the training weight of each indicator.
    let shares: [Double]
    /// The indicator that is left out because the others imply it; −1 where all are kept.
    let reference: Int32
    /// Which column, from 0, each indicator has; −1 where it is left out.
    let positions: [Int32]
    /// How many columns of the design matrix this is.
    let width: Int

    private init(indicatorOfLevel: [Int32], missingIndicator: Int32, shares: [Double], reference: Int32) {
        self.indicatorOfLevel = indicatorOfLevel
        self.missingIndicator = missingIndicator
        self.shares = shares
        self.reference = reference
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
    ///   - againstReference: whether to leave the heaviest indicator out.
    init(_ column: Column, rows: [Int32], weights: [Double], totalWeight: Double, againstReference: Bool) {
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
        var shares: [Double] = []
        var indicatorOfLevel = [Int32](repeating: -1, count: levelCount)
        for level in 0..<levelCount where levelWeights[level] > 0 {
            indicatorOfLevel[level] = Int32(clamping: shares.count)
            shares.append(levelWeights[level] / totalWeight)
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
            reference: reference)
    }

    /// The standard deviation of an indicator with mean `share`.
    static func spread(of share: Double) -> Double { (share * (1 - share)).squareRoot() }

    /// The indicator of `code`; −1 where it has none.
    @inline(__always)
    func indicator(of code: Double) -> Int {
        guard code >= 0, code < Double(indicatorOfLevel.count) else { return Int(missingIndicator) }
        let indicator = indicatorOfLevel[Int(code)]
        return Int(indicator >= 0 ? indicator : missingIndicator)
    }

    /// Writes the standardised indicators of `codes` to columns of `target` that are `stride` apart.
    func fill(_ codes: UnsafeBufferPointer<Double>, to target: UnsafeMutablePointer<Double>, stride: Int) {
        for (indicator, position) in positions.enumerated() where position >= 0 {
            let share = shares[indicator]
            (target + Int(position) * stride).update(
                repeating: (0 - share) / Self.spread(of: share), count: codes.count)
        }
        for row in 0..<codes.count {
            let indicator = indicator(of: codes[row])
            guard indicator >= 0 else {
                for column in 0..<width { target[column * stride + row] = 0 }
                continue
            }
            let position = Int(positions[indicator])
            let share = shares[indicator]
            if position >= 0 { target[position * stride + row] = (1 - share) / Self.spread(of: share) }
        }
    }

    func encode(to writer: inout BinaryWriter) {
        writer.write(indicatorOfLevel)
        writer.write(missingIndicator)
        writer.write(shares)
        writer.write(reference)
    }

    init(from reader: inout BinaryReader) throws(MetaLearnersError) {
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
            reference: reference)
    }
}
