import MetaLearnersCore

/// How a column of numbers enters a design matrix: standardised, and, where values were missing in training, with
/// an indicator of that beside it.
///
/// A missing value stands at the mean of the others, so at 0 once standardised. The indicator is treated as one of a
/// level is: see `CategoricalEncoding`.
struct NumericEncoding: Sendable, Equatable {
    /// A power of two that brings the training values into [−1, 1], so that squares neither overflow nor vanish.
    let factor: Double
    /// The weighted mean of the training values, times `factor`.
    let center: Double
    /// The weighted standard deviation, missing values at the mean, times `factor`; 0 where the column is
    /// constant, and then left out.
    let spread: Double
    /// The share of the training weight that was missing.
    let missingShare: Double

    /// Whether the indicator stands as it is, less its share; else it is standardised.
    let isPlain: Bool

    /// The standard deviation of the indicator; 0 where there is none.
    var missingSpread: Double { (missingShare * (1 - missingShare)).squareRoot() }

    /// What the indicator is divided by.
    var missingUnit: Double { isPlain ? 1 : missingSpread }

    /// The curve, and the range that values are brought into; nil for a straight line. The columns of a curve stand
    /// behind the others.
    let spline: SplineEncoding?

    /// How many columns of the design matrix this is, without those of a curve: 0, 1 or 2.
    var linearWidth: Int { (spread > 0 ? 1 : 0) + (missingSpread > 0 ? 1 : 0) }

    /// How many columns of the design matrix this is.
    var width: Int { linearWidth + (spline?.width ?? 0) }

    /// Learns the encoding of `column` at `rows`.
    ///
    /// - Parameters:
    ///   - weights: one for each of the rows, positive.
    ///   - totalWeight: their sum.
    ///   - knotRows: the rows whose values decide where the knots of a curve stand; nil for a straight line.
    ///   - standardisesIndicator: whether the indicator of missing values is standardised.
    /// - Throws: `invalidData` for an infinite value, `numericalFailure` where the moments overflow.
    init(
        _ column: Column, rows: [Int32], weights: [Double], totalWeight: Double, knotRows: KnotRows?,
        standardisesIndicator: Bool, _ distribution: DistributedRows? = nil
    ) throws(MetaLearnersError) {
        isPlain = !standardisesIndicator
        let values = column.values.doubles(rows)
        var low = Double.infinity
        var high = -Double.infinity
        var presentWeight = 0.0
        var missingWeight = 0.0
        for (index, value) in values.enumerated() {
            if value.isNaN {
                missingWeight += weights[index]
                continue
            }
            guard value.isFinite else {
                throw MetaLearnersError(
                    .invalidData, at: "column '\(column.name)'", "row index \(rows[index]) is infinite",
                    remedy: "make infinite values missing, or cut them off")
            }
            low = min(low, value)
            high = max(high, value)
            presentWeight += weights[index]
        }
        let range = try distribution.maximum([-low, high])
        (low, high) = (-range[0], range[1])
        let ofAll = try distribution.sum([presentWeight, missingWeight])
        (presentWeight, missingWeight) = (ofAll[0], ofAll[1])
        missingShare = missingWeight / totalWeight
        guard low < high else {
            factor = 1
            center = 0
            spread = 0
            spline = nil
            return
        }
        let factor = Self.powerOfTwo(bringingBelowOne: max(abs(low), abs(high)))
        var center = low * factor
        // The second round corrects what the first one lost to rounding.
        for _ in 0..<2 {
            var sum = 0.0
            for (value, weight) in zip(values, weights) where !value.isNaN {
                sum += weight * (value * factor - center)
            }
            center += try distribution.sum([sum])[0] / presentWeight
        }
        var squares = 0.0
        for (value, weight) in zip(values, weights) where !value.isNaN {
            let deviation = value * factor - center
            squares += weight * deviation * deviation
        }
        squares = try distribution.sum([squares])[0]
        let spread = (squares / totalWeight).squareRoot()
        guard center.isFinite, spread.isFinite else {
            throw MetaLearnersError(
                .numericalFailure, at: "column '\(column.name)'", "its mean or variance overflows",
                remedy: "rescale the weights")
        }
        self.factor = factor
        self.center = center
        self.spread = spread
        guard let knotRows, spread > 0 else {
            spline = nil
            return
        }
        spline = try SplineEncoding(
            values, weights: weights, totalWeight: totalWeight, factor: factor,
            range: low * factor...high * factor, knotRows, distribution)
    }

    /// Learns the encoding of a sparse column: straight, nothing missing.
    ///
    /// - Parameters:
    ///   - weightOfRow: the weight of each row of the features, 0 for those not learnt from.
    ///   - count: how many rows are learnt from.
    ///   - totalWeight: the sum of their weights.
    /// - Throws: `numericalFailure` where the moments overflow.
    /// - Complexity: O(stored values).
    init(
        _ entries: SparseEntries, name: String, weightOfRow: [Double], count: Int, totalWeight: Double
    ) throws(MetaLearnersError) {
        var stored: [(value: Double, weight: Double)] = []
        entries.withEntries { rows, values in
            for index in 0..<rows.count where weightOfRow[Int(rows[index])] > 0 {
                stored.append((values[index], weightOfRow[Int(rows[index])]))
            }
        }
        missingShare = 0
        isPlain = false
        spline = nil
        let largest = stored.reduce(0) { max($0, abs($1.value)) }
        let isConstant =
            stored.isEmpty || (stored.count == count && stored.allSatisfy { $0.value == stored[0].value })
        guard !isConstant else {
            factor = 1
            center = 0
            spread = 0
            return
        }
        let factor = Self.powerOfTwo(bringingBelowOne: largest)
        let absent = max(totalWeight - stored.reduce(0) { $0 + $1.weight }, 0)
        var center = 0.0
        for _ in 0..<2 {
            var sum = -absent * center
            for (value, weight) in stored { sum += weight * (value * factor - center) }
            center += sum / totalWeight
        }
        var squares = absent * center * center
        for (value, weight) in stored {
            squares += weight * (value * factor - center) * (value * factor - center)
        }
        let spread = (squares / totalWeight).squareRoot()
        guard center.isFinite, spread.isFinite else {
            throw MetaLearnersError(
                .numericalFailure, at: "column '\(name)'", "its mean or variance overflows",
                remedy: "rescale the weights")
        }
        self.factor = factor
        self.center = center
        self.spread = spread
    }

    private static func powerOfTwo(bringingBelowOne largest: Double) -> Double {
        // `largest` is positive. The clamp keeps the factor itself a normal number.
        Double(sign: .plus, exponent: -min(max(Int(largest.exponent) + 1, -1000), 1000), significand: 1)
    }

    /// Writes the standardised values of `source` and, where there is one, their indicator to columns of `target`
    /// that are `stride` apart.
    func fill(
        _ source: UnsafeBufferPointer<Double>, to target: UnsafeMutablePointer<Double>, stride: Int
    ) {
        var target = target
        if spread > 0 {
            let inverse = 1 / spread
            for row in 0..<source.count {
                let value = scaled(source[row])
                target[row] = value.isNaN ? 0 : (value - center) * inverse
            }
            target += stride
        }
        if missingSpread > 0 {
            let present = (0 - missingShare) / missingUnit
            let missing = (1 - missingShare) / missingUnit
            for row in 0..<source.count { target[row] = source[row].isNaN ? missing : present }
            target += stride
        }
        guard let spline else { return }
        for column in spline.columns {
            for row in 0..<source.count { target[row] = column(spline.clipped(source[row] * factor)) }
            target += stride
        }
    }

    /// A value times the factor, within the training range where there is a curve.
    @inline(__always)
    private func scaled(_ value: Double) -> Double {
        let scaled = value * factor
        return spline.map { $0.clipped(scaled) } ?? scaled
    }

    func encode(to writer: inout BinaryWriter) {
        writer.write(factor)
        writer.write(center)
        writer.write(spread)
        writer.write(missingShare)
        spline?.encode(to: &writer)
    }

    /// - Parameters:
    ///   - curved: whether a curve follows.
    ///   - isPlain: whether the indicator stands as it is.
    init(from reader: inout BinaryReader, curved: Bool, isPlain: Bool) throws(MetaLearnersError) {
        self.isPlain = isPlain
        factor = try reader.readDouble()
        center = try reader.readDouble()
        spread = try reader.readDouble()
        missingShare = try reader.readDouble()
        spline = curved ? try SplineEncoding(from: &reader) : nil
        guard factor.isNormal, factor > 0, center.isFinite, spread.isFinite, spread >= 0, missingShare >= 0,
            missingShare <= 1
        else { throw BinaryReader.corrupt("the encoding of a numeric column makes no sense") }
    }
}
